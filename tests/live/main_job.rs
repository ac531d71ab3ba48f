//! The main job, figures asserted: what `cargo xtask demo` plays, on a smaller fleet.

use std::path::PathBuf;

use testbed::Seed;
use testbed::demo::Demo;

#[test]
fn a_fleet_goes_there_and_back_and_helm_4_goes_on() {
    let demo = Demo {
        refit: PathBuf::from(env!("CARGO_BIN_EXE_refit")),
        clusters: 2,
        seed: Seed {
            seed: 7,
            releases: 26,
        },
        say: &|line| eprintln!("{line}"),
    };
    let figures = demo.play().unwrap();
    eprintln!("{}", figures.lines().join("\n"));
    assert_eq!(figures.failures(), Vec::<String>::new());
    // What the demo is for, said once more: one write an object, one dry run (but for a few that only the
    // server can tell about), three writes of records.
    assert_eq!(figures.object_writes, figures.objects);
    assert!(figures.dry_runs * 20 <= figures.objects * 21);
    assert_eq!(figures.record_writes, 3 * figures.migrated);
    assert_eq!(figures.upgrades_ok, figures.migrated);
    assert_eq!(figures.undo_different, 0);
    // Each held release is held for the reason that it was made for.
    for cause in ["active-conflict", "pending-upgrade", "invalid-manifest"] {
        assert!(
            figures.held.contains_key(cause),
            "nothing is held for {cause}: {:?}",
            figures.held
        );
    }
}
