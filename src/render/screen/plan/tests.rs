//! The screens of a plan, as text.

use std::collections::BTreeMap;

use super::*;
use crate::domain::fleet::{Limits, Managers};
use crate::domain::ids::ReleaseId;
use crate::domain::plan::{
    Calendar, Coverage, HeldRelease, PlanMetadata, PlanSummary, PlannedRelease, Risk, WaitsFor,
    Wave,
};
use crate::domain::release::{ChartRef, Driver};
use crate::domain::shadow::Reason;
use crate::render::{Format, Frame};

pub(crate) fn planned(id: &str, objects: u32) -> PlannedRelease {
    let release: ReleaseId = id.parse().unwrap();
    PlannedRelease {
        chart: ChartRef {
            name: release.name.to_string(),
            version: "4.2.0".into(),
        },
        release,
        driver: Driver::Secret,
        revision: crate::domain::ids::Revision(31),
        record_uid: "uid".into(),
        objects,
        writes: objects + 3,
        reason: "covers 12 of 47 signatures".into(),
        labels: BTreeMap::new(),
        risk: Risk::default(),
        needs: Vec::new(),
        notes: Vec::new(),
        decisions: Vec::new(),
    }
}

fn held(id: &str, outcome: ReleaseOutcome, cause: &str, detail: &str) -> HeldRelease {
    HeldRelease {
        release: id.parse().unwrap(),
        outcome,
        reasons: vec![Reason {
            cause: cause.into(),
            object: None,
            detail: detail.into(),
        }],
        until: "somebody looks at it".into(),
    }
}

/// A small plan of fleet acme.
pub(crate) fn acme() -> Plan {
    let limits = Limits {
        writes_per_second: 4,
        in_flight: 4,
    };
    Plan {
        metadata: PlanMetadata {
            fleet: "acme".into(),
            digest: "9f31c2a4d8".into(),
            tool: "0.1.0".into(),
            made_at: "2026-11-23T10:31:00Z".parse().unwrap(),
            looked_at: None,
            start_before: "2026-11-30T10:31:00Z".parse().unwrap(),
            inputs: BTreeMap::new(),
            managers: Managers {
                canonical: "helm".into(),
                aliases: vec![],
            },
            limits: ["dev-1", "eu-2", "eu-10"]
                .map(|name| (name.into(), limits))
                .into(),
            writes_per_second: 20,
            deadline: "2027-02-10".parse().unwrap(),
            timezone: "UTC".into(),
            settings: crate::domain::fleet::PlanSettings::default(),
            clusters: BTreeMap::new(),
            policies: vec![],
            labels: BTreeMap::new(),
        },
        waves: vec![
            Wave {
                number: 1,
                name: "canary".into(),
                releases: vec![planned("dev-1/shop/web", 9)],
                ..Wave::default()
            },
            Wave {
                number: 2,
                name: "wave-2".into(),
                releases: vec![planned("eu-10/shop/web", 9), planned("eu-2/shop/cart", 14)],
                ..Wave::default()
            },
        ],
        held: vec![
            held(
                "eu-2/payments/ledger",
                ReleaseOutcome::Blocked,
                "pending-upgrade",
                "revision 9 is pending-upgrade since 6d",
            ),
            held(
                "eu-2/shop/checkout",
                ReleaseOutcome::NeedsChoice,
                "active-conflict",
                ".spec.replicas is owned by kubectl/scale",
            ),
            held(
                "eu-2/shop/search",
                ReleaseOutcome::NeedsChoice,
                "active-conflict",
                ".spec.replicas is owned by keda",
            ),
        ],
        done: vec!["dev-1/shop/pay".parse().unwrap()],
        unread: [("edge-1".into(), "token expired".to_owned())].into(),
        untested: Vec::new(),
        calendar: None,
        relaxations: Vec::new(),
        summary: PlanSummary {
            migrate: 3,
            needs_choice: 2,
            blocked: 1,
            waiting: 0,
            done: 1,
            objects: 32,
            writes: 41,
            value_changes: 0,
        },
        seals: crate::domain::plan::Seals::default(),
    }
}

/// The same plan with a calendar.
pub(crate) fn dated() -> Plan {
    let mut plan = acme();
    let at = |text: &str| Some(text.parse().unwrap());
    let freeze = json!({"from": "2026-12-17", "to": "2027-01-04"});
    let freeze = serde_json::from_value(freeze).unwrap();
    plan.metadata.settings.freezes = [("year-end".to_owned(), freeze)].into();
    plan.calendar = Some(Calendar {
        done: at("2027-01-15T02:00:00Z"),
        slack_days: Some(26),
        writing_seconds: 1_440,
        late: Vec::new(),
    });
    let [first, second] = &mut plan.waves[..] else {
        panic!("two waves");
    };
    first.starts = at("2026-11-24T08:00:00Z");
    first.ends = at("2026-11-24T08:02:00Z");
    first.soak = 2 * 86_400;
    first.coverage = Coverage {
        seen: 39,
        total: 47,
    };
    first.waits_for = vec![WaitsFor {
        kind: "window".into(),
        detail: "office".into(),
        until: at("2026-11-24T08:00:00Z"),
    }];
    second.after = vec![1];
    second.starts = at("2026-11-29T01:00:00Z");
    second.ends = at("2026-11-29T02:00:00Z");
    second.soak = 86_400;
    second.approval = true;
    second.coverage = Coverage {
        seen: 47,
        total: 47,
    };
    second.waits_for = vec![WaitsFor {
        kind: "approval".into(),
        detail: "of one person".into(),
        until: at("2026-11-27T10:00:00Z"),
    }];
    plan
}

fn print(document: &Document) -> crate::render::Printed {
    document
        .print(Format::Table, None, &Frame::PIPE, &Frame::PIPE)
        .unwrap()
}

#[test]
fn what_no_undo_puts_back_is_said() {
    use crate::domain::fleet::PolicyAction;
    use crate::domain::policy::{Decision, MANAGED_FIELDS, Subject};
    let mut plan = acme();
    let decision = Decision {
        object: crate::domain::object::ObjectRef {
            api_version: "d6.io/v1".into(),
            kind: "Thing".into(),
            namespace: None,
            name: "it".into(),
        },
        subject: Subject::Dead,
        field: MANAGED_FIELDS.into(),
        owner: None,
        action: PolicyAction::Repair,
        rule: None,
        refused: None,
        irreversible: true,
    };
    plan.waves[0].releases[0].decisions = vec![decision];
    let screen = PlanScreen {
        plan: &plan,
        saved: None,
        file: Some("p.json"),
        wide: false,
    };
    let printed = print(&screen.document());
    let line = "Irreversible: owners of 1 object are repaired; an undo leaves them so.";
    assert!(printed.stdout.contains(line), "{}", printed.stdout);
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(
        json["waves"][0]["releases"][0]["decisions"][0]["irreversible"],
        true
    );
}

#[test]
fn the_plan() {
    let plan = acme();
    let screen = PlanScreen {
        plan: &plan,
        saved: Some("acme.plan.json"),
        file: None,
        wide: false,
    };
    let printed = print(&screen.document());
    assert_eq!(
        printed.stdout,
        "\
Fleet acme, 7 releases on 4 clusters, planned 2026-11-23T10:31Z by refit 0.1.0

WAVE   NAME     RELEASES   CLUSTERS   OBJECTS   WRITES   WRITING   ON
1      canary   1          1          9         12       3.0s      dev-1
2      wave-2   2          2          23        29       5.0s      eu-2, eu-10

HELD          RELEASES   CAUSE             FOR-EXAMPLE            UNTIL
Blocked       1          pending-upgrade   eu-2/payments/ledger   somebody looks at it
NeedsChoice   2          active-conflict   eu-2/shop/checkout     somebody looks at it

Plan: 3 to migrate, 2 need a choice, 1 blocked, 1 already done.
32 ownership patches, 9 record writes, 0 value changes. Each release gains one Helm revision.
Requests: at most 265 reads, 32 dry runs, 41 writes; 8.0s at the limits: refit show PLAN --requests
"
    );
    assert_eq!(
        printed.stderr,
        "\
Saved the plan to: acme.plan.json   (sha256:9f31c2a4, to be started before 2026-11-30T10:31Z). 0 writes.
To perform exactly these actions, run the following command:
    refit run acme.plan.json
warning: edge-1 not read: token expired; its releases are unknown and in no wave
Next: refit show acme.plan.json --held   what is held, and why
"
    );
}

#[test]
fn the_plan_with_a_calendar() {
    let mut plan = dated();
    plan.untested = vec![crate::domain::plan::Untested {
        signature: "web 4.2.0, Deployment".into(),
        wave: 2,
        first: "eu-10/shop/web".parse().unwrap(),
        releases: 2,
        why: "too risky".into(),
    }];
    plan.relaxations = vec![crate::domain::plan::Relaxation {
        change: vec!["soak.prod 72h -> 48h".into()],
        done: "2027-01-07".parse().unwrap(),
        gain_days: 8,
        in_time: true,
    }];
    let screen = PlanScreen {
        plan: &plan,
        saved: None,
        file: Some("p.json"),
        wide: false,
    };
    let printed = print(&screen.document());
    let head: Vec<&str> = printed.stdout.lines().take(7).collect();
    assert_eq!(
        head,
        [
            "Fleet acme, 7 releases on 4 clusters, planned 2026-11-23T10:31Z by refit 0.1.0",
            "",
            "WAVE   NAME     RELEASES   CLUSTERS   WRITES   STARTS              SOAK   COVERAGE   WAITS-FOR",
            "1      canary   1          1          12       2026-11-24T08:00Z   48h    39/47      window office",
            "2      wave-2   2          2          29       2026-11-29T01:00Z   24h    47/47      approval of one person",
            "After wave 1, 83.0% of signatures are seen; 1 release in wave 2 is the first of its kind: refit show PLAN --untested",
            "",
        ]
    );
    for line in [
        "1 canary -#..",
        "2 wave-2    ??-#.",
        "Done 2027-01-15T02:00Z, 26 days before the deadline. 24m00s of writing.",
        "Sooner: 8 days earlier, done 2027-01-07   soak.prod 72h -> 48h",
    ] {
        assert!(
            printed.stdout.lines().any(|it| it == line),
            "{line} is not in {}",
            printed.stdout
        );
    }
    assert_eq!(
        print(&screen.untested()).stdout,
        "WAVE   FIRST            RELEASES   WHY         SIGNATURE\n\
         2      eu-10/shop/web   2          too_risky   web 4.2.0, Deployment\n"
    );
    let json = screen.document().to_json();
    assert_eq!(Plan::parse(&json.to_string()).unwrap(), plan);
}

#[test]
fn what_never_comes_or_is_late_or_empty_is_said() {
    let mut plan = dated();
    let wave = &mut plan.waves[1];
    (wave.starts, wave.ends, wave.spans) = (None, None, Vec::new());
    wave.waits_for = vec![WaitsFor {
        kind: "freeze".into(),
        detail: "all".into(),
        until: None,
    }];
    let many = (1..=12).map(|at| format!("eu-{at}")).collect();
    let calendar = plan.calendar.as_mut().unwrap();
    (calendar.done, calendar.slack_days) = (None, None);
    calendar.late = vec![crate::domain::plan::Late {
        wave: 2,
        releases: 2,
        clusters: many,
        done: None,
    }];
    plan.metadata.settings.stages = vec![crate::domain::fleet::settings::Stage {
        name: "gold".into(),
        selector: "tier=glod".parse().unwrap(),
        cut: crate::domain::fleet::settings::Cut::Whole,
    }];
    let told = |plan: &Plan| {
        let screen = PlanScreen {
            plan,
            saved: None,
            file: None,
            wide: false,
        };
        print(&screen.document()).stdout
    };
    let text = told(&plan);
    for line in [
        "Stage gold has no release: tier=glod takes none that an earlier stage, or the canaries, leave.",
        "Never done: a wave gets no window. 24m00s of writing.",
        "Late: wave 2, 2 releases on eu-1, eu-2, eu-3, eu-4, eu-5, eu-6, eu-7, eu-8 and 4 more",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in {text}");
    }
    assert!(text.contains("freeze all\n") && text.contains("keeps the deadline, nor all together"));
    // Nobody is in any wave that has no time: reasons are shown nevertheless.
    let first = &mut plan.waves[0];
    (first.starts, first.ends, first.spans) = (None, None, Vec::new());
    assert!(told(&plan).contains("freeze all\n"));
    plan.waves[1].stage = 1;
    assert!(!told(&plan).contains("Stage gold"));
}

#[test]
fn what_is_saved_reads_back() {
    let plan = acme();
    let screen = PlanScreen {
        plan: &plan,
        saved: None,
        file: None,
        wide: false,
    };
    let json = screen.document().to_json();
    assert_eq!(
        (&json["kind"], &json["apiVersion"]),
        (&json!("Plan"), &json!("refit.dev/v1"))
    );
    assert_eq!(Plan::parse(&json.to_string()).unwrap(), plan);
}

#[test]
fn one_release_one_wave_and_the_held() {
    let plan = acme();
    let screen = PlanScreen {
        plan: &plan,
        saved: None,
        file: Some("p.json"),
        wide: false,
    };
    let one = |id: &str| {
        screen
            .release(&id.parse().unwrap())
            .map(|it| print(&it).stdout)
    };
    assert_eq!(
        one("eu-2/shop/cart").unwrap(),
        "eu-2/shop/cart   wave 2 wave-2, 2 of 2   cart-4.2.0, revision 31, 14 objects, 17 writes\n\
         why here: covers 12 of 47 signatures\n"
    );
    assert!(
        one("eu-2/shop/search")
            .unwrap()
            .contains("NeedsChoice   in no wave, for 1 reason\n")
    );
    assert!(one("dev-1/shop/pay").unwrap().contains("Done"));
    assert_eq!(one("dev-1/shop/nope"), None);
    assert_eq!(screen.wave(3).map(|_| ()), None);
    let wave = screen.wave(2).unwrap();
    let names = wave
        .print(Format::Name, None, &Frame::PIPE, &Frame::PIPE)
        .unwrap();
    assert_eq!(names.stdout, "eu-10/shop/web\neu-2/shop/cart\n");
    assert_eq!(
        screen.held().to_json()["items"].as_array().unwrap().len(),
        3
    );
}
