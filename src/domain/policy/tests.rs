//! Rules over made-up forecasts: first match wins, defaults hold, settling changes outcomes and nothing else.

use std::collections::BTreeMap;

use managed_fields::FieldSet;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::fleet::{PolicyAction as Action, PolicyRule, PolicyTopic as Topic};
use crate::domain::ids::ReleaseId;
use crate::domain::object::ObjectRef;
use crate::domain::release::ChartRef;
use crate::domain::shadow::{
    Conflict, Forecast, ObjectForecast, ObjectOutcome, ReleaseFacts, ReleaseOutcome, judge,
};
use crate::domain::transfer::Share;

fn object(name: &str) -> ObjectRef {
    ObjectRef {
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        namespace: Some("shop".into()),
        name: name.into(),
    }
}

fn conflict(field: &str, owner: &str) -> Conflict {
    Conflict {
        field: field.into(),
        owner: owner.into(),
        since: None,
        theirs: None,
        ours: None,
    }
}

fn forecast_of(active: Vec<Conflict>, latent: Vec<Conflict>, drops: &[&str]) -> Forecast {
    let facts = ReleaseFacts {
        release: release(),
        last_status: "deployed".into(),
        has_deployed: true,
        records_ssa: false,
        driven_by: None,
    };
    let outcome = if active.is_empty() {
        ObjectOutcome::OwnershipOnly
    } else {
        ObjectOutcome::Conflict
    };
    let object = ObjectForecast {
        object: object("web"),
        outcome,
        active,
        latent,
        drops: drops.iter().map(|&field| field.to_owned()).collect(),
        drift: vec![],
        values: BTreeMap::new(),
    };
    judge(&facts, vec![object], vec![])
}

fn release() -> ReleaseId {
    "eu-1/shop/web".parse().unwrap()
}

fn rule(place: &str, action: Action) -> PolicyRule {
    PolicyRule {
        place: place.into(),
        kind: vec![],
        field: vec![],
        owner: vec![],
        namespace: vec![],
        labels: BTreeMap::new(),
        chart: vec![],
        action,
        why: Some("because".into()),
    }
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn decided(rules: &[PolicyRule], forecast: &Forecast, targets: &ScaleTargets) -> Vec<Decision> {
    let book = Book::new(rules).unwrap();
    let chart = ChartRef {
        name: "web".into(),
        version: "1.2.3".into(),
    };
    let labels = [("env".to_owned(), "prod".to_owned())].into();
    let release = release();
    let case = Case {
        release: &release,
        chart: &chart,
        labels: &labels,
    };
    let objects = forecast.objects.iter();
    objects
        .flat_map(|object| decide(&book, &case, object, None, targets))
        .collect()
}

fn outcome(rules: &[PolicyRule], forecast: &Forecast) -> ReleaseOutcome {
    let decisions = decided(rules, forecast, &ScaleTargets::default());
    settle(forecast.clone(), &decisions).forecast.outcome
}

#[test]
fn the_first_rule_that_matches_decides() {
    let forecast = forecast_of(
        vec![
            conflict(".spec.replicas", "kube-controller-manager/scale"),
            conflict(
                ".spec.template.spec.containers[name=\"web\"].image",
                "kubectl-set",
            ),
        ],
        vec![],
        &[],
    );
    let yielding = PolicyRule {
        field: texts(&[".spec.replicas"]),
        owner: texts(&["*/scale"]),
        ..rule("fleet.toml:1", Action::Yield)
    };
    let adopting = PolicyRule {
        owner: texts(&["kubectl-*"]),
        ..rule("fleet.toml:2", Action::AdoptLive)
    };
    let failing = rule("fleet.toml:3", Action::Fail);
    assert_eq!(outcome(&[], &forecast), ReleaseOutcome::NeedsChoice);
    assert_eq!(
        outcome(std::slice::from_ref(&yielding), &forecast),
        ReleaseOutcome::NeedsChoice
    );
    let both = [yielding.clone(), adopting.clone(), failing.clone()];
    assert_eq!(outcome(&both, &forecast), ReleaseOutcome::Ready);
    let other_way = [failing, yielding, adopting];
    assert_eq!(outcome(&other_way, &forecast), ReleaseOutcome::Blocked);
    let decisions = decided(&both, &forecast, &ScaleTargets::default());
    let places: Vec<&str> = decisions
        .iter()
        .map(|it| it.rule.as_ref().unwrap().place.as_str())
        .collect();
    assert_eq!(places, ["fleet.toml:1", "fleet.toml:2"]);
    let settled = settle(forecast, &decisions).forecast;
    assert!(settled.reasons.is_empty());
    assert_eq!(
        settled
            .notes
            .iter()
            .map(|it| it.cause.as_str())
            .collect::<Vec<_>>(),
        ["yield", "adopt-live"]
    );
    assert!(settled.notes[0].detail.ends_with("fleet.toml:1: because"));
}

#[test]
fn every_key_narrows() {
    let forecast = forecast_of(vec![conflict(".spec.replicas", "hpa/scale")], vec![], &[]);
    let base = || rule("p", Action::Yield);
    let matching = [
        PolicyRule {
            kind: texts(&["deployment"]),
            ..base()
        },
        PolicyRule {
            kind: texts(&["Deployment.apps", "x"]),
            ..base()
        },
        PolicyRule {
            field: texts(&[".spec.*"]),
            ..base()
        },
        PolicyRule {
            owner: texts(&["hpa/*"]),
            ..base()
        },
        PolicyRule {
            owner: texts(&["*"]),
            ..base()
        },
        PolicyRule {
            namespace: texts(&["sh*"]),
            ..base()
        },
        PolicyRule {
            chart: texts(&["web"]),
            ..base()
        },
        PolicyRule {
            chart: texts(&["web-1.*"]),
            ..base()
        },
        PolicyRule {
            labels: [("env".into(), "pr*".into())].into(),
            ..base()
        },
    ];
    for rule in matching {
        assert_eq!(
            outcome(std::slice::from_ref(&rule), &forecast),
            ReleaseOutcome::Ready,
            "{rule:?}"
        );
    }
    let others = [
        PolicyRule {
            kind: texts(&["StatefulSet"]),
            ..base()
        },
        PolicyRule {
            kind: texts(&["Deployment.example.com"]),
            ..base()
        },
        PolicyRule {
            field: texts(&[".spec.template"]),
            ..base()
        },
        PolicyRule {
            owner: texts(&["hpa"]),
            ..base()
        },
        PolicyRule {
            owner: texts(&["hpa*"]),
            ..base()
        },
        PolicyRule {
            namespace: texts(&["web"]),
            ..base()
        },
        PolicyRule {
            chart: texts(&["web-2*"]),
            ..base()
        },
        PolicyRule {
            labels: [("env".into(), "stage".into())].into(),
            ..base()
        },
        PolicyRule {
            labels: [("region".into(), "*".into())].into(),
            ..base()
        },
        rule("p", Action::LetGo),
    ];
    for rule in others {
        assert_eq!(
            outcome(std::slice::from_ref(&rule), &forecast),
            ReleaseOutcome::NeedsChoice,
            "{rule:?}"
        );
    }
    let bad = PolicyRule {
        field: texts(&["spec"]),
        ..base()
    };
    assert!(Book::new(&[bad]).is_err());
}

#[test]
fn latent_conflicts_are_adopted_or_left_alone() {
    let forecast = forecast_of(
        vec![],
        vec![conflict(".metadata.labels.team", "kubectl-label")],
        &[],
    );
    for action in [
        Action::Hold,
        Action::Fail,
        Action::Retry,
        Action::Yield,
        Action::Take,
    ] {
        let rules = [rule("p", action)];
        assert!(decided(&rules, &forecast, &ScaleTargets::default()).is_empty());
        assert_eq!(outcome(&rules, &forecast), ReleaseOutcome::Ready);
    }
    let rules = [rule("p", Action::AdoptLive)];
    let decisions = decided(&rules, &forecast, &ScaleTargets::default());
    let share = Share {
        owner: "kubectl-label".into(),
        field: ".metadata.labels.team".into(),
    };
    assert_eq!(
        terms(&forecast.objects[0], &decisions).take_over,
        [share].into()
    );
    let notes = settle(forecast, &decisions).forecast.notes;
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].cause, "adopt-live");
}

#[test]
fn replicas_are_not_adopted_from_an_autoscaler() {
    let forecast = forecast_of(
        vec![conflict(".spec.replicas", "kubectl/scale")],
        vec![],
        &[],
    );
    let rules = [rule("fleet.toml:7", Action::AdoptLive)];
    assert_eq!(outcome(&rules, &forecast), ReleaseOutcome::Ready);
    let mut targets = ScaleTargets::default();
    targets.add(&json!({"kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}}));
    targets.add(&json!({"kind": "ScaledObject", "metadata": {"name": "x", "namespace": "shop"}}));
    let decisions = decided(&rules, &forecast, &targets);
    assert!(terms(&forecast.objects[0], &decisions).is_empty());
    let settled = settle(forecast, &decisions).forecast;
    assert_eq!(settled.outcome, ReleaseOutcome::NeedsChoice);
    let why = &settled.reasons[0].detail;
    assert!(
        why.contains("HorizontalPodAutoscaler web") && why.contains("fleet.toml:7"),
        "{why}"
    );
}

#[test]
fn drops_are_kept_as_whole_items_or_not_at_all() {
    let name = ".spec.env[name=\"OLD\"].name";
    let value = ".spec.env[name=\"OLD\"].value";
    let forecast = forecast_of(vec![], vec![], &[name, value, ".metadata.labels.x"]);
    let whole = PolicyRule {
        field: texts(&[".spec.env[name=OLD]"]),
        ..rule("p", Action::PruneNext)
    };
    let decisions = decided(&[whole], &forecast, &ScaleTargets::default());
    let kept = terms(&forecast.objects[0], &decisions);
    assert_eq!(
        kept.keep,
        [name, value, ".spec.env[name=\"OLD\"]"]
            .map(str::to_owned)
            .into()
    );
    let all = with_defaults(&forecast, &decisions);
    let actions: Vec<Action> = all.iter().map(|it| it.action).collect();
    assert_eq!(
        actions,
        [Action::PruneNext, Action::PruneNext, Action::LetGo]
    );
    let part = PolicyRule {
        field: texts(&[".**.value"]),
        ..rule("p", Action::Pin)
    };
    let decisions = decided(&[part], &forecast, &ScaleTargets::default());
    let pinned = terms(&forecast.objects[0], &decisions).pin;
    assert_eq!(pinned, [value.to_owned()].into());
}

#[test]
fn value_changes_are_refused_and_say_so() {
    let forecast = forecast_of(vec![conflict(".spec.replicas", "x")], vec![], &[".spec.a"]);
    let rules = [rule("p:1", Action::Take), rule("p:2", Action::Prune)];
    let decisions = decided(&rules, &forecast, &ScaleTargets::default());
    assert!(decisions.iter().all(|it| it.refused.is_some()));
    assert!(terms(&forecast.objects[0], &decisions).is_empty());
    let settled = settle(forecast, &decisions).forecast;
    assert_eq!(settled.outcome, ReleaseOutcome::NeedsChoice);
    assert_eq!(settled.reasons.len(), 2);
    let teaches = |reason: &crate::domain::shadow::Reason| reason.detail.contains("openssl rand");
    assert!(settled.reasons.iter().all(teaches));
}

#[test]
fn with_a_key_values_are_changed() {
    let forecast = forecast_of(vec![conflict(".spec.replicas", "x")], vec![], &[".spec.a"]);
    let rules = [rule("p:1", Action::Take), rule("p:2", Action::Prune)];
    let book = Book::new(&rules).unwrap().with_values(true);
    assert_eq!(book.enforces().unwrap().place, "p:1");
    let labels = BTreeMap::new();
    let release = release();
    let chart = ChartRef {
        name: "web".into(),
        version: "1".into(),
    };
    let case = Case {
        release: &release,
        chart: &chart,
        labels: &labels,
    };
    let object = &forecast.objects[0];
    let mut decisions = decide(&book, &case, object, None, &ScaleTargets::default());
    let share = Share {
        owner: "x".into(),
        field: ".spec.replicas".into(),
    };
    assert_eq!(terms(object, &decisions).take_over, [share].into());
    assert_eq!(
        settle(forecast.clone(), &decisions).forecast.outcome,
        ReleaseOutcome::Ready
    );
    // A drop that cannot be pruned holds the release: it is not let go in silence.
    decisions[1].refuse("kubectl owns it too");
    assert_eq!(
        settle(forecast, &decisions).forecast.outcome,
        ReleaseOutcome::NeedsChoice
    );
}

fn with_dead_entries(api_version: &str) -> Forecast {
    let mut forecast = forecast_of(vec![], vec![], &[]);
    let mut object = forecast.objects.remove(0);
    object.object.api_version = api_version.into();
    object.outcome = ObjectOutcome::DeadEntries {
        entries: texts(&["operator (Update, d6.io/v1alpha1)"]),
    };
    let facts = ReleaseFacts {
        release: release(),
        last_status: "deployed".into(),
        has_deployed: true,
        records_ssa: false,
        driven_by: None,
    };
    judge(&facts, vec![object], vec![])
}

#[test]
fn dead_entries_are_held_until_a_rule_repairs_them_for_good() {
    let forecast = with_dead_entries("d6.io/v1");
    assert_eq!(outcome(&[], &forecast), ReleaseOutcome::NeedsChoice);
    // Rules about conflicts say nothing about them, but for those that hold and block whatever they meet.
    for (action, expected) in [
        (Action::AdoptLive, ReleaseOutcome::NeedsChoice),
        (Action::Hold, ReleaseOutcome::NeedsChoice),
        (Action::Fail, ReleaseOutcome::Blocked),
    ] {
        assert_eq!(
            outcome(&[rule("p", action)], &forecast),
            expected,
            "{action}"
        );
    }
    let decide_with = |set: Option<&FieldSet>| {
        let rules = [rule("p:1", Action::AdoptLive), rule("p:2", Action::Repair)];
        let book = Book::new(&rules).unwrap();
        let chart = ChartRef {
            name: "web".into(),
            version: "1.2.3".into(),
        };
        let (labels, release) = (BTreeMap::new(), release());
        let case = Case {
            release: &release,
            chart: &chart,
            labels: &labels,
        };
        let object = &forecast.objects[0];
        decide(&book, &case, object, set, &ScaleTargets::default())
    };
    // What Helm would own must be known.
    let refused = decide_with(None);
    assert!(refused[0].refused.is_some() && !refused[0].irreversible);
    let held = settle(forecast.clone(), &refused).forecast;
    assert_eq!(held.outcome, ReleaseOutcome::NeedsChoice);
    assert!(!terms(&forecast.objects[0], &refused).repair);
    let repaired = decide_with(Some(&FieldSet::new()));
    assert_eq!(repaired.len(), 1);
    assert!(repaired[0].irreversible && repaired[0].subject == Subject::Dead);
    assert!(terms(&forecast.objects[0], &repaired).repair);
    let settled = settle(forecast.clone(), &repaired).forecast;
    assert_eq!(settled.outcome, ReleaseOutcome::Ready);
    assert_eq!(settled.notes[0].cause, "repair");
    let detail = &settled.notes[0].detail;
    assert!(
        detail.starts_with("irreversible: ") && detail.contains("d6.io/v1alpha1"),
        "{detail}"
    );
    // A run that finds them where its plan saw none does nothing.
    assert_eq!(unplanned(&[], &repaired), [&repaired[0]]);
    assert_eq!(with_defaults(&forecast, &[])[0].action, Action::Hold);
    // The server drops those of built-in objects by itself: nothing is decided.
    let built_in = with_dead_entries("apps/v1");
    assert_eq!(outcome(&[], &built_in), ReleaseOutcome::Ready);
    assert_eq!(built_in.notes[0].cause, "dead-entries");
    assert!(
        decided(
            &[rule("p", Action::Repair)],
            &built_in,
            &ScaleTargets::default()
        )
        .is_empty()
    );
}

#[test]
fn drift_holds_a_custom_resource_also_below_its_dead_entries() {
    let mut object = with_dead_entries("d6.io/v1").objects.remove(0);
    object.drift = texts(&[".spec.a"]);
    let facts = ReleaseFacts {
        release: release(),
        last_status: "deployed".into(),
        has_deployed: true,
        records_ssa: false,
        driven_by: None,
    };
    let forecast = judge(&facts, vec![object], vec![]);
    let causes: Vec<&str> = forecast.reasons.iter().map(|it| &*it.cause).collect();
    assert_eq!(causes, ["dead-entries", "custom-resource-drift"]);
}

#[test]
fn retry_is_planned_and_remembered() {
    let forecast = forecast_of(vec![conflict(".spec.replicas", "x")], vec![], &[]);
    let decisions = decided(
        &[rule("p:1", Action::Retry)],
        &forecast,
        &ScaleTargets::default(),
    );
    let settled = settle(forecast, &decisions);
    assert_eq!(settled.forecast.outcome, ReleaseOutcome::Ready);
    assert_eq!(settled.retry.len(), 1);
}

#[test]
fn a_run_does_at_most_what_its_plan_shows() {
    let forecast = forecast_of(
        vec![conflict(".spec.replicas", "x"), conflict(".spec.a", "y")],
        vec![],
        &[],
    );
    let all = decided(
        &[rule("p", Action::AdoptLive)],
        &forecast,
        &ScaleTargets::default(),
    );
    assert!(unplanned(&all, &all[..1]).is_empty());
    assert_eq!(unplanned(&all[..1], &all), [&all[1]]);
    let other = decided(
        &[rule("p", Action::Yield)],
        &forecast,
        &ScaleTargets::default(),
    );
    assert_eq!(unplanned(&all, &other).len(), 2);
    let held = decided(
        &[rule("p", Action::Hold)],
        &forecast,
        &ScaleTargets::default(),
    );
    assert!(unplanned(&[], &held).is_empty());
}

proptest! {
    /// Without rules nothing changes; with rules only outcome, reasons and notes do; a blocked release stays blocked.
    #[test]
    fn settling_keeps_the_facts(
        owners in prop::collection::vec("[a-c]", 0..4),
        drops in prop::collection::vec("\\.[a-c]", 0..3),
        actions in prop::collection::vec(prop::sample::select(Action::ALL.to_vec()), 0..4),
        blocked in any::<bool>(),
    ) {
        let active: Vec<Conflict> = owners.iter().enumerate().map(|(at, owner)| conflict(&format!(".f{at}"), owner)).collect();
        let drops: Vec<&str> = drops.iter().map(String::as_str).collect();
        let mut forecast = forecast_of(active, vec![], &drops);
        if blocked {
            forecast.outcome = ReleaseOutcome::Blocked;
            forecast.reasons.insert(0, crate::domain::shadow::Reason { cause: "admission".into(), object: None, detail: "x".into() });
        }
        prop_assert_eq!(&settle(forecast.clone(), &[]).forecast, &forecast);
        let rules: Vec<PolicyRule> = actions.iter().enumerate().map(|(at, action)| PolicyRule {
            owner: if action.topic() == Topic::Conflict { vec![["a", "b", "c", "*"][at % 4].to_owned()] } else { vec![] },
            ..rule("p", *action)
        }).collect();
        let decisions = decided(&rules, &forecast, &ScaleTargets::default());
        let settled = settle(forecast.clone(), &decisions).forecast;
        prop_assert_eq!(&settled.objects, &forecast.objects);
        if blocked {
            prop_assert_eq!(settled.outcome, ReleaseOutcome::Blocked);
        }
        prop_assert_eq!(settled.reasons.is_empty(), matches!(settled.outcome, ReleaseOutcome::Ready | ReleaseOutcome::Done));
        // Every active conflict is either a reason or a note; a prune that is refused is a reason besides.
        let of_drops = |it: &&crate::domain::shadow::Reason| it.cause == "refused-by-policy";
        let told = settled.reasons.len() - settled.reasons.iter().filter(of_drops).count() + settled.notes.iter().filter(|it| it.detail.contains("another value")).count();
        prop_assert_eq!(told, owners.len() + usize::from(blocked));
    }
}
