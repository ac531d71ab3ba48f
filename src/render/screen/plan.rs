//! `refit plan` and `refit show`: waves, what is held, totals.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde_json::json;

use super::{calendar, requests};
use crate::domain::fleet::natural_order;
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::plan::{HeldRelease, Plan, PlannedRelease, Relaxation, RequestEstimate, Wave};
use crate::domain::shadow::ReleaseOutcome;
use crate::render::{Column, Cut, Document, Next, Record, Role, Span, Table, text};

/// What the screens show.
#[derive(Debug, Clone, Copy)]
pub struct PlanScreen<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The file that it has just been kept in.
    pub saved: Option<&'a str>,
    /// The file that it was read from.
    pub file: Option<&'a str>,
    /// Requests cluster by cluster too.
    pub wide: bool,
}

/// The word of a release's outcome.
pub const fn outcome_word(outcome: ReleaseOutcome) -> &'static str {
    match outcome {
        ReleaseOutcome::Blocked => "Blocked",
        ReleaseOutcome::NeedsChoice => "NeedsChoice",
        ReleaseOutcome::Ready => "Ready",
        ReleaseOutcome::Done => "Done",
    }
}

impl PlanScreen<'_> {
    /// The whole plan: kind `Plan`.
    pub fn document(&self) -> Document {
        let plan = self.plan;
        let summary = &plan.summary;
        let known = summary.migrate + summary.needs_choice + summary.blocked + summary.done;
        let mut document = Document::new("Plan")
            .fields_of(plan)
            .text(format!(
                "Fleet {}, {} on {}, planned {} by refit {}",
                plan.metadata.fleet,
                text::counted(known, "release"),
                text::counted(text::len(&clusters_of(plan)), "cluster"),
                text::minute(plan.metadata.made_at),
                plan.metadata.tool,
            ))
            .names(
                plan.waves
                    .iter()
                    .flat_map(|wave| &wave.releases)
                    .map(|release| release.release.to_string()),
            );
        if !plan.waves.is_empty() {
            let dated = plan.waves.iter().any(|wave| wave.starts.is_some());
            let table = if dated { self.dated() } else { self.waves() };
            document = document.gap().table(table);
        }
        document = self.when(document);
        if !plan.held.is_empty() {
            document = document.gap().table(self.causes());
        }
        document = document.gap().line([
            Span::plain(format!(
                "Plan: {} to migrate, ",
                text::count(summary.migrate)
            )),
            Span::plain(format!(
                "{} need a choice, ",
                text::count(summary.needs_choice)
            )),
            Span::bad_count(
                summary.blocked,
                format!("{} blocked", text::count(summary.blocked)),
            ),
            Span::plain(format!(", {} already done.", text::count(summary.done))),
        ]);
        document = document.line([
            Span::plain(format!(
                "{}, {}, ",
                counted_patches(summary.objects),
                text::counted(
                    summary
                        .writes
                        .saturating_sub(summary.objects + valued_objects(plan)),
                    "record write"
                ),
            )),
            Span::bad_count(
                summary.value_changes,
                text::counted(summary.value_changes, "value change"),
            ),
            Span::plain(". Each release gains one Helm revision."),
        ]);
        if summary.migrate > 0 {
            let estimate = RequestEstimate::of(plan);
            document = document.text(requests::line(&estimate));
            if self.wide {
                document = document.gap().table(requests::table(&estimate));
            }
        }
        for (cluster, why) in &plan.unread {
            document = document.warning(format!(
                "{cluster} not read: {why}; its releases are unknown and in no wave"
            ));
        }
        self.notes(document)
    }

    /// Where the plan is, and what to do with it.
    fn notes(&self, mut document: Document) -> Document {
        let held = self.plan.summary.needs_choice + self.plan.summary.blocked > 0;
        if let Some(file) = self.saved {
            document = document.total([Span::plain(format!(
                "Saved the plan to: {file}   ({}, to be started before {}). 0 writes.",
                text::short_digest(self.plan.metadata.digest.as_str()),
                text::minute(self.plan.metadata.start_before),
            ))]);
        } else if self.file.is_none() {
            document = document.total([Span::plain("The plan is not saved. 0 writes.")]);
        }
        let Some(file) = self.saved.or(self.file) else {
            return document.next(Next::Plan, "keeps it, for refit run");
        };
        let plan = file.to_owned();
        if self.plan.summary.migrate > 0 && self.saved.is_some() {
            let run = Next::Run { plan: plan.clone() };
            document = document
                .total([Span::plain(
                    "To perform exactly these actions, run the following command:",
                )])
                .total([Span::plain(format!("    {}", run.command()))]);
        } else if self.plan.summary.migrate > 0 {
            document = document.next(
                Next::Run { plan: plan.clone() },
                "does exactly this, and asks first",
            );
        } else {
            document = document.next(Next::AuditGate, "nothing is left to migrate");
        }
        if held {
            document = document.next(Next::ShowHeld { plan }, "what is held, and why");
        }
        document
    }

    /// What is untested, the calendar, when it is done and what would make it sooner.
    fn when(&self, mut document: Document) -> Document {
        let plan = self.plan;
        if let Some(first) = plan.waves.first().filter(|_| !plan.untested.is_empty()) {
            let waves = plan.untested.iter().map(|it| it.wave);
            let (from, to) = (waves.clone().min(), waves.max());
            let when = match (from, to) {
                (Some(from), Some(to)) if from < to => format!("waves {from} to {to}"),
                (from, _) => format!("wave {}", from.unwrap_or_default()),
            };
            document = document.text(format!(
                "Untested after wave {}: {} of {} signatures, first seen in {when}: refit show PLAN --untested",
                first.number,
                plan.untested.len(),
                first.coverage.total,
            ));
        }
        let drawings = calendar::drawings(plan);
        if !drawings.is_empty() {
            document = document.gap().drawing(drawings);
        }
        let Some(calendar) = &plan.calendar else {
            return document;
        };
        let writing =
            SignedDuration::from_secs(i64::try_from(calendar.writing_seconds).unwrap_or(i64::MAX));
        let when = match (calendar.done, calendar.slack_days) {
            (None, _) => "Never done: a wave gets no window.".to_owned(),
            (Some(done), Some(late @ ..0)) => format!(
                "Done {}, late by {}.",
                text::minute(done),
                text::counted(late.unsigned_abs(), "day")
            ),
            (Some(done), Some(slack)) => format!(
                "Done {}, {} before the deadline.",
                text::minute(done),
                text::counted(slack.unsigned_abs(), "day")
            ),
            (Some(done), None) => format!("Done {}.", text::minute(done)),
        };
        document = document.text(format!("{when} {} of writing.", text::duration(writing)));
        for late in &calendar.late {
            document = document.text(format!(
                "Late: wave {}, {} on {}",
                late.wave,
                text::counted(late.releases, "release"),
                natural_list(late.clusters.iter().map(String::as_str)),
            ));
        }
        let days = |it: &Relaxation| text::counted(it.gain_days.unsigned_abs(), "day");
        let room = plan.relaxations.iter().map(|it| days(it).len()).max();
        let room = room.unwrap_or(0);
        for it in &plan.relaxations {
            let deadline = if it.in_time { "" } else { ", still late" };
            document = document.text(format!(
                "Sooner: {:>room$} earlier, done {}   {}{deadline}",
                days(it),
                it.done,
                it.change.join(" and "),
            ));
        }
        document
    }

    /// Waves with their times.
    fn dated(&self) -> Table {
        let mut table = Table::new([
            Column::new("WAVE"),
            Column::new("NAME"),
            Column::new("RELEASES"),
            Column::new("CLUSTERS").narrow(2),
            Column::new("WRITES").narrow(1),
            Column::new("STARTS"),
            Column::new("SOAK").narrow(3),
            Column::new("COVERAGE"),
            Column::new("WAITS-FOR"),
        ]);
        for wave in &self.plan.waves {
            let clusters: BTreeSet<&ClusterName> =
                wave.releases.iter().map(|it| &it.release.cluster).collect();
            let writes: u64 = wave.releases.iter().map(|it| u64::from(it.writes)).sum();
            let waits: Vec<String> = wave
                .waits_for
                .iter()
                .map(|it| format!("{} {}", it.kind, it.detail).trim().to_owned())
                .collect();
            table.row([
                Span::with(wave.number.to_string(), Role::Strong),
                Span::plain(&wave.name),
                Span::plain(wave.releases.len().to_string()),
                Span::plain(clusters.len().to_string()),
                Span::plain(writes.to_string()),
                Span::or_none(wave.starts.map(text::minute)),
                Span::or_none(text::soak(wave.soak)),
                Span::plain(format!("{}/{}", wave.coverage.seen, wave.coverage.total)),
                Span::or_none((!waits.is_empty()).then(|| waits.join(", "))),
            ]);
        }
        table
    }

    /// Signatures that the first wave does not show: kind `UntestedList`.
    pub fn untested(&self) -> Document {
        let records = self.plan.untested.iter().map(|it| Record {
            cells: vec![
                Span::plain(it.wave.to_string()),
                Span::plain(it.releases.to_string()),
                Span::plain(text::cell(&it.why, false)),
                Span::plain(&it.signature),
            ],
            json: json!(it),
            name: None,
            only_wide: false,
        });
        let columns = [
            Column::new("WAVE"),
            Column::new("RELEASES"),
            Column::new("WHY").narrow(1),
            Column::new("SIGNATURE"),
        ];
        let total = text::counted(text::len(&self.plan.untested), "signature");
        self.listed("UntestedList", columns.into(), records.collect())
            .total([Span::plain(format!("{total} not seen in the first wave."))])
    }

    fn waves(&self) -> Table {
        let mut table = Table::new([
            Column::new("WAVE"),
            Column::new("NAME"),
            Column::new("RELEASES"),
            Column::new("CLUSTERS").narrow(2),
            Column::new("OBJECTS").narrow(1),
            Column::new("WRITES"),
            Column::new("WRITING").narrow(3),
            Column::new("ON"),
        ]);
        for wave in &self.plan.waves {
            let clusters: BTreeSet<&ClusterName> =
                wave.releases.iter().map(|it| &it.release.cluster).collect();
            let sum = |of: fn(&PlannedRelease) -> u32| {
                wave.releases
                    .iter()
                    .map(|it| u64::from(of(it)))
                    .sum::<u64>()
            };
            table.row([
                Span::with(wave.number.to_string(), Role::Strong),
                Span::plain(&wave.name),
                Span::plain(wave.releases.len().to_string()),
                Span::plain(clusters.len().to_string()),
                Span::plain(sum(|it| it.objects).to_string()),
                Span::plain(sum(|it| it.writes).to_string()),
                Span::plain(text::duration(self.least_time(wave))),
                Span::plain(natural_list(clusters.iter().map(|it| it.as_str()))),
            ]);
        }
        table
    }

    /// What a wave takes at least: its writes at the limits of its clusters and of the fleet.
    fn least_time(&self, wave: &Wave) -> SignedDuration {
        let seconds = RequestEstimate::seconds_of(self.plan, &wave.releases);
        SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
    }

    /// Held releases by their gravest cause.
    fn causes(&self) -> Table {
        let mut groups: BTreeMap<(ReleaseOutcome, &str), Vec<&HeldRelease>> = BTreeMap::new();
        for held in &self.plan.held {
            groups
                .entry((held.outcome, gravest(held)))
                .or_default()
                .push(held);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|((outcome, _), held)| (*outcome, std::cmp::Reverse(held.len())));
        let mut table = Table::new([
            Column::new("HELD"),
            Column::new("RELEASES"),
            Column::new("CAUSE"),
            Column::new("FOR-EXAMPLE")
                .narrow(1)
                .at_most(40, Cut::Middle),
            Column::new("UNTIL"),
        ]);
        for ((outcome, cause), held) in groups {
            let first = held.first();
            let until = first.map(|it| match it.reasons.first() {
                Some(reason) if it.until.is_empty() => reason.detail.as_str(),
                _ => it.until.as_str(),
            });
            table.row([
                Span::state(outcome_word(outcome)),
                Span::plain(held.len().to_string()),
                Span::plain(cause),
                Span::or_none(first.map(|it| it.release.to_string())),
                Span::or_none(until),
            ]);
        }
        table
    }

    /// The held releases: kind `HeldList`.
    pub fn held(&self) -> Document {
        let records = self
            .plan
            .held
            .iter()
            .map(|held| {
                let more = held.reasons.len().saturating_sub(1);
                let cause = match more {
                    0 => gravest(held).to_owned(),
                    more => format!("{}(+{more})", gravest(held)),
                };
                Record {
                    cells: vec![
                        Span::plain(held.release.to_string()),
                        Span::state(outcome_word(held.outcome)),
                        Span::plain(cause),
                        Span::or_none(
                            held.reasons
                                .first()
                                .and_then(|it| it.object.as_ref())
                                .map(|object| format!("{}/{}", object.kind, object.name)),
                        ),
                        Span::or_none(held.reasons.first().map(|it| it.detail.as_str())),
                    ],
                    json: json!(held),
                    name: Some(held.release.to_string()),
                    only_wide: false,
                }
            })
            .collect();
        let summary = &self.plan.summary;
        self.listed(
            "HeldList",
            vec![
                Column::new("RELEASE"),
                Column::new("OUTCOME"),
                Column::new("CAUSE"),
                Column::new("OBJECT").at_most(32, Cut::Middle).narrow(1),
                Column::new("DETAIL"),
            ],
            records,
        )
        .total([Span::plain(format!(
            "{} held: {} need a choice, {} blocked.",
            text::counted(text::len(&self.plan.held), "release"),
            text::count(summary.needs_choice),
            text::count(summary.blocked),
        ))])
    }

    /// The releases of one wave: kind `PlannedReleaseList`.
    pub fn wave(&self, number: u32) -> Option<Document> {
        let wave = self.plan.waves.iter().find(|wave| wave.number == number)?;
        let records = wave
            .releases
            .iter()
            .map(|it| Record {
                cells: vec![
                    Span::plain(it.release.to_string()),
                    Span::plain(format!("{}-{}", it.chart.name, it.chart.version)),
                    Span::plain(it.revision.to_string()),
                    Span::plain(it.objects.to_string()),
                    Span::plain(it.writes.to_string()),
                    Span::plain(it.notes.len().to_string()),
                    Span::or_none(Some(it.reason.as_str())),
                ],
                json: json!(it),
                name: Some(it.release.to_string()),
                only_wide: false,
            })
            .collect();
        Some(
            self.listed(
                "PlannedReleaseList",
                vec![
                    Column::new("RELEASE"),
                    Column::new("CHART").narrow(3),
                    Column::new("REV").narrow(2),
                    Column::new("OBJECTS"),
                    Column::new("WRITES"),
                    Column::new("NOTES").narrow(1),
                    Column::new("REASON"),
                ],
                records,
            )
            .total([Span::plain(format!(
                "wave {} {}: {}, at least {} of writing.",
                wave.number,
                wave.name,
                text::counted(text::len(&wave.releases), "release"),
                text::duration(self.least_time(wave)),
            ))]),
        )
    }

    fn listed(&self, kind: &'static str, columns: Vec<Column>, records: Vec<Record>) -> Document {
        let metadata = &self.plan.metadata;
        Document::new(kind)
            .field(
                "metadata",
                json!({"fleet": metadata.fleet, "planDigest": metadata.digest}),
            )
            .field("summary", json!({"releases": records.len()}))
            .listing(columns, records)
    }

    /// One release: in which wave and why, or why it is not in one. `None` if the plan does not know it.
    pub fn release(&self, id: &ReleaseId) -> Option<Document> {
        for wave in &self.plan.waves {
            if let Some(place) = wave.releases.iter().position(|it| it.release == *id) {
                return Some(self.planned(wave, place));
            }
        }
        if let Some(held) = self.plan.held.iter().find(|it| it.release == *id) {
            return Some(held_one(held));
        }
        self.plan.done.contains(id).then(|| {
            Document::new("PlannedRelease")
                .field("release", json!(id))
                .field("state", "Done")
                .names([id.to_string()])
                .line([
                    Span::with(id.to_string(), Role::Strong),
                    Span::plain("   "),
                    Span::state("Done"),
                    Span::plain("   is on server-side apply already"),
                ])
        })
    }

    fn planned(&self, wave: &Wave, place: usize) -> Document {
        let it = &wave.releases[place];
        let mut document = Document::new("PlannedRelease")
            .fields_of(it)
            .field("wave", wave.number)
            .names([it.release.to_string()])
            .line([
                Span::with(it.release.to_string(), Role::Strong),
                Span::plain(format!(
                    "   wave {} {}, {} of {}   {}-{}, revision {}, {}, {}",
                    wave.number,
                    wave.name,
                    place + 1,
                    wave.releases.len(),
                    it.chart.name,
                    it.chart.version,
                    it.revision,
                    text::counted(it.objects, "object"),
                    text::counted(it.writes, "write"),
                )),
            ])
            .text(format!("why here: {}", it.reason));
        let parts: Vec<String> = it
            .risk
            .parts()
            .into_iter()
            .map(|(name, points)| format!("{name} {points}"))
            .collect();
        if !parts.is_empty() {
            document = document.text(format!("risk {} = {}", it.risk.score, parts.join(" + ")));
        }
        if !it.needs.is_empty() {
            let needs: Vec<String> = it.needs.iter().map(ToString::to_string).collect();
            document = document.text(format!("after: {}", needs.join(", ")));
        }
        if let Some(starts) = wave.starts {
            document = document.text(format!("starts: {}", text::minute(starts)));
        }
        document = reasons(document, &it.notes);
        match self.file {
            Some(file) => document.next(
                Next::Run {
                    plan: file.to_owned(),
                },
                "",
            ),
            None => document,
        }
    }
}

fn held_one(held: &HeldRelease) -> Document {
    let document = Document::new("HeldRelease")
        .fields_of(held)
        .names([held.release.to_string()])
        .line([
            Span::with(held.release.to_string(), Role::Strong),
            Span::plain("   "),
            Span::state(outcome_word(held.outcome)),
            Span::plain(format!(
                "   in no wave, for {}",
                text::counted(text::len(&held.reasons), "reason")
            )),
        ]);
    let document = if held.until.is_empty() {
        document
    } else {
        document.text(format!("until: {}", held.until))
    };
    reasons(document, &held.reasons)
}

/// Reasons in full: two lines each, nothing cut.
fn reasons(mut document: Document, reasons: &[crate::domain::shadow::Reason]) -> Document {
    for reason in reasons {
        let mut head = vec![Span::with(reason.cause.as_str(), Role::Strong)];
        if let Some(object) = &reason.object {
            head.push(Span::plain(format!("   {object}")));
        }
        document = document.line(head).text(format!("    {}", reason.detail));
    }
    document
}

fn gravest(held: &HeldRelease) -> &str {
    held.reasons
        .first()
        .map_or("unknown", |reason| reason.cause.as_str())
}

/// Objects that get a write for their values.
fn valued_objects(plan: &Plan) -> u32 {
    let releases = plan.waves.iter().flat_map(|wave| &wave.releases);
    releases
        .map(crate::domain::plan::PlannedRelease::valued_objects)
        .sum()
}

fn counted_patches(objects: u32) -> String {
    if objects == 1 {
        "1 ownership patch".to_owned()
    } else {
        format!("{} ownership patches", text::count(objects))
    }
}

/// Every cluster that the plan knows of, unread ones too.
fn clusters_of(plan: &Plan) -> Vec<&ClusterName> {
    let planned = plan.waves.iter().flat_map(|wave| &wave.releases);
    let all: BTreeSet<&ClusterName> = planned
        .map(|it| &it.release.cluster)
        .chain(plan.held.iter().map(|it| &it.release.cluster))
        .chain(plan.done.iter().map(|it| &it.cluster))
        .chain(plan.unread.keys())
        .collect();
    all.into_iter().collect()
}

fn natural_list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_by(|a, b| natural_order(a, b));
    names.join(", ")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::fleet::{Limits, Managers};
    use crate::domain::plan::{Calendar, Coverage, PlanMetadata, PlanSummary, Risk, WaitsFor};
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
                "Untested after wave 1: 1 of 47 signatures, first seen in wave 2: refit show PLAN --untested",
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
            "WAVE   RELEASES   WHY         SIGNATURE\n2      2          too_risky   web 4.2.0, Deployment\n"
        );
        let json = screen.document().to_json();
        assert_eq!(Plan::parse(&json.to_string()).unwrap(), plan);
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
}
