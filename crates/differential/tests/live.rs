//! Holds `crates/managed-fields` against a running API server. More cases, or others: `cargo xtask differential --oracle live`.

/// What the project promises to check with every change; about a minute.
const CASES: usize = 2_000;

#[test]
fn every_answer_is_the_servers_own() {
    let report = differential::live::run(CASES, 1).unwrap();
    println!("{}", report.json());
    if let Some(disagreement) = report.disagreements.first() {
        panic!(
            "{} disagreements, the first: {disagreement}",
            report.disagreements.len()
        );
    }
    // A random test that meets none of the hard cases proves nothing.
    let wanted = [
        ("conflicts", 20),
        ("no_ops", 40),
        ("invalid", 40),
        ("updates", 10),
        ("csa_upgrades", 100),
        ("scales", 100),
        ("folded", 200),
    ];
    for (sort, one_in) in wanted {
        assert!(
            report.of(sort) * one_in > report.cases,
            "too few of {sort}: {}",
            report.json()
        );
    }
    assert!(
        report.refused_by_server_only * 4 < report.cases,
        "too many invalid objects: {}",
        report.json()
    );
}
