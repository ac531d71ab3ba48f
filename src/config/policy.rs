//! `[[policy]]`: what happens to conflicts and drops, rule by rule.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::{Warning, schema};
use crate::domain::fleet::{PolicyAction as Action, PolicyRule, PolicyTopic as Topic};
use crate::domain::policy::Book;
use crate::toml_file::{Entry, ProblemKind, Problems, Section, Source, closest};

/// Reads all rules, in their order.
pub(super) fn policies(
    entry: &Entry<'_>,
    source: &Source<'_>,
    problems: &mut Problems,
    warnings: &mut Vec<Warning>,
) -> Vec<PolicyRule> {
    if entry.is_table() {
        let message = "write [[policy]], with two brackets";
        entry.flaw_at(problems, entry.key.clone(), message);
        return Vec::new();
    }
    let mut rules: Vec<PolicyRule> = Vec::new();
    for item in entry.array(problems).unwrap_or_default() {
        let DeValue::Table(table) = item.get_ref() else {
            entry.flaw_at(problems, item.span(), "write each under [[policy]]");
            continue;
        };
        let section = Section::open(table, item.span(), &schema::POLICY, problems);
        if let Some(rule) = rule(&section, source, problems, warnings) {
            let clash = clash(&rules, &rule);
            if let Some(message) = clash {
                let key = section.get(rule.action.topic().key());
                let place = key.map_or(section.span.clone(), |entry| entry.span());
                problems.add(place.clone(), place, ProblemKind::Invalid(message));
            }
            rules.push(rule);
        }
    }
    rules
}

fn rule(
    section: &Section<'_>,
    source: &Source<'_>,
    problems: &mut Problems,
    warnings: &mut Vec<Warning>,
) -> Option<PolicyRule> {
    let line = source.place(section.span.start).0;
    let action = action(section, problems);
    let mut globs = |key: &str| texts(section, key, problems);
    let rule = PolicyRule {
        place: format!("{}:{line}", source.file(section.span.start)),
        kind: globs("kind"),
        field: globs("field"),
        owner: globs("owner"),
        namespace: globs("namespace"),
        chart: globs("chart"),
        labels: section
            .get("labels")
            .map_or_else(BTreeMap::new, |entry| labels(&entry, problems)),
        action: action?,
        why: section
            .get("why")
            .and_then(|entry| entry.text(problems))
            .map(str::to_owned),
    };
    if rule.why.is_none() && section.get("why").is_none() {
        warnings.push(Warning {
            line,
            text: format!("policy \"{}\" does not say why", rule.action),
            next: "add why = \"…\": it is printed wherever the rule decides".to_owned(),
        });
    }
    if let Some((key, message)) = unfit(&rule) {
        let about = section.get(key);
        let place = about.map_or(section.span.clone(), |entry| entry.span());
        problems.add(place.clone(), place, ProblemKind::Invalid(message));
    }
    Some(rule)
}

/// The one action of a rule, under its one key.
fn action(section: &Section<'_>, problems: &mut Problems) -> Option<Action> {
    let (entry, topic) = match (section.get("conflict"), section.get("drop")) {
        (Some(entry), None) => (entry, Topic::Conflict),
        (None, Some(entry)) => (entry, Topic::Drop),
        (Some(_), Some(both)) => {
            let message = "either conflict or drop, not both: write two rules";
            problems.add(
                both.key.clone(),
                both.span(),
                ProblemKind::Invalid(message.to_owned()),
            );
            return None;
        }
        (None, None) => {
            let message = "what shall this rule do? add conflict = \"…\" or drop = \"…\"";
            let span = section.span.clone();
            problems.add(span.clone(), span, ProblemKind::Missing(message.to_owned()));
            return None;
        }
    };
    let word = entry.text(problems)?;
    match Action::of_word(word) {
        Some(action) if action.topic() == topic => Some(action),
        Some(action) => {
            let message = format!("{action} goes under {}", action.topic().key());
            entry.flaw(problems, message);
            None
        }
        None => {
            let words = || {
                Action::ALL
                    .into_iter()
                    .filter(|action| action.topic() == topic)
                    .map(Action::word)
            };
            let begun = words().find(|known| known.starts_with(word));
            let message = match begun.or_else(|| closest(word, words())) {
                Some(guess) => format!("no such action: {word}; did you mean {guess}?"),
                None => {
                    let all: Vec<&str> = words().collect();
                    format!("no such action: {word}; there are {}", all.join(", "))
                }
            };
            entry.flaw(problems, message);
            None
        }
    }
}

/// Globs or paths of one key, each looked at by itself so that its flaw has its place.
fn texts(section: &Section<'_>, key: &str, problems: &mut Problems) -> Vec<String> {
    let Some(entry) = section.get(key) else {
        return Vec::new();
    };
    let mut kept = Vec::new();
    for (text, place) in entry.one_or_more(problems) {
        match flaw(key, text) {
            Some(message) => entry.flaw_at(problems, place, message),
            None => kept.push(text.to_owned()),
        }
    }
    kept
}

/// A rule with this key alone: does it compile?
fn flaw(key: &str, text: &str) -> Option<String> {
    let mut rule = blank();
    let place = match key {
        "kind" => &mut rule.kind,
        "field" => &mut rule.field,
        "owner" => &mut rule.owner,
        "namespace" => &mut rule.namespace,
        _ => &mut rule.chart,
    };
    place.push(text.to_owned());
    Book::new(&[rule]).err().map(|error| error.reason)
}

fn labels(entry: &Entry<'_>, problems: &mut Problems) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for (key, value) in entry.entries(problems) {
        let Some(text) = value.any_text(problems) else {
            continue;
        };
        let mut rule = blank();
        rule.labels.insert(key.to_owned(), text.to_owned());
        match Book::new(&[rule]) {
            Err(error) => value.flaw(problems, error.reason),
            Ok(_) => drop(labels.insert(key.to_owned(), text.to_owned())),
        }
    }
    labels
}

fn blank() -> PolicyRule {
    PolicyRule {
        place: String::new(),
        kind: Vec::new(),
        field: Vec::new(),
        owner: Vec::new(),
        namespace: Vec::new(),
        labels: BTreeMap::new(),
        chart: Vec::new(),
        action: Action::Hold,
        why: None,
    }
}

/// A rule about everything: the end of the rules in mode `enforce`.
pub(super) fn catch_all(place: String, action: Action) -> PolicyRule {
    PolicyRule {
        place,
        action,
        why: Some("mode = \"enforce\"".to_owned()),
        ..blank()
    }
}

/// Keys that do not go together: the key to show, and why.
fn unfit(rule: &PolicyRule) -> Option<(&'static str, String)> {
    if rule.action.topic() == Topic::Drop && !rule.owner.is_empty() {
        return Some((
            "owner",
            "a drop has no other owner: owner goes with conflict".to_owned(),
        ));
    }
    if rule.action == Action::Repair {
        for (key, globs) in [("field", &rule.field), ("owner", &rule.owner)] {
            if !globs.is_empty() {
                let message = format!(
                    "repair is about whole objects: kind, namespace, chart and labels choose them, not {key}"
                );
                return Some((key, message));
            }
        }
    }
    let narrow = rule.action == Action::Shed || rule.action.changes_values();
    if narrow && rule.field.is_empty() {
        return Some((
            rule.action.topic().key(),
            format!(
                "{} needs field: without it every field would be meant",
                rule.action
            ),
        ));
    }
    None
}

/// Why a rule can never decide, if so.
fn clash(earlier: &[PolicyRule], rule: &PolicyRule) -> Option<String> {
    let same = earlier.iter().find(|other| other.asks_like(rule));
    if let Some(other) = same {
        let does = if other.action == rule.action {
            "says the same"
        } else {
            "decides this already"
        };
        return Some(format!(
            "the rule at {} {does}: the first that matches decides",
            other.place
        ));
    }
    let all = earlier
        .iter()
        .find(|other| other.takes_all() && other.action.is_asked_before(rule.action))?;
    Some(format!(
        "the rule at {} matches everything, so this one never decides: move it up",
        all.place
    ))
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{flaws, load_acme};
    use crate::domain::fleet::PolicyAction as Action;

    const FLEET: &str = "[fleet]\nname = \"acme\"\n[[clusters]]\ncontexts = \"acme-*\"\n";

    fn flaws_of(rules: &str) -> Vec<String> {
        flaws(&format!("{FLEET}{rules}"))
    }

    #[test]
    fn rules_keep_their_order_and_places() {
        let text = format!(
            "{FLEET}[[policy]]\nfield = \".spec.replicas\"\nowner = \"*/scale\"\nconflict = \"yield\"\nwhy = \"autoscaled\"\n\
             [[policy]]\nkind = [\"Deployment\", \"*.apps\"]\nlabels = {{ env = \"prod\" }}\nchart = \"web-*\"\nnamespace = \"shop\"\n\
             conflict = \"adopt-live\"\nwhy = \"x\"\n[[policy]]\nfield = [\".metadata.labels.*\"]\ndrop = \"prune-next\"\n"
        );
        let loaded = load_acme(&text).unwrap();
        let rules = &loaded.fleet.policies;
        let actions: Vec<Action> = rules.iter().map(|rule| rule.action).collect();
        assert_eq!(
            actions,
            [Action::Yield, Action::AdoptLive, Action::PruneNext]
        );
        assert_eq!(rules[0].place, "fleet.toml:5");
        assert_eq!(rules[0].why.as_deref(), Some("autoscaled"));
        assert_eq!(rules[1].kind.len(), 2);
        assert_eq!(rules[1].labels["env"], "prod");
        assert_eq!(loaded.warnings.len(), 1);
        assert!(loaded.warnings[0].text.contains("does not say why"));
        assert_eq!(loaded.warnings[0].line, 17);
    }

    #[test]
    fn every_flaw_has_its_place() {
        for (rule, message) in [
            (
                "field = \"spec\"\nconflict = \"yield\"",
                "6:9 \"spec\" is no field path: it begins with a dot",
            ),
            (
                "field = [\".a\", \".b[\"]\nconflict = \"hold\"",
                "6:16 \".b[\" is no field path: a bracket",
            ),
            ("owner = \"[\"\nconflict = \"hold\"", "6:9 \"[\" is no glob"),
            (
                "kind = \"\"\nconflict = \"hold\"",
                "6:8 this must not be empty",
            ),
            ("kind = []\nconflict = \"hold\"", "6:8 an empty array"),
            ("kind = 3\nconflict = \"hold\"", "6:8 a text in quotes"),
            (
                "conflict = \"adopt\"",
                "6:12 no such action: adopt; did you mean adopt-live?",
            ),
            (
                "conflict = \"xyzzy\"",
                "6:12 no such action: xyzzy; there are adopt-live, yield",
            ),
            ("conflict = \"let-go\"", "6:12 let-go goes under drop"),
            ("drop = \"hold\"", "6:8 hold goes under conflict"),
            (
                "conflict = \"hold\"\ndrop = \"pin\"",
                "7:1 either conflict or drop",
            ),
            ("field = \".a\"", "5:1 what shall this rule do?"),
            (
                "owner = \"x\"\ndrop = \"pin\"",
                "6:1 a drop has no other owner",
            ),
            ("drop = \"shed\"", "6:1 shed needs field"),
            (
                "owner = \"operator\"\nconflict = \"repair\"",
                "6:1 repair is about whole objects",
            ),
            (
                "kind = \"a\"\nconflict = \"hold\"\n[[policy]]\nkind = \"a\"\nconflict = \"repair\"",
                "10:1 the rule at fleet.toml:5 decides this already",
            ),
            ("conflict = \"take\"", "6:1 take needs field"),
            (
                "conflct = \"hold\"\ndrop = \"pin\"",
                "6:1 unknown key; did you mean conflict?",
            ),
            (
                "conflict = \"hold\"\n[[policy]]\nconflict = \"yield\"",
                "8:1 the rule at fleet.toml:5 decides this already",
            ),
            (
                "conflict = \"hold\"\n[[policy]]\nkind = \"a\"\nconflict = \"yield\"",
                "9:1 the rule at fleet.toml:5 matches everything",
            ),
            (
                "drop = \"pin\"\nkind = \"a\"\n[[policy]]\nkind = \"a\"\ndrop = \"pin\"",
                "10:1 the rule at fleet.toml:5 says the same",
            ),
            (
                "labels = { env = \"[\" }\nconflict = \"hold\"",
                "6:18 \"[\" is no glob",
            ),
        ] {
            let found = flaws_of(&format!("[[policy]]\nwhy = \"x\"\n{rule}").replacen(
                "why = \"x\"\n",
                "",
                1,
            ));
            assert_eq!(found.len(), 1, "{rule}: {found:?}");
            assert!(found[0].starts_with(message), "{rule}: {found:?}");
        }
        assert!(flaws_of("[policy]\nconflict = \"hold\"")[0].contains("two brackets"));
        // All at once.
        assert_eq!(
            flaws_of("[[policy]]\nfield = \"a\"\nowner = \"[\"\nconflict = \"x\"").len(),
            3
        );
        let repaired = "[[policy]]\nkind = \"a\"\nconflict = \"repair\"\n[[policy]]\nkind = \"a\"\nconflict = \"hold\"";
        assert!(load_acme(&format!("{FLEET}{repaired}")).is_ok());
        let topics = "[[policy]]\nconflict = \"hold\"\n[[policy]]\nkind = \"a\"\ndrop = \"pin\"";
        assert!(load_acme(&format!("{FLEET}{topics}")).is_ok());
    }
}
