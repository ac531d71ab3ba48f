//! Makes a case small: takes away what it does not need to fail.

use serde_json::Value;

/// So many trials are enough for the objects here, and few enough for a live server.
const MAX_TRIALS: usize = 300;

/// The smallest value found by taking parts out of `value` for which `fails` still holds.
pub fn shrink(value: &Value, mut fails: impl FnMut(&Value) -> bool) -> Value {
    let mut smallest = value.clone();
    let mut trials = 0;
    loop {
        let mut found = false;
        for place in places(&smallest) {
            if trials == MAX_TRIALS {
                return smallest;
            }
            let mut smaller = smallest.clone();
            if !take(&mut smaller, &place) {
                continue;
            }
            trials += 1;
            if fails(&smaller) {
                smallest = smaller;
                found = true;
            }
        }
        if !found {
            return smallest;
        }
    }
}

/// All places in a value as JSON pointers, each before those below it.
pub fn places(value: &Value) -> Vec<String> {
    let mut places = Vec::new();
    collect(value, &mut String::new(), &mut places);
    places
}

fn collect(value: &Value, at: &mut String, out: &mut Vec<String>) {
    let mut go = |step: &str, child: &Value| {
        let length = at.len();
        at.push('/');
        at.push_str(&step.replace('~', "~0").replace('/', "~1"));
        out.push(at.clone());
        collect(child, at, out);
        at.truncate(length);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, child)| go(key, child)),
        // From the end, so that what is taken out moves nothing that comes later.
        Value::Array(items) => items
            .iter()
            .enumerate()
            .rev()
            .for_each(|(i, child)| go(&i.to_string(), child)),
        _ => {}
    }
}

/// Takes out what is at a JSON pointer; false if nothing is there.
pub fn take(value: &mut Value, pointer: &str) -> bool {
    let Some((parent, last)) = pointer.rsplit_once('/') else {
        return false;
    };
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => map
            .remove(&last.replace("~1", "/").replace("~0", "~"))
            .is_some(),
        Some(Value::Array(items)) => match last.parse::<usize>() {
            Ok(i) if i < items.len() => {
                items.remove(i);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_needed_stays() {
        let value = json!({"a": {"b/c": [1, 2, {"x": null}]}, "d": "e", "f": []});
        let small = shrink(&value, |v| v["a"]["b/c"].to_string().contains("\"x\""));
        assert_eq!(small, json!({"a": {"b/c": [{"x": null}]}}));
    }
}
