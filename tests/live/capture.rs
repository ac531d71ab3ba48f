//! A captured fleet: forecast from the file as from the clusters, without one, and no value of a Secret in it.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use testbed::Seed;
use testbed::demo::Stage;

/// A value so short may stand in a file by chance.
const TELLING: usize = 5;

/// A document without its times.
fn timeless(mut document: Value) -> Value {
    let metadata = document["metadata"].as_object_mut().unwrap();
    metadata.remove("takenAt");
    document
}

#[test]
fn a_captured_fleet_is_forecast_as_the_live_one() {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let seed = Seed {
        seed: 23,
        releases: 42,
    };
    let mut stage = Stage::build(refit, 1, seed).unwrap();
    let marks = stage.marks().unwrap();
    let saved = stage
        .refit
        .call(&["inventory", "--save", "fleet.inv.json", "-o", "json"])
        .unwrap();
    assert_eq!(saved.code, 0, "{}", saved.stderr);
    let live = stage.refit.call(&["shadow", "-o", "json"]).unwrap();
    let causes = stage.refit.call(&["triage", "-o", "json"]).unwrap();
    assert_eq!(stage.requests(&marks).unwrap()[0].writes().len(), 0);

    let text = std::fs::read_to_string(stage.refit.folder().join("fleet.inv.json")).unwrap();
    let secrets = stage.planes[0].api().get("/api/v1/secrets").unwrap();
    let mut values = 0;
    for secret in secrets["items"].as_array().unwrap() {
        let data = secret["data"].as_object().into_iter().flatten();
        for (key, value) in data {
            let value = value.as_str().unwrap();
            let plain = STANDARD.decode(value).unwrap();
            let plain = String::from_utf8_lossy(&plain).into_owned();
            if plain.len() >= TELLING {
                values += 1;
                assert!(
                    !text.contains(value),
                    "{}/{key}",
                    secret["metadata"]["name"]
                );
                assert!(
                    !text.contains(&plain),
                    "{}/{key}",
                    secret["metadata"]["name"]
                );
            }
        }
    }
    stage.planes[0].stop_apiserver();
    let from = stage
        .refit
        .call(&["shadow", "--from", "fleet.inv.json", "-o", "json"])
        .unwrap();
    assert_eq!(from.code, live.code, "{}", from.stderr);
    let (live, from) = (timeless(live.value), timeless(from.value));
    for (left, right) in live["items"]
        .as_array()
        .unwrap()
        .iter()
        .zip(from["items"].as_array().unwrap())
    {
        assert_eq!(left, right);
    }
    assert_eq!(live.to_string(), from.to_string());
    let again = stage
        .refit
        .call(&["triage", "--from", "fleet.inv.json", "-o", "json"])
        .unwrap();
    assert_eq!(
        timeless(again.value).to_string(),
        timeless(causes.value).to_string()
    );
    eprintln!(
        "{} releases, {} objects, {} asked, {values} values of Secrets looked for; the file has {} KiB",
        live["summary"]["releases"],
        live["summary"]["objects"],
        live["summary"]["asked"],
        text.len() / 1024
    );
}
