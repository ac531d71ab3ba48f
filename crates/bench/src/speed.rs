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

/// The first part warms up and does not count.
const WARM_UP: Duration = Duration::from_millis(200);
/// Other processes come and go in seconds: so both jobs take turns, and the middle round counts.
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(300);

/// One line an object.
pub fn measure(world: &World) -> Done {
    let mut schemas: BTreeMap<&str, Schema> = BTreeMap::new();
    for (version, document) in &world.documents {
        schemas.insert(version, Schema::from_openapi([document])?);
    }
    let now = Time::from_unix(0)?;
    for sample in &world.objects {
        world.forecast(sample)?;
        let mut forecast = || {
            let _ = black_box(world.forecast(black_box(sample)));
        };
        let version = sample.object.api_version.as_str();
        let schema = schemas.get(version).ok_or("no schema")?;
        let kind = Kind::of(&sample.body);
        let resets = reset::of_builtin(&kind, "");
        let resets = resets.map(|fields| (version.to_owned(), fields));
        let manager = FieldManager::new(schema, kind, "").with_reset(resets.into_iter().collect());
        let live = &sample.live.json;
        manager.apply(Some(live), &sample.body, "bench", true, now)?;
        let mut apply = || {
            let _ =
                black_box(manager.apply(Some(black_box(live)), &sample.body, "bench", true, now));
        };
        let (forecast, apply) = in_turns(&mut forecast, &mut apply)?;
        let line = json!({
            "object": sample.object.name, "method": format!("median of {ROUNDS} interleaved rounds"), "forecast": forecast.json(), "apply": apply.json(),
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

/// The figures of two jobs that take turns: of each the round in the middle, by time on the processor.
fn in_turns<'a>(
    left: &'a mut dyn FnMut(),
    right: &'a mut dyn FnMut(),
) -> Result<(Figures, Figures), Box<dyn Error>> {
    let mut rounds = (Vec::new(), Vec::new());
    for job in [&mut *left, &mut *right] {
        round(job, WARM_UP)?;
    }
    for _ in 0..ROUNDS {
        rounds.0.push(round(left, ROUND)?);
        rounds.1.push(round(right, ROUND)?);
    }
    Ok((middle(rounds.0)?, middle(rounds.1)?))
}

fn middle(mut rounds: Vec<Figures>) -> Result<Figures, &'static str> {
    rounds.sort_by_key(|round| round.cpu_mean);
    let times = rounds.iter().map(|round| round.times).sum();
    let middle = rounds.into_iter().nth(ROUNDS / 2).ok_or("no round")?;
    Ok(Figures { times, ..middle })
}

fn round(job: &mut dyn FnMut(), long: Duration) -> Result<Figures, Box<dyn Error>> {
    let mut walls = Vec::new();
    let (start, on_cpu) = (Instant::now(), cpu::time()?);
    while start.elapsed() < long {
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
