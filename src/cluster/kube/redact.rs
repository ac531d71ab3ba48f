//! Takes values out of the server's words about a Secret or a release record.
//!
//! The API server quotes what it refuses (`Invalid value: "hunter2"`), the apply machinery prints it bare
//! (`expected string, got &value.valueUnstructured{Value:123}`), and an admission webhook may say anything. What stays: names
//! that the caller gave, field paths, reasons.

/// What stands for a value.
const GONE: &str = "(redacted)";

/// After these words the rest of the message is somebody's free text, or an unquoted value.
const CUT_AFTER: [&str; 9] = [
    "denied the request:",
    "denied request:",
    "Invalid value:",
    "Unsupported value:",
    "Duplicate value:",
    ", got ",
    "cannot unmarshal",
    "invalid character",
    "duplicate entries for key",
];

/// What the server quotes after these words is a name of its own: of a policy, a webhook, a user, a kind.
const NAMES_FOLLOW: [&str; 9] = [
    "ValidatingAdmissionPolicy ",
    "with binding ",
    "admission webhook ",
    "calling webhook ",
    "User ",
    "resource ",
    "subresource ",
    "API group ",
    "namespace ",
];

/// The message without values; quoted texts stay if they are among `known`.
///
/// Linear in the message's length times the number of known names.
pub(super) fn redact(message: &str, known: &[&str]) -> String {
    let cut = CUT_AFTER
        .iter()
        .filter_map(|words| message.find(words).map(|at| at + words.len()))
        .min();
    let (head, was_cut) = match cut {
        Some(at) => (&message[..at], !message[at..].trim().is_empty()),
        None => (message, false),
    };
    let mut text = unquote(head, known);
    if was_cut {
        text = format!("{} {GONE}", text.trim_end());
    }
    text
}

/// Replaces each quoted text that is not known. A quotation without an end runs to the end of the message.
fn unquote(text: &str, known: &[&str]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['"', '`', '\'']) {
        let quote = &rest[at..=at];
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        out.push_str(before);
        // An apostrophe inside a word (`object's`) opens no quotation.
        if quote == "'" && before.ends_with(char::is_alphanumeric) {
            out.push_str(quote);
            rest = after;
            continue;
        }
        let end = closing(after, quote);
        let inside = &after[..end.unwrap_or(after.len())];
        out.push_str(quote);
        let named =
            known.contains(&inside) || NAMES_FOLLOW.iter().any(|words| before.ends_with(words));
        out.push_str(if named { inside } else { GONE });
        out.push_str(quote);
        rest = end.map_or("", |end| &after[end + 1..]);
    }
    out.push_str(rest);
    out
}

/// Where the quotation ends: an escaped quote (`\"`) does not end it.
fn closing(text: &str, quote: &str) -> Option<usize> {
    let quote = quote.as_bytes().first()?;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            byte if byte == *quote => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_stay_and_values_go() {
        let cases = [
            (r#"secrets "db" not found"#, r#"secrets "db" not found"#),
            (
                r#"Secret "db" is invalid: data[k]: Invalid value: "hunter2": too short"#,
                r#"Secret "db" is invalid: data[k]: Invalid value: (redacted)"#,
            ),
            (
                r#"Secret "db" is invalid: type: Invalid value: db: immutable"#,
                r#"Secret "db" is invalid: type: Invalid value: (redacted)"#,
            ),
            (
                r#"admission webhook "v.example" denied the request: hunter2 is weak"#,
                r#"admission webhook "v.example" denied the request: (redacted)"#,
            ),
            (
                "failed to create typed patch object (shop/db; /v1, Kind=Secret): .data.k: expected string, got &value.valueUnstructured{Value:123}",
                "failed to create typed patch object (shop/db; /v1, Kind=Secret): .data.k: expected string, got (redacted)",
            ),
            (
                r#"secrets "db" is forbidden: User "ops" cannot get resource "secrets" in API group "" in the namespace "shop""#,
                r#"secrets "db" is forbidden: User "ops" cannot get resource "secrets" in API group "" in the namespace "shop""#,
            ),
            (
                "secrets \"db\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: the value is aHVudGVyMg==",
                "secrets \"db\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: (redacted)",
            ),
            (r#"open "a \" hunter2" end"#, r#"open "(redacted)" end"#),
            (
                "the object's key 'hunter2' is bad",
                "the object's key '(redacted)' is bad",
            ),
            (r#"no end "hunter2"#, r#"no end "(redacted)""#),
        ];
        for (message, wanted) in cases {
            assert_eq!(
                redact(message, &["db", "secrets", "Secret", "shop"]),
                wanted,
                "{message}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_quoted_or_cut_value_survives(
            value in "[a-z]{12,20}",
            (head, tail) in prop::sample::select(vec![
                (r#"Secret "db" is invalid: data[k]: Invalid value: ""#, r#"": must not"#),
                ("Unsupported value: ", ": supported values: "),
                (r#"admission webhook "w" denied the request: "#, ""),
                ("ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ", " is weak"),
                (".data.k: expected string, got &{", "}"),
                ("`", "`"), ("'", "'"), ("\"", "\""), ("\"\\\"", "\""),
            ]),
        ) {
            let text = redact(&format!("{head}{value}{tail}"), &["db"]);
            prop_assert!(!text.contains(&value), "{}", text);
        }

        #[test]
        fn any_text_is_taken(message in any::<String>()) {
            let _ = redact(&message, &["db"]);
        }
    }
}
