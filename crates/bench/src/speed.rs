//! How long a forecast takes, and the part of it that Kubernetes' Go library does too.

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use managed_fields::manager::reset;
use managed_fields::{FieldManager, Kind, Schema, Time};
use serde_json::{Value, json};

use crate::{Done, World, cpu};

/// Enough for a steady mean; the first part of it warms up and does not count.
const WARM_UP: Duration = Duration::from_millis(200);
const MEASURED: Duration = Duration::from_millis(1500);

/// One line an object.
pub fn measure(world: &World) -> Done {
    let mut schemas: BTreeMap<&str, Schema> = BTreeMap::new();
    for (version, document) in &world.documents {
        schemas.insert(version, Schema::from_openapi([document])?);
    }
    let now = Time::from_unix(0)?;
    for sample in &world.objects {
        world.forecast(sample)?;
        let forecast = repeat(|| {
            let _ = black_box(world.forecast(black_box(sample)));
        })?;
        let version = sample.object.api_version.as_str();
        let schema = schemas.get(version).ok_or("no schema")?;
        let kind = Kind::of(&sample.body);
        let resets = reset::of_builtin(&kind, "");
        let resets = resets.map(|fields| (version.to_owned(), fields));
        let manager = FieldManager::new(schema, kind, "").with_reset(resets.into_iter().collect());
        let live = &sample.live.json;
        manager.apply(Some(live), &sample.body, "bench", true, now)?;
        let apply = repeat(|| {
            let _ =
                black_box(manager.apply(Some(black_box(live)), &sample.body, "bench", true, now));
        })?;
        let line = json!({
            "object": sample.object.name, "forecast": forecast.json(), "apply": apply.json(),
        });
        writeln!(std::io::stdout(), "{line}")?;
    }
    Ok(())
}

struct Figures {
    times: usize,
    median: Duration,
    mean: Duration,
    cpu_mean: Duration,
}

impl Figures {
    fn json(&self) -> Value {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        json!({
            "times": self.times, "median_ms": ms(self.median), "mean_ms": ms(self.mean), "cpu_mean_ms": ms(self.cpu_mean),
        })
    }
}

fn repeat(mut job: impl FnMut()) -> Result<Figures, Box<dyn Error>> {
    let start = Instant::now();
    while start.elapsed() < WARM_UP {
        job();
    }
    let mut walls = Vec::new();
    let (start, on_cpu) = (Instant::now(), cpu::time()?);
    while start.elapsed() < MEASURED {
        let start = Instant::now();
        job();
        walls.push(start.elapsed());
    }
    let spent = cpu::time()?.saturating_sub(on_cpu);
    let times = u32::try_from(walls.len())?.max(1);
    walls.sort_unstable();
    Ok(Figures {
        times: walls.len(),
        median: walls.get(walls.len() / 2).copied().unwrap_or_default(),
        mean: walls.iter().sum::<Duration>() / times,
        cpu_mean: spent / times,
    })
}
