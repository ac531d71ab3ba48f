//! Two forecasts of one release, computed and told by the server: do they agree?

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Forecast, ObjectForecast, ObjectOutcome};
use crate::domain::ids::ReleaseId;
use crate::domain::object::ObjectRef;

/// What two forecasts differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Aspect {
    /// The gravest fact of an object, or the verdict on a release.
    Outcome,
    /// Active conflicts.
    Conflicts,
    /// Latent conflicts.
    Latent,
    /// Fields let go.
    Drops,
    /// Fields set back.
    Drift,
    /// The fields that the manifest would own.
    ApplySet,
    /// Why the release is held, and notes.
    Reasons,
}

impl Aspect {
    /// Its word, as in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Outcome => "outcome",
            Self::Conflicts => "conflicts",
            Self::Latent => "latent",
            Self::Drops => "drops",
            Self::Drift => "drift",
            Self::ApplySet => "applySet",
            Self::Reasons => "reasons",
        }
    }
}

/// One thing that the forecast says and the server does not, or the other way round. Values of Secrets are hidden, as
/// they are in the forecasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Disagreement {
    /// Which release.
    pub release: ReleaseId,
    /// Which object; `None` is about the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectRef>,
    /// In what.
    pub about: Aspect,
    /// What the forecast says.
    pub forecast: Value,
    /// What the server says.
    pub server: Value,
}

/// What a confirmation found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Confirmed {
    /// Releases that were compared.
    pub releases: u64,
    /// Objects of them.
    pub objects: u64,
    /// Dry runs sent for it.
    pub dry_runs: u64,
    /// Releases that moved while they were compared, and were compared again.
    pub again: u64,
    /// What does not agree.
    pub disagreements: Vec<Disagreement>,
}

/// `n` of `of` places, evenly spread and ascending; all if there are no more. O(n).
pub fn evenly(n: usize, of: usize) -> impl Iterator<Item = usize> {
    let n = n.min(of);
    (0..n).map(move |place| {
        let place = (place as u128) * (of as u128) / (n as u128);
        usize::try_from(place).unwrap_or(usize::MAX)
    })
}

/// Where `forecast` and the `server` differ. The words of a refusal may: who refuses says it in his own way. Linear.
pub fn disagreements(forecast: &Forecast, server: &Forecast) -> Vec<Disagreement> {
    let release = &forecast.release;
    let mut found = Vec::new();
    let mut report = |object: Option<&ObjectRef>, about: Aspect, left: Value, right: Value| {
        if left != right {
            found.push(Disagreement {
                release: release.clone(),
                object: object.cloned(),
                about,
                forecast: left,
                server: right,
            });
        }
    };
    for left in &forecast.objects {
        let object = Some(&left.object);
        let other = server.objects.iter().find(|it| it.object == left.object);
        let Some(right) = other else {
            let word = json!(left.outcome.word());
            report(object, Aspect::Outcome, word, Value::Null);
            continue;
        };
        for (about, of) in ASPECTS {
            report(object, about, of(left), of(right));
        }
    }
    for right in &server.objects {
        if !forecast.objects.iter().any(|it| it.object == right.object) {
            let word = json!(right.outcome.word());
            report(Some(&right.object), Aspect::Outcome, Value::Null, word);
        }
    }
    report(
        None,
        Aspect::Outcome,
        json!(forecast.outcome),
        json!(server.outcome),
    );
    // They follow from the objects, so they say something new only where these agree.
    if found.is_empty() {
        let (left, right) = (reasons(forecast), reasons(server));
        if left != right {
            found.push(Disagreement {
                release: release.clone(),
                object: None,
                about: Aspect::Reasons,
                forecast: left,
                server: right,
            });
        }
    }
    found
}

type Told = fn(&ObjectForecast) -> Value;

const ASPECTS: [(Aspect, Told); 5] = [
    (Aspect::Outcome, |it| match &it.outcome {
        ObjectOutcome::Invalid { .. } => json!({"type": "Invalid"}),
        outcome => json!(outcome),
    }),
    (Aspect::Conflicts, |it| json!(it.active)),
    (Aspect::Latent, |it| json!(it.latent)),
    (Aspect::Drops, |it| json!(it.drops)),
    (Aspect::Drift, |it| json!(it.drift)),
];

fn reasons(forecast: &Forecast) -> Value {
    let all = forecast.reasons.iter().chain(&forecast.notes);
    let without_words = all.map(|reason| {
        let detail = (reason.cause != "invalid-manifest").then_some(&reason.detail);
        json!({"cause": reason.cause, "object": reason.object, "detail": detail})
    });
    without_words.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::shadow::{Reason, ReleaseOutcome};

    fn object(name: &str, outcome: ObjectOutcome) -> ObjectForecast {
        ObjectForecast {
            object: ObjectRef {
                api_version: "v1".into(),
                kind: "ConfigMap".into(),
                namespace: Some("shop".into()),
                name: name.into(),
            },
            outcome,
            active: vec![],
            latent: vec![],
            drops: vec![],
            drift: vec![],
            values: std::collections::BTreeMap::new(),
        }
    }

    fn invalid(words: &str) -> Forecast {
        let refused = object(
            "a",
            ObjectOutcome::Invalid {
                reason: words.into(),
            },
        );
        Forecast {
            release: "eu-1/shop/web".parse().unwrap(),
            outcome: ReleaseOutcome::Blocked,
            reasons: vec![Reason {
                cause: "invalid-manifest".into(),
                object: Some(refused.object.clone()),
                detail: words.into(),
            }],
            notes: vec![],
            objects: vec![refused, object("b", ObjectOutcome::OwnershipOnly)],
        }
    }

    #[test]
    fn words_of_a_refusal_may_differ() {
        assert_eq!(disagreements(&invalid("no"), &invalid("never")), []);
    }

    #[test]
    fn each_aspect_is_a_row_of_its_own() {
        let left = invalid("no");
        let mut right = left.clone();
        right.objects[1].drift = vec![".data.a".into()];
        right.objects[1].drops = vec![".data.b".into()];
        right.objects[1].outcome = ObjectOutcome::Drift;
        right.outcome = ReleaseOutcome::Ready;
        let about =
            |found: Vec<Disagreement>| -> Vec<Aspect> { found.iter().map(|it| it.about).collect() };
        assert_eq!(
            about(disagreements(&left, &right)),
            [
                Aspect::Outcome,
                Aspect::Drops,
                Aspect::Drift,
                Aspect::Outcome
            ]
        );
        let mut fewer = left.clone();
        fewer.objects.pop();
        assert_eq!(about(disagreements(&left, &fewer)), [Aspect::Outcome]);
        assert_eq!(about(disagreements(&fewer, &left)), [Aspect::Outcome]);
        let mut noted = left.clone();
        noted.reasons[0].cause = "other".into();
        assert_eq!(about(disagreements(&left, &noted)), [Aspect::Reasons]);
    }

    proptest! {
        #[test]
        fn places_are_spread_evenly(n in 0_usize..50, of in 0_usize..200) {
            let places: Vec<usize> = evenly(n, of).collect();
            prop_assert_eq!(places.len(), n.min(of));
            prop_assert!(places.iter().all(|place| *place < of));
            let gaps: Vec<usize> = places.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let (least, most) = (gaps.iter().min().copied(), gaps.iter().max().copied());
            prop_assert!(least.is_none_or(|least| least > 0));
            prop_assert!(most.unwrap_or(0) - least.unwrap_or(0) <= 1);
        }
    }
}
