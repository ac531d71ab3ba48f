//! A forecast against the server's own: facts, and the fields that each manifest would own.

use serde_json::{Value, json};

use super::probe::Prepared;
use crate::domain::shadow::{Aspect, Disagreement, disagreements};

/// Where they differ. What is prepared for a write must be the same objects with the same apply sets, but for objects
/// whose facts differ already.
pub fn compare(forecast: &Prepared, server: &Prepared) -> Vec<Disagreement> {
    let mut found = disagreements(&forecast.forecast, &server.forecast);
    let release = &forecast.forecast.release;
    for left in &forecast.objects {
        let object = &left.object;
        let right = server.objects.iter().find(|it| it.object == *object);
        let differ = right.is_none_or(|right| right.apply_set != left.apply_set);
        let known = found.iter().any(|it| it.object.as_ref() == Some(object));
        if differ && !known {
            found.push(Disagreement {
                release: release.clone(),
                object: Some(object.clone()),
                about: Aspect::ApplySet,
                forecast: json!(left.apply_set.fields.to_string()),
                server: right.map_or(Value::Null, |it| json!(it.apply_set.fields.to_string())),
            });
        }
    }
    found
}
