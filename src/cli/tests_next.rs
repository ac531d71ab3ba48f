//! `refit shadow --manifest` on the command line, on a backend that is given its answers.
#![cfg(test)]

use super::tests::{Given, PIPES, refit};
use crate::domain::fleet::{Fleet, ReleaseGlob};
use crate::domain::ids::ClusterName;
use crate::engine::next::Foretold;

/// The backend's answer: releases of fleet acme.
pub fn foretold(fleet: &Fleet, glob: &ReleaseGlob) -> Foretold {
    let mut upgrades = crate::render::screen::next::tests::acme();
    let known = |cluster: &ClusterName| fleet.clusters.iter().any(|it| it.name == *cluster);
    upgrades.retain(|it| known(&it.release.cluster) && glob.matches(&it.release));
    Foretold {
        upgrades,
        ..Foretold::default()
    }
}

const MANIFEST: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

#[test]
fn a_manifest_is_forecast_for_the_releases_that_a_glob_names() {
    let given = || Given {
        input: MANIFEST,
        ..PIPES
    };
    let all = refit("shadow --manifest - */shop/checkout", &given());
    assert_eq!(
        (all.exit, all.stdout.lines().count()),
        (0, 8),
        "{}",
        all.stderr
    );
    assert!(all.stderr.contains("1 of 2 upgrades would fail") && all.stderr.contains("0 writes"));
    let gate = "shadow --manifest - shop/checkout --detailed-exitcode";
    assert_eq!(refit(gate, &given()).exit, 2);
    let passes = refit(
        "shadow --manifest - eu-2/shop/* --detailed-exitcode",
        &given(),
    );
    assert_eq!(passes.exit, 0, "{}", passes.stderr);
    let json = refit("shadow --manifest - */shop/* -o json", &given()).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["kind"], "UpgradeForecastList");
    assert_eq!(json["summary"]["conflicts"], 1);
    assert_eq!(
        json["items"][0]["objects"][0]["outcome"]["type"],
        "conflict"
    );
    let names = refit("shadow --manifest - */shop/* -o name", &given());
    assert_eq!(names.stdout, "eu-1/shop/checkout\neu-2/shop/checkout\n");
}

#[test]
fn what_is_no_manifest_or_names_nothing_is_refused_with_the_way_out() {
    for (line, input, words) in [
        ("shadow --manifest - */shop/checkout", "", "has no object"),
        (
            "shadow --manifest - */shop/checkout",
            "a: [\n",
            "document 1",
        ),
        (
            "shadow --manifest - mars/shop/checkout",
            MANIFEST,
            "no cluster in scope",
        ),
        (
            "shadow --manifest - */none/x",
            MANIFEST,
            "no release matches */none/x",
        ),
        ("shadow --manifest -", MANIFEST, "RELEASE"),
        (
            "shadow --manifest - a/b/c --confirm 1",
            MANIFEST,
            "--confirm",
        ),
        (
            "shadow --manifest /none/next.yaml */shop/checkout",
            "",
            "cannot be read",
        ),
    ] {
        let given = Given { input, ..PIPES };
        let came = refit(line, &given);
        assert_eq!(came.exit, 1, "{line}");
        assert!(came.stderr.contains(words), "{line}: {}", came.stderr);
    }
}
