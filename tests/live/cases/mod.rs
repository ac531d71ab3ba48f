//! The case table of `docs/adoption-rules.md`, played: each row is installed by Helm 3, drifts as the row says, and is
//! planned, run, audited, undone, run again and upgraded by Helm 4, all rows together on one control plane.
//!
//! | room | rows |
//! |---|---|
//! | [`manifest`] | lists, scopes, kinds, YAML's dialect, empty and null, what server-side apply refuses |
//! | [`custom`] | CRDs, schemas of all shapes, versions that go, operators |
//! | [`workloads`] | workloads, autoscalers, what kubectl does to them |
//! | [`services`] | Services of all shapes |
//! | [`secrets`] | Secrets and ConfigMaps |
//! | [`conflicts`] | owners of all sorts, admission |
//! | [`hooks`] | left-over hooks, kept objects |
//! | [`records`] | failed, missing and full histories; life after the migration |
//! | [`policies`] | conflicts that a rule decides |
//! | [`aggregated`] | an aggregated API, on a control plane of its own |
//!
//! [`case`] is a row as a value, [`site`] its namespace and tools, [`play`] the play, [`converter`] a conversion webhook.

/// A CRD `things.<case>.example` with these versions.
macro_rules! crd {
    ($case:literal, $versions:expr) => {
        concat!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.",
            $case,
            ".example}\nspec:\n  group: ",
            $case,
            ".example\n  scope: Namespaced\n  names: {plural: things, singular: thing, kind: Thing}\n  versions:\n",
            $versions
        )
    };
}

/// A Deployment `web` with these lines of its spec and fields of its container.
macro_rules! deployment {
    ($spec:expr, $container:literal) => {
        concat!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {team: payments, tier: \"{{ .Values.value }}\"}}\nspec:\n  ",
            $spec,
            "\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n      - {name: c, image: registry.example/web:1, ",
            $container,
            "}\n"
        )
    };
}

mod aggregated;
mod case;
mod conflicts;
mod converter;
mod custom;
mod hooks;
mod manifest;
mod play;
mod policies;
mod records;
mod secrets;
mod services;
mod site;
mod workloads;

use case::Case;

fn all() -> Vec<Case> {
    [
        manifest::CASES,
        custom::CASES,
        workloads::CASES,
        services::CASES,
        secrets::CASES,
        conflicts::CASES,
        hooks::CASES,
        records::CASES,
        policies::CASES,
    ]
    .concat()
}

#[test]
fn every_row_is_as_the_table_says() {
    play::play(&all(), policies::RULES);
}

#[test]
fn an_aggregated_api_that_is_away_disturbs_nobody() {
    play::play(aggregated::CASES, "");
}

/// An object belongs to the case whose name is in its key.
#[test]
fn no_cases_name_is_part_of_anothers() {
    let cases = all();
    for one in &cases {
        let others = cases.iter().filter(|it| it.name != one.name);
        for other in others {
            assert!(!other.owns(one.name), "{} {}", one.name, other.name);
        }
    }
}
