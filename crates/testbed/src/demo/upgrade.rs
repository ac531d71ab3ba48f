//! Helm 4 upgrades of migrated releases with one changed value: the image where the chart has one.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::Stage;
use crate::{Error, Helm, charts};

/// Upgrades at once: more do not help on two cores.
const AT_ONCE: usize = 4;

/// One upgrade.
#[derive(Debug, Clone)]
pub struct Upgrade {
    /// `cluster/namespace/name` as refit writes it.
    pub id: String,
    /// Did it succeed?
    pub ok: bool,
    /// What Helm said, if not.
    pub said: String,
}

/// Upgrades these releases by Helm 4 with defaults: no `--server-side`, no `--force-conflicts`.
pub fn upgrade_all(stage: &Stage, ids: &BTreeSet<String>) -> Result<Vec<Upgrade>, Error> {
    let queue = Mutex::new(ids.iter().collect::<Vec<_>>());
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let work = || loop {
            let next = queue
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .pop();
            let Some(id) = next else { break };
            let done = upgrade(stage, id);
            results
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push(done);
        };
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    results
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .into_iter()
        .collect()
}

fn upgrade(stage: &Stage, id: &str) -> Result<Upgrade, Error> {
    let missing = || Error::Misuse(format!("{id} is none of the seeded releases"));
    let release = stage.release(id).ok_or_else(missing)?;
    let plane = stage.plane(&release.cluster).ok_or_else(missing)?;
    let chart = charts::path(&release.chart);
    let chart = chart.display().to_string();
    let value = changed_value(&release.chart);
    let args = [
        "upgrade",
        &release.name,
        &chart,
        "--reuse-values",
        "--set",
        value,
    ];
    let output = Helm::v4(plane)?.try_run(&release.namespace, args)?;
    Ok(Upgrade {
        id: id.to_owned(),
        ok: output.success,
        said: output.stderr,
    })
}

/// One changed value of a chart.
fn changed_value(chart: &str) -> &'static str {
    match chart {
        "widgets" => "colour=green",
        "gadgets" => "size=9",
        "archive" | "guard" | "vault" | "widget-crds" => "unused=changed",
        _ => "image.tag=2.0",
    }
}
