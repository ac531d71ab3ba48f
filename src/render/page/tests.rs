//! The page says what the plan says, asks for nothing from a network, and lets no name write markup.
#![cfg(test)]

use super::page;
use crate::domain::plan::{Late, Plan, Relaxation, Untested};
use crate::domain::shadow::Reason;
use crate::render::screen::plan::tests::{acme, dated, planned};

/// Everything between tags, as a reader sees it.
fn words(html: &str) -> String {
    let body = html.split_once("<body>").unwrap().1;
    let mut out = String::new();
    let mut inside = false;
    for c in body.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(' ');
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    let line = out.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.replace("&#x2f;", "/").replace("&#x27;", "'");
    line.replace("&gt;", ">").replace("&lt;", "<")
}

/// A plan with everything that the page shows.
fn whole() -> Plan {
    let mut plan = dated();
    let calendar = plan.calendar.as_mut().unwrap();
    calendar.late = vec![Late {
        wave: 2,
        releases: 2,
        clusters: vec!["eu-2".into(), "eu-10".into()],
        done: None,
    }];
    plan.relaxations = vec![Relaxation {
        change: vec!["soak.prod 72h -> 48h".into()],
        done: "2027-01-07".parse().unwrap(),
        gain_days: 8,
        in_time: true,
    }];
    plan.untested = vec![Untested {
        signature: "web 1.4.0, Deployment".into(),
        wave: 2,
        first: "eu-10/shop/web".parse().unwrap(),
        releases: 2,
        why: "too risky".into(),
    }];
    let release = &mut plan.waves[1].releases[0];
    release.risk.score = 34;
    release.risk.dependents = 20;
    release.risk.age = 14;
    release.needs = vec!["eu-10/ingress/nginx".parse().unwrap()];
    plan.held[0].until = "helm rollback, once looked at".into();
    plan
}

#[test]
fn the_page_says_what_the_plan_says() {
    let html = page(&whole(), "acme.plan.json").unwrap();
    let words = words(&html);
    for said in [
        "Plan of fleet acme",
        "3 of 7 releases migrate in 2 waves. Done 2027-01-15T02:00Z, 26 days before the deadline.",
        "Not read: 1 of the fleet's clusters",
        "edge-1 : token expired",
        "to migrate 3",
        "ownership patches 32",
        "record writes 9",
        "value changes 0",
        "deadline 2027-02-10",
        "soak.prod 72h -> 48h 2027-01-07 8 kept",
        "2 wave-2 2 2 29 2026-11-29T01:00Z 24h 47 of 47 approval of one person until 2026-11-27T10:00Z",
        "risk: dependents 20 + age 14",
        "after eu-10/ingress/nginx",
        "web 1.4.0, Deployment too risky",
        "Blocked: pending-upgrade 1 release; until helm rollback, once looked at",
        "eu-2/shop/checkout none .spec.replicas is owned by kubectl/scale",
        "2 2 never eu-2, eu-10",
        "freeze year-end: 2026-12-17 to 2027-01-04",
        "refit run acme.plan.json",
        "refit undo RUN",
    ] {
        assert!(words.contains(said), "{said} is not in {words}");
    }
}

#[test]
fn the_page_is_whole_and_for_everybody() {
    let html = page(&whole(), "p.json").unwrap();
    for never in [
        "http://", "https://", "<script", "url(h", "@import", "<link", "<img", "src=",
    ] {
        assert!(!html.contains(never), "{never}");
    }
    for always in [
        "<html lang=\"en\">",
        "<meta charset=\"utf-8\">",
        "prefers-color-scheme: dark",
        "@page { size: A4",
        "role=\"img\" aria-label=",
    ] {
        assert!(html.contains(always), "{always}");
    }
    assert_eq!(
        html.matches("<table>").count(),
        html.matches("<caption>").count()
    );
    assert_eq!(
        html.matches("<section").count(),
        html.matches("<h2").count()
    );
    assert_eq!(html.matches("<h1").count(), 1);
    // Every head of a table says what it heads.
    assert_eq!(
        html.matches("<th").count(),
        html.matches("<thead").count() + html.matches("<th scope=").count()
    );
}

#[test]
fn no_name_writes_markup() {
    let evil = "<script>alert(1)</script>\"'&";
    let mut plan = whole();
    plan.metadata.fleet = evil.into();
    plan.metadata.tool = evil.into();
    plan.metadata.settings.playbook = evil.into();
    plan.unread = [("edge".into(), evil.to_owned())].into();
    plan.untested[0].signature = evil.into();
    plan.untested[0].why = evil.into();
    plan.relaxations[0].change = vec![evil.into()];
    plan.waves[0].name = evil.into();
    plan.waves[1].waits_for[0].detail = evil.into();
    plan.held[0].until = evil.into();
    plan.held[0].reasons[0].detail = evil.into();
    plan.held[0].reasons[0].cause = evil.into();
    let freeze = plan.metadata.settings.freezes.remove("year-end").unwrap();
    plan.metadata.settings.freezes.insert(evil.into(), freeze);
    let release = &mut plan.waves[0].releases[0];
    release.reason = evil.into();
    release.chart.name = evil.into();
    release.notes = vec![Reason {
        cause: evil.into(),
        object: None,
        detail: evil.into(),
    }];
    let html = page(&plan, evil).unwrap();
    assert!(!html.contains("<script"), "{html}");
    let escaped = html.matches("&lt;script&gt;").count();
    assert!(escaped >= 15, "{escaped}");
    // Nor does one leave an attribute.
    assert!(!html.contains("\"'&"));
}

#[test]
fn a_thousand_releases_are_folded() {
    let mut plan = dated();
    plan.waves[1].releases = (0..1_000)
        .map(|at| planned(&format!("eu-2/shop/web-{at}"), 9))
        .collect();
    let html = page(&plan, "p.json").unwrap();
    assert_eq!(
        html.matches("<details open>").count(),
        3,
        "wave 1, and what is held"
    );
    assert!(html.contains("<details><summary>Wave 2 wave-2 <span>1,000 releases, eu-2"));
    assert!(html.contains("eu-2&#x2f;shop&#x2f;web-999"));
}

#[test]
fn a_plan_without_a_calendar_has_a_page_too() {
    let html = page(&acme(), "p.json").unwrap();
    assert!(!html.contains("id=\"calendar\""));
    assert!(words(&html).contains("No calendar"));
    assert!(words(&html).contains("Writing, at least"));
}
