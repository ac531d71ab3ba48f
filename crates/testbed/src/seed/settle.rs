//! Waiting until a seeded cluster has come to rest.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Drift, SeededRelease};
use crate::{ControlPlane, Error};

/// The autoscaler looks every 15 s, and the pods of a hundred releases need as long to start.
const PATIENCE: Duration = Duration::from_mins(4);

/// Until every workload is ready and each autoscaler that should move something has.
pub fn wait(plane: &ControlPlane, releases: &[&SeededRelease]) -> Result<(), Error> {
    let start = Instant::now();
    loop {
        let Some(last) = unsettled(plane, releases)? else {
            return Ok(());
        };
        if start.elapsed() > PATIENCE {
            return Err(Error::NotReady {
                what: format!("the fleet on {}", plane.context()),
                after: start.elapsed(),
                last,
                log: String::new(),
            });
        }
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// Something that is still moving.
fn unsettled(plane: &ControlPlane, releases: &[&SeededRelease]) -> Result<Option<String>, Error> {
    for release in releases
        .iter()
        .filter(|release| release.drift.contains(&Drift::AutoscalerMoved))
    {
        let path = format!(
            "/apis/apps/v1/namespaces/{}/deployments/{}",
            release.namespace, release.name
        );
        if plane.api().get(&path)?["spec"]["replicas"] != 2 {
            return Ok(Some(format!(
                "the autoscaler of {} has not moved",
                release.name
            )));
        }
    }
    for (resource, wanted, ready) in [
        ("deployments", "/spec/replicas", "/status/availableReplicas"),
        ("statefulsets", "/spec/replicas", "/status/readyReplicas"),
        (
            "daemonsets",
            "/status/desiredNumberScheduled",
            "/status/numberAvailable",
        ),
    ] {
        let list = plane.api().get(&format!("/apis/apps/v1/{resource}"))?;
        for object in list["items"].as_array().into_iter().flatten() {
            let number =
                |pointer: &str| object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
            let seen = number("/status/observedGeneration") == number("/metadata/generation");
            let updated =
                number("/status/updatedReplicas").max(number("/status/updatedNumberScheduled"));
            if !seen || number(wanted) != number(ready) || updated != number(wanted) {
                return Ok(Some(format!(
                    "{resource} {}: {}",
                    object["metadata"]["name"], object["status"]
                )));
            }
        }
    }
    Ok(None)
}
