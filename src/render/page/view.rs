//! What the template of the page is given: every text and number, ready to stand there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde::Serialize;

use super::chart::{Chart, chart};
use crate::domain::fleet::natural_order;
use crate::domain::fleet::settings::{Budget, GateCheck, OnSpent, WindowRule};
use crate::domain::ids::ClusterName;
use crate::domain::plan::{HeldRelease, Plan, PlannedRelease, RequestEstimate, Requests, Wave};
use crate::domain::shadow::Reason;
use crate::render::screen::plan::{outcome_word, planned_at};
use crate::render::{Next, text};

/// A table of more rows is folded.
const OPEN: usize = 20;

/// Riskiest releases that have a table of their own.
const RISKIEST: usize = 10;

/// Clusters that are named in a line; more are counted.
const NAMED: usize = 6;

#[derive(Debug, Serialize)]
pub(super) struct View {
    fleet: String,
    digest: String,
    tool: String,
    playbook: String,
    made_at: String,
    start_before: String,
    deadline: String,
    verdict: Verdict,
    unread: Vec<Unread>,
    tiles: Vec<Tile>,
    chart: Option<Chart>,
    late: Vec<LateWave>,
    relaxations: Vec<Sooner>,
    starts_head: &'static str,
    waves: Vec<WaveView>,
    untested: Vec<Unseen>,
    untested_counted: String,
    untested_line: String,
    risks: Vec<RiskView>,
    risk_line: String,
    held: Vec<HeldGroup>,
    requests: Vec<Asked>,
    all: Asked,
    guards: Vec<Guard>,
    run: String,
}

#[derive(Debug, Serialize)]
struct Verdict {
    text: String,
    date: String,
    class: &'static str,
}

#[derive(Debug, Serialize)]
struct Unread {
    cluster: String,
    why: String,
}

#[derive(Debug, Serialize)]
struct Tile {
    name: &'static str,
    value: String,
}

#[derive(Debug, Serialize)]
struct LateWave {
    wave: u32,
    releases: String,
    done: String,
    clusters: String,
}

#[derive(Debug, Serialize)]
struct Sooner {
    change: String,
    done: String,
    days: i32,
    deadline: &'static str,
}

#[derive(Debug, Serialize)]
struct WaveView {
    number: u32,
    name: String,
    open: bool,
    counted: String,
    on: String,
    clusters: usize,
    writes: String,
    starts: String,
    soak: String,
    coverage: String,
    waits: String,
    releases: Vec<Placed>,
}

#[derive(Debug, Serialize)]
struct Placed {
    release: String,
    chart: String,
    revision: String,
    objects: u32,
    writes: u32,
    risk: String,
    parts: String,
    reason: String,
    needs: String,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Unseen {
    wave: u32,
    first: String,
    releases: String,
    signature: String,
    why: String,
}

#[derive(Debug, Serialize)]
struct RiskView {
    release: String,
    wave: u32,
    score: u32,
    parts: String,
}

#[derive(Debug, Serialize)]
struct HeldGroup {
    outcome: &'static str,
    cause: String,
    counted: String,
    until: String,
    open: bool,
    releases: Vec<HeldView>,
}

#[derive(Debug, Serialize)]
struct HeldView {
    release: String,
    object: String,
    detail: String,
    more: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Asked {
    cluster: String,
    releases: String,
    reads: String,
    dry_runs: String,
    object_writes: String,
    record_writes: String,
    limit: String,
    time: String,
}

#[derive(Debug, Serialize)]
struct Guard {
    what: &'static str,
    name: String,
    rule: String,
}

impl View {
    pub(super) fn of(plan: &Plan, file: &str) -> Self {
        let meta = &plan.metadata;
        let estimate = RequestEstimate::of(plan);
        let asked = |name: &str, it: &Requests| Asked {
            cluster: name.to_owned(),
            releases: text::count(it.releases),
            reads: text::count(it.reads()),
            dry_runs: text::count(it.dry_runs),
            object_writes: text::count(it.object_writes),
            record_writes: text::count(it.record_writes),
            limit: format!("{}/s", it.writes_per_second),
            time: seconds(it.seconds),
        };
        let mut clusters: Vec<_> = estimate.clusters.iter().collect();
        clusters.sort_by(|a, b| natural_order(a.0.as_str(), b.0.as_str()));
        let dated = plan.waves.iter().any(|wave| wave.starts.is_some());
        Self {
            fleet: meta.fleet.clone(),
            digest: format!("sha256:{}", meta.digest),
            tool: meta.tool.clone(),
            playbook: meta.settings.playbook.clone(),
            made_at: planned_at(meta),
            start_before: text::minute(meta.start_before),
            deadline: meta.deadline.to_string(),
            verdict: verdict(plan),
            unread: plan
                .unread
                .iter()
                .map(|(cluster, why)| Unread {
                    cluster: cluster.to_string(),
                    why: why.clone(),
                })
                .collect(),
            tiles: tiles(plan),
            chart: chart(plan),
            late: late(plan),
            relaxations: relaxations(plan),
            starts_head: if dated { "Starts" } else { "Writing, at least" },
            waves: plan.waves.iter().map(|it| wave(plan, it, dated)).collect(),
            untested: plan
                .untested
                .iter()
                .map(|it| Unseen {
                    wave: it.wave,
                    first: it.first.to_string(),
                    releases: text::count(it.releases),
                    signature: it.signature.clone(),
                    why: it.why.clone(),
                })
                .collect(),
            untested_counted: text::counted(text::len(&plan.untested), "signature"),
            untested_line: untested_line(plan),
            risks: risks(plan),
            risk_line: format!(
                "low is {} or less, high {} or more",
                meta.settings.risk.low, meta.settings.risk.high
            ),
            held: held(plan),
            requests: clusters
                .iter()
                .map(|(name, it)| asked(name.as_str(), it))
                .collect(),
            all: asked("", &estimate.fleet),
            guards: guards(plan),
            run: Next::Run {
                plan: file.to_owned(),
            }
            .command(),
        }
    }
}

fn seconds(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    text::duration(SignedDuration::from_secs(seconds))
}

fn verdict(plan: &Plan) -> Verdict {
    let summary = &plan.summary;
    let known =
        summary.migrate + summary.needs_choice + summary.blocked + summary.waiting + summary.done;
    let text = format!(
        "{} of {} migrate in {}.",
        text::count(summary.migrate),
        text::counted(known, "release"),
        text::counted(text::len(&plan.waves), "wave"),
    );
    let (date, class) = match &plan.calendar {
        None => (
            "No calendar: waves follow each other as soon as they may.".to_owned(),
            "quiet",
        ),
        Some(calendar) => match (calendar.done, calendar.slack_days) {
            (None, _) => ("Never done: a wave gets no window.".to_owned(), "bad"),
            (Some(done), Some(late @ ..0)) => (
                format!(
                    "Done {}, late by {}.",
                    text::minute(done),
                    text::counted(late.unsigned_abs(), "day")
                ),
                "bad",
            ),
            (Some(done), Some(slack)) => (
                format!(
                    "Done {}, {} before the deadline.",
                    text::minute(done),
                    text::counted(slack.unsigned_abs(), "day")
                ),
                "good",
            ),
            (Some(done), None) => (format!("Done {}.", text::minute(done)), "good"),
        },
    };
    Verdict { text, date, class }
}

fn tiles(plan: &Plan) -> Vec<Tile> {
    let it = &plan.summary;
    let valued: u32 = plan
        .waves
        .iter()
        .flat_map(|wave| &wave.releases)
        .map(PlannedRelease::valued_objects)
        .sum();
    let records = it.writes.saturating_sub(it.objects + valued);
    [
        ("to migrate", it.migrate, true),
        ("need a choice", it.needs_choice, true),
        ("blocked", it.blocked, true),
        ("wait for a held one", it.waiting, it.waiting > 0),
        ("done already", it.done, true),
        ("ownership patches", it.objects, true),
        ("record writes", records, true),
        ("value changes", it.value_changes, true),
        (
            "irreversible repairs",
            plan.irreversible_objects(),
            plan.irreversible_objects() > 0,
        ),
    ]
    .into_iter()
    .filter(|(_, _, shown)| *shown)
    .map(|(name, value, _)| Tile {
        name,
        value: text::count(value),
    })
    .collect()
}

fn late(plan: &Plan) -> Vec<LateWave> {
    let late = plan.calendar.iter().flat_map(|it| &it.late);
    late.map(|it| LateWave {
        wave: it.wave,
        releases: text::count(it.releases),
        done: it.done.map_or_else(|| "never".to_owned(), text::minute),
        clusters: it.clusters.join(", "),
    })
    .collect()
}

fn relaxations(plan: &Plan) -> Vec<Sooner> {
    plan.relaxations
        .iter()
        .map(|it| Sooner {
            change: it.change.join(" and "),
            done: it.done.to_string(),
            days: it.gain_days,
            deadline: if it.in_time { "kept" } else { "still missed" },
        })
        .collect()
}

fn wave(plan: &Plan, wave: &Wave, dated: bool) -> WaveView {
    let clusters: BTreeSet<&ClusterName> =
        wave.releases.iter().map(|it| &it.release.cluster).collect();
    let writes: u64 = wave.releases.iter().map(|it| u64::from(it.writes)).sum();
    let none = || "none".to_owned();
    let waits: Vec<String> = wave
        .waits_for
        .iter()
        .map(|it| match it.until {
            // The last wait ends with the start, which has a column of its own.
            Some(until) if Some(until) != wave.starts => {
                format!("{} {} until {}", it.kind, it.detail, text::minute(until))
            }
            _ => format!("{} {}", it.kind, it.detail),
        })
        .collect();
    let starts = if dated {
        wave.starts.map_or_else(|| "never".to_owned(), text::minute)
    } else {
        seconds(RequestEstimate::seconds_of(plan, &wave.releases))
    };
    WaveView {
        number: wave.number,
        name: wave.name.clone(),
        open: wave.releases.len() <= OPEN,
        counted: text::counted(text::len(&wave.releases), "release"),
        on: names(clusters.iter().map(|it| it.as_str())),
        clusters: clusters.len(),
        writes: text::count(writes),
        starts,
        soak: text::soak(wave.soak).unwrap_or_else(none),
        coverage: format!("{} of {}", wave.coverage.seen, wave.coverage.total),
        waits: if waits.is_empty() {
            none()
        } else {
            waits.join("; ")
        },
        releases: wave.releases.iter().map(placed).collect(),
    }
}

fn placed(it: &PlannedRelease) -> Placed {
    let needs: Vec<String> = it.needs.iter().map(ToString::to_string).collect();
    Placed {
        release: it.release.to_string(),
        chart: format!("{}-{}", it.chart.name, it.chart.version),
        revision: it.revision.to_string(),
        objects: it.objects,
        writes: it.writes,
        risk: it.risk.score.to_string(),
        parts: parts(it),
        reason: it.reason.clone(),
        needs: needs.join(", "),
        notes: it.notes.iter().map(reason).collect(),
    }
}

fn parts(it: &PlannedRelease) -> String {
    let parts = it.risk.parts();
    let parts = parts
        .iter()
        .map(|(name, points)| format!("{name} {points}"));
    parts.collect::<Vec<_>>().join(" + ")
}

fn reason(reason: &Reason) -> String {
    match &reason.object {
        Some(object) => format!("{}: {object}: {}", reason.cause, reason.detail),
        None => format!("{}: {}", reason.cause, reason.detail),
    }
}

fn untested_line(plan: &Plan) -> String {
    plan.waves.first().map_or_else(String::new, |first| {
        format!(
            "After wave {}, {} of signatures have been seen, {} of {}.",
            first.number,
            text::percent(first.coverage.seen.into(), first.coverage.total.into()),
            first.coverage.seen,
            first.coverage.total
        )
    })
}

fn risks(plan: &Plan) -> Vec<RiskView> {
    let mut all: Vec<(u32, &PlannedRelease)> = plan
        .waves
        .iter()
        .flat_map(|wave| wave.releases.iter().map(|it| (wave.number, it)))
        .filter(|(_, it)| it.risk.score > 0)
        .collect();
    // Stable: releases of one score stay in the plan's order.
    all.sort_by_key(|(_, it)| std::cmp::Reverse(it.risk.score));
    all.into_iter()
        .take(RISKIEST)
        .map(|(wave, it)| RiskView {
            release: it.release.to_string(),
            wave,
            score: it.risk.score,
            parts: parts(it),
        })
        .collect()
}

fn held(plan: &Plan) -> Vec<HeldGroup> {
    let mut groups: BTreeMap<(_, &str, &str), Vec<&HeldRelease>> = BTreeMap::new();
    for it in &plan.held {
        let cause = it.reasons.first().map_or("unknown", |it| &it.cause);
        let group = groups.entry((it.outcome, cause, &it.until));
        group.or_default().push(it);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|((outcome, _, _), held)| (*outcome, std::cmp::Reverse(held.len())));
    groups
        .into_iter()
        .map(|((outcome, cause, until), held)| HeldGroup {
            outcome: outcome_word(outcome),
            cause: cause.to_owned(),
            counted: text::counted(text::len(&held), "release"),
            until: until.to_owned(),
            open: held.len() <= OPEN / 4,
            releases: held.into_iter().map(held_view).collect(),
        })
        .collect()
}

fn held_view(held: &HeldRelease) -> HeldView {
    let first = held.reasons.first();
    let object = first.and_then(|it| it.object.as_ref());
    HeldView {
        release: held.release.to_string(),
        object: object.map_or_else(|| "none".to_owned(), ToString::to_string),
        detail: first.map_or_else(String::new, |it| it.detail.clone()),
        more: held.reasons.iter().skip(1).map(reason).collect(),
    }
}

fn guards(plan: &Plan) -> Vec<Guard> {
    let settings = &plan.metadata.settings;
    let mut all = Vec::new();
    for gate in &settings.gates {
        let after = match gate.after.as_slice() {
            [] => "after every wave".to_owned(),
            some => format!("after {}", some.join(", ")),
        };
        all.push(Guard {
            what: "gate",
            name: gate.name.clone(),
            rule: format!("{} {after}", check(&gate.check)),
        });
    }
    all.extend(settings.approvals.iter().map(|name| Guard {
        what: "approval",
        name: name.clone(),
        rule: "somebody other than the author approves these waves".to_owned(),
    }));
    if let Some(rule) = budget(&settings.budget) {
        all.push(Guard {
            what: "budget",
            name: "per wave".to_owned(),
            rule,
        });
    }
    all.extend(settings.windows.iter().map(|(name, window)| Guard {
        what: "window",
        name: name.clone(),
        rule: match &window.rule {
            WindowRule::Weekly { days, from, to } => {
                format!(
                    "{days}, {} to {}",
                    from.strftime("%H:%M"),
                    to.strftime("%H:%M")
                )
            }
            WindowRule::Cron { opens, for_seconds } => {
                format!("{opens}, for {}", seconds(u64::from(*for_seconds)))
            }
        },
    }));
    all.extend(settings.freezes.iter().map(|(name, freeze)| Guard {
        what: "freeze",
        name: name.clone(),
        rule: format!("{} to {}, both included", freeze.from, freeze.to),
    }));
    all
}

fn check(check: &GateCheck) -> String {
    match check {
        GateCheck::Health { within_seconds } => {
            format!(
                "workloads are healthy within {}",
                seconds(u64::from(*within_seconds))
            )
        }
        GateCheck::ConflictRate { at_most } => {
            format!("conflicts at most {}", hundredths(*at_most))
        }
        GateCheck::Ownership => "nobody took fields back".to_owned(),
        GateCheck::Http { url, status } => format!("{url} answers {status}"),
        GateCheck::Prometheus { url, query } => format!("{query} holds at {url}"),
        GateCheck::Command {
            argv,
            timeout_seconds,
        } => format!(
            "{} ends with 0 within {}",
            argv.join(" "),
            seconds(u64::from(*timeout_seconds))
        ),
        GateCheck::Plugin { name } => format!("plugin {name} says so"),
    }
}

fn hundredths(rate: u16) -> String {
    format!("{}.{:02} %", rate / 100, rate % 100)
}

fn budget(budget: &Budget) -> Option<String> {
    let mut parts = Vec::new();
    parts.extend(budget.failed.map(|it| format!("{it} may fail")));
    parts.extend(budget.undone.map(|it| format!("{it} may be undone")));
    let rate = budget.conflict_rate;
    parts.extend(rate.map(|it| format!("{} may conflict", hundredths(it))));
    let then = match budget.spent {
        OnSpent::Stop => "one more stops the run",
        OnSpent::UndoCluster => "one more puts that cluster's part of the wave back",
        OnSpent::UndoWave => "one more puts the wave back",
    };
    (!parts.is_empty()).then(|| format!("{}; {then}", parts.join(", ")))
}

/// Names in natural order; of many the first ones and a count.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_by(|a, b| natural_order(a, b));
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let named = names.join(", ");
    match more {
        0 => named,
        more => {
            let more = u64::try_from(more).unwrap_or(u64::MAX);
            format!("{named} and {}", text::counted(more, "more cluster"))
        }
    }
}
