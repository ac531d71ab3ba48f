//! How much memory a fleet's objects take: all held with their manifests, as `plan` does, and all forecast.

use std::io::Write;

use serde_json::{Value, json};

use crate::{Done, Sample, World, cpu};

/// Holds `count` objects, which are the ordinary samples under other names, and their forecasts.
pub fn measure(mut world: World, count: usize) -> Done {
    let base_kib = cpu::peak_kib()?;
    world.documents.clear();
    let mut samples = std::mem::take(&mut world.objects);
    samples.retain(|sample| !sample.object.name.starts_with("long-"));
    let mut held = Vec::with_capacity(count);
    for (number, sample) in samples.iter().cycle().take(count).enumerate() {
        let name = format!("{}-{number}", sample.object.name);
        // Read from text, as from a LIST: so no memory is shared, and none is as tight as a clone's.
        let renamed = |value: &Value| -> serde_json::Result<Value> {
            let mut value: Value = serde_json::from_str(&value.to_string())?;
            value["metadata"]["name"] = json!(name);
            Ok(value)
        };
        held.push(Sample::new(
            renamed(&sample.body)?,
            renamed(&sample.live.json)?,
        )?);
    }
    let mut told = Vec::with_capacity(count);
    for sample in &held {
        told.push(world.forecast(sample)?);
    }
    let line = json!({
        "objects": held.len(), "forecasts": told.len(),
        "base_mib": mib(base_kib), "peak_mib": mib(cpu::peak_kib()?),
    });
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

/// Rounded up.
fn mib(kib: u64) -> u64 {
    kib.div_ceil(1024)
}
