//! Laws of the grouping, over generated fleets.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::fleet::PolicyAction;
use crate::domain::ids::ReleaseId;
use crate::domain::object::ObjectRef;
use crate::domain::release::ChartRef;
use crate::domain::shadow::{
    Conflict, Forecast, ObjectForecast, ObjectOutcome, Reason, ReleaseOutcome,
};

/// Texts as they are, with the number of releases behind.
struct Plain;

impl Wording for Plain {
    fn fill(&self, template: &str, facts: &Facts) -> Result<String, String> {
        if template == "!" {
            return Err("no".to_owned());
        }
        Ok(template
            .replace("{n}", &facts.releases.to_string())
            .replace("{owner}", &facts.owner)
            .replace("{release}", &facts.release)
            .replace("{others}", &facts.others.join(",")))
    }
}

fn matcher(kind: &str, owner: Option<&str>) -> Matcher {
    Matcher {
        kind: vec![Pattern::new(kind)],
        owner: owner.map(Pattern::new).into_iter().collect(),
        ..Matcher::default()
    }
}

fn rule(name: &str, decides: Decides, when: Matcher) -> Rule {
    Rule {
        name: name.into(),
        about: format!("About {name}."),
        decides,
        when: vec![when],
        fix: format!("fix {name} on {{n}}"),
        full: String::new(),
        policies: Vec::new(),
        question: None,
        patch: None,
    }
}

fn rules() -> Rules {
    let mut scaler = rule("scaler", Decides::Rule, matcher("active", Some("*/scale")));
    scaler.policies = vec![PolicyTemplate {
        owner: Some("{owner}".into()),
        conflict: Some(PolicyAction::Yield),
        why: "it scales".into(),
        ..PolicyTemplate::default()
    }];
    let mut image = rule(
        "image",
        Decides::You,
        matcher("active", Some("kubectl-set")),
    );
    image.policies = vec![PolicyTemplate {
        field: Some("*.image".into()),
        why: "by hand".into(),
        ..PolicyTemplate::default()
    }];
    let option = |policy, changes| OptionTemplate {
        answer: "a".into(),
        policy: Some(policy),
        now: "now {n}".into(),
        later: String::new(),
        changes,
    };
    image.question = Some(QuestionTemplate {
        text: "{n}?".into(),
        options: vec![
            option(PolicyAction::AdoptLive, false),
            option(PolicyAction::Take, true),
        ],
    });
    let mut flux = rule(
        "flux",
        Decides::Elsewhere,
        matcher("driven-elsewhere", None),
    );
    flux.patch = Some(PatchTemplate {
        file: "flux/{release}/../x y".into(),
        text: "{others}".into(),
    });
    Rules::new(vec![
        flux,
        rule("lock", Decides::Operator, matcher("pending-*", None)),
        rule("env", Decides::Chart, matcher("invalid-manifest", None)),
        scaler,
        image,
        rule("note", Decides::Operator, matcher("drop", None)),
    ])
}

/// A release with these owners of conflicts, these reasons beside, and these dropped fields.
#[derive(Debug, Clone)]
struct Made {
    forecast: Forecast,
    chart: ChartRef,
}

fn made(release: &str, owners: &[&str], reasons: &[&str], drops: usize) -> Made {
    let object = ObjectRef {
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        namespace: Some("shop".into()),
        name: "web".into(),
    };
    let active: Vec<Conflict> = owners
        .iter()
        .enumerate()
        .map(|(place, owner)| Conflict {
            field: format!(".spec.f{place}"),
            owner: (*owner).into(),
            since: None,
            theirs: Some("1".into()),
            ours: Some("2".into()),
        })
        .collect();
    let mut told: Vec<Reason> = reasons
        .iter()
        .map(|cause| Reason {
            cause: (*cause).into(),
            object: None,
            detail: format!("about {cause}"),
        })
        .collect();
    told.extend(active.iter().map(|conflict| Reason {
        cause: "active-conflict".into(),
        object: Some(object.clone()),
        detail: format!("{} is owned by {}", conflict.field, conflict.owner),
    }));
    let blocks = |it: &str| !matches!(it, "latest-failed" | "unknown");
    let outcome = if reasons.iter().any(|it| blocks(it)) {
        ReleaseOutcome::Blocked
    } else if told.is_empty() {
        ReleaseOutcome::Ready
    } else {
        ReleaseOutcome::NeedsChoice
    };
    Made {
        chart: ChartRef {
            name: "web".into(),
            version: "1.0.0".into(),
        },
        forecast: Forecast {
            release: release.parse().unwrap(),
            outcome,
            reasons: told,
            notes: Vec::new(),
            objects: vec![ObjectForecast {
                object,
                outcome: ObjectOutcome::OwnershipOnly,
                active,
                latent: Vec::new(),
                drops: (0..drops).map(|at| format!(".spec.d{at}")).collect(),
                drift: Vec::new(),
                values: BTreeMap::new(),
            }],
        },
    }
}

fn run(fleet: &[Made]) -> Triage {
    let subjects: Vec<Subject<'_>> = fleet
        .iter()
        .map(|it| Subject {
            forecast: &it.forecast,
            chart: &it.chart,
        })
        .collect();
    triage(&subjects, &rules(), &Plain).unwrap()
}

fn names(causes: &[Cause]) -> Vec<(&str, usize, usize)> {
    let row = |it: &'_ Cause| (it.releases.len(), it.also.len());
    causes
        .iter()
        .map(|it| (it.name.as_str(), row(it).0, row(it).1))
        .collect()
}

#[test]
fn the_gravest_cause_counts_and_the_others_are_told() {
    let found = run(&[
        made("eu-1/shop/a", &["hpa/scale"], &[], 0),
        made("eu-1/shop/b", &["hpa/scale", "kubectl-set"], &[], 0),
        made("eu-2/shop/c", &["kubectl-set"], &["pending-upgrade"], 1),
        made(
            "eu-10/shop/d",
            &["hpa/scale"],
            &["driven-elsewhere", "invalid-manifest"],
            0,
        ),
        made("eu-1/shop/e", &[], &[], 2),
        made("eu-1/shop/f", &["nobody"], &[], 0),
    ]);
    assert_eq!(
        names(&found.causes),
        [
            ("scaler", 1, 2),
            ("image", 1, 1),
            ("active", 1, 0),
            ("flux", 1, 0),
            ("lock", 1, 0),
            ("env", 0, 1),
        ]
    );
    assert_eq!(names(&found.notes), [("note", 2, 0)]);
    let of: Vec<(String, String, u64)> = found
        .of
        .iter()
        .map(|(id, it)| (id.to_string(), it.cause.clone(), it.more))
        .collect();
    let of: Vec<(&str, &str, u64)> = of.iter().map(|it| (&*it.0, &*it.1, it.2)).collect();
    assert_eq!(
        of,
        [
            ("eu-1/shop/a", "scaler", 0),
            ("eu-1/shop/b", "image", 1),
            ("eu-1/shop/f", "active", 0),
            ("eu-10/shop/d", "flux", 2),
            ("eu-2/shop/c", "lock", 1),
        ]
    );
    assert_eq!(found.totals.held, 5);
    assert_eq!(found.totals.rules, (1, 1));
    assert_eq!(found.totals.questions, (2, 2));
    assert_eq!((found.totals.elsewhere, found.totals.fixes), (1, 1));
}

#[test]
fn texts_speak_of_the_releases_that_count() {
    let found = run(&[
        made("eu-1/shop/a", &["hpa/scale"], &[], 0),
        made("eu-1/shop/b", &["hpa/scale", "kubectl-set"], &[], 0),
        made("eu-1/shop/c", &["keda/scale"], &["driven-elsewhere"], 0),
    ]);
    let of = |name: &str| found.named(name)[0];
    assert_eq!(of("scaler").fix, "fix scaler on 1");
    // The rules that settle it cover the others too: their graver cause may go first.
    let owners: Vec<&str> = of("scaler")
        .rules
        .iter()
        .filter_map(|it| it.owner.as_deref())
        .collect();
    assert_eq!(owners, ["hpa/scale", "keda/scale"]);
    let question = of("image").question.as_ref().unwrap();
    assert_eq!((question.number, &*question.text), (1, "1?"));
    let changes: Vec<u64> = question.options.iter().map(|it| it.value_changes).collect();
    assert_eq!(changes, [0, 1]);
    assert_eq!(
        question.options[1].rules[0].conflict,
        Some(PolicyAction::Take)
    );
    let patches = found.patches();
    assert_eq!(
        patches.into_iter().collect::<Vec<_>>(),
        [("flux/eu-1/shop/c/x_y", "keda")]
    );
}

#[test]
fn a_conflict_that_a_policy_settled_holds_nothing() {
    let mut settled = made("eu-1/shop/a", &["hpa/scale", "kubectl-set"], &[], 0);
    settled
        .forecast
        .reasons
        .retain(|it| it.detail.contains("kubectl-set"));
    let found = run(&[settled.clone()]);
    assert_eq!(names(&found.causes), [("image", 1, 0)]);
    assert_eq!(names(&found.notes), [("scaler", 1, 0)]);
    settled.forecast.reasons.clear();
    settled.forecast.outcome = ReleaseOutcome::Ready;
    assert!(run(&[settled]).causes.is_empty());
}

#[test]
fn a_drop_that_a_rule_settled_is_not_let_go() {
    let mut settled = made("eu-1/shop/a", &[], &[], 2);
    let drops = |made: &Made| {
        let found = findings(&made.forecast).into_iter();
        let drops = found.filter(|(_, it)| it.kind == "drop");
        let fields = drops.filter_map(|(_, it)| it.field);
        fields.collect::<Vec<_>>()
    };
    assert_eq!(drops(&settled), [".spec.d0", ".spec.d1"]);
    let object = settled.forecast.objects[0].object.clone();
    let mut elsewhere = object.clone();
    elsewhere.name = "other".into();
    let note = |object: &ObjectRef, detail: &str| Reason {
        cause: "pin".into(),
        object: Some(object.clone()),
        detail: detail.into(),
    };
    settled.forecast.notes = vec![
        note(&object, ".spec.d1: pinned; fleet.toml:3"),
        note(&elsewhere, ".spec.d0: pinned; fleet.toml:3"),
    ];
    assert_eq!(drops(&settled), [".spec.d0"]);
}

#[test]
fn a_hold_without_a_reason_is_told_all_the_same() {
    let mut odd = made("eu-1/shop/a", &[], &[], 0);
    odd.forecast.outcome = ReleaseOutcome::Blocked;
    let found = run(&[odd]);
    assert_eq!(names(&found.causes), [("unexplained", 1, 0)]);
    assert_eq!(found.causes[0].outcome, ReleaseOutcome::Blocked);
}

#[test]
fn a_text_that_cannot_be_filled_names_its_rule() {
    let broken = Rule {
        fix: "!".into(),
        ..rule("broken", Decides::Operator, matcher("pending-*", None))
    };
    let made = made("eu-1/shop/a", &[], &["pending-upgrade"], 0);
    let subject = Subject {
        forecast: &made.forecast,
        chart: &made.chart,
    };
    let error = triage(&[subject], &Rules::new(vec![broken]), &Plain).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cause broken: its text \"!\" cannot be filled: no"
    );
}

#[test]
fn owners_are_managers_with_their_subresources() {
    let manager = |owner: &str| {
        let finding = Finding {
            kind: "active".into(),
            object: None,
            field: None,
            owner: Some(owner.into()),
            message: String::new(),
            theirs: None,
            ours: None,
        };
        let (manager, subresource) = finding.manager();
        (manager.unwrap().to_owned(), subresource.to_owned())
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(manager("kubectl/scale"), pair("kubectl", "scale"));
    assert_eq!(manager("kubectl"), pair("kubectl", ""));
    assert_eq!(manager("a/b"), pair("a/b", ""));
    assert_eq!(manager("a/b/status"), pair("a/b", "status"));
}

prop_compose! {
    fn any_made()(
        name in 0_u8..40,
        cluster in 0_u8..4,
        owners in prop::collection::vec(
            prop::sample::select(vec!["hpa/scale", "kubectl-set", "nobody", "keda/scale"]), 0..4),
        reasons in prop::collection::vec(
            prop::sample::select(vec![
                "pending-upgrade", "driven-elsewhere", "invalid-manifest", "latest-failed", "unknown", "odd",
            ]), 0..3),
        drops in 0_usize..3,
    ) -> Made {
        made(&format!("eu-{cluster}/shop/r{name}"), &owners, &reasons, drops)
    }
}

/// Each release once.
fn fleet() -> impl Strategy<Value = Vec<Made>> {
    prop::collection::vec(any_made(), 0..24).prop_map(|all| {
        let by_name: BTreeMap<ReleaseId, Made> = all
            .into_iter()
            .map(|it| (it.forecast.release.clone(), it))
            .collect();
        by_name.into_values().collect()
    })
}

proptest! {
    #[test]
    fn each_held_release_counts_once_and_totals_add_up(fleet in fleet()) {
        let found = run(&fleet);
        let mut counted: BTreeMap<&ReleaseId, u64> = BTreeMap::new();
        for cause in &found.causes {
            for release in &cause.releases {
                *counted.entry(release).or_default() += 1;
            }
        }
        let held: Vec<&Made> = fleet
            .iter()
            .filter(|it| !matches!(it.forecast.outcome, ReleaseOutcome::Ready | ReleaseOutcome::Done))
            .collect();
        prop_assert_eq!(counted.len(), held.len());
        prop_assert!(counted.values().all(|count| *count == 1));
        prop_assert_eq!(found.of.len(), held.len());
        for it in &held {
            let cause = &found.of[&it.forecast.release];
            let subject = Subject { forecast: &it.forecast, chart: &it.chart };
            let gravest = gravest(&subject, &rules());
            prop_assert_eq!(gravest.as_ref(), Some(cause));
            let rows: Vec<&Cause> = found.named(&cause.cause);
            let own = |row: &&&Cause| row.outcome == it.forecast.outcome && row.releases.contains(&it.forecast.release);
            prop_assert_eq!(rows.iter().filter(own).count(), 1);
            let also = found.causes.iter().filter(|row| row.also.contains(&it.forecast.release));
            prop_assert_eq!(also.count() as u64, cause.more);
        }
        let t = found.totals;
        prop_assert_eq!(t.held, held.len() as u64);
        prop_assert_eq!(t.releases, fleet.len() as u64);
        prop_assert_eq!(t.rules.1 + t.questions.1 + t.elsewhere + t.fixes, t.held);
        prop_assert_eq!(t.causes, found.causes.len() as u64);
    }

    #[test]
    fn a_release_under_a_rules_cause_is_settled_by_rules(fleet in fleet()) {
        let found = run(&fleet);
        for cause in found.causes.iter().filter(|it| it.decides == Decides::Rule) {
            for release in &cause.releases {
                let more = found.causes.iter().filter(|it| it.also.contains(release));
                prop_assert!(more.into_iter().all(|it| it.decides == Decides::Rule));
            }
        }
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(
        (fleet, shuffled) in fleet().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))
    ) {
        prop_assert_eq!(run(&fleet), run(&shuffled));
    }

    #[test]
    fn causes_come_by_outcome_then_by_releases(fleet in fleet()) {
        let found = run(&fleet);
        let rank = |it: &Cause| (it.outcome == ReleaseOutcome::Blocked, usize::MAX - it.releases.len());
        prop_assert!(found.causes.is_sorted_by_key(rank));
    }

    #[test]
    fn no_text_panics(owner in ".*", field in ".*", detail in ".*", cause in ".*", theirs in ".*") {
        let mut odd = made("eu-1/shop/a", &["x"], &["unknown"], 0);
        odd.forecast.objects[0].active[0].owner = owner;
        odd.forecast.objects[0].active[0].field = field;
        odd.forecast.objects[0].active[0].theirs = Some(theirs);
        odd.forecast.reasons[0].detail = detail;
        odd.forecast.reasons[1].cause = cause;
        let found = run(&[odd]);
        prop_assert_eq!(found.totals.held, 1);
    }
}
