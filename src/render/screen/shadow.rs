//! `refit shadow`: the forecast of every release, of one release field by field, and the totals.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::plan::outcome_word;
use crate::domain::fleet::{PolicyAction, natural_order, release_order};
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::object::ObjectRef;
use crate::domain::plan::Candidate;
use crate::domain::policy::Subject;
use crate::domain::shadow::{
    Confirmed, Conflict, Forecast, ObjectForecast, Rate, ReleaseOutcome, Summary, summary,
};
use crate::domain::triage::ReleaseCause;
use crate::render::{Column, Cut, Document, Frame, Next, Record, Role, Span, Table, text};

/// The highest rates that the summary names; the JSON has all.
const RATES_SHOWN: usize = 5;

/// What the screen shows.
#[derive(Debug, Clone)]
pub struct ShadowScreen<'a> {
    /// The fleet's name.
    pub fleet: &'a str,
    /// When the reading began.
    pub taken_at: Timestamp,
    /// The forecasts, each with its chart and revision.
    pub releases: &'a [Candidate],
    /// Clusters that were not read, and why.
    pub unread: &'a BTreeMap<ClusterName, String>,
    /// Clusters in scope.
    pub clusters: usize,
    /// The saved inventory that it is made from; `None`: the clusters were asked.
    pub from: Option<String>,
    /// The gravest cause of each held release; of one that is missing here the forecast's own words are shown.
    pub causes: &'a BTreeMap<ReleaseId, ReleaseCause>,
    /// Dry runs sent.
    pub dry_runs: u64,
    /// Objects that only the server could tell about.
    pub asked: u64,
    /// What the server said of some of them, if it was asked for.
    pub confirmed: Option<&'a Confirmed>,
    /// For ages.
    pub now: Timestamp,
    /// How long it took.
    pub took: SignedDuration,
    /// refit's version.
    pub tool: &'a str,
}

/// How long a look took, and at which file, if it was one.
pub fn took(from: Option<&str>, taken_at: Timestamp, took: SignedDuration) -> String {
    let took = text::duration(took);
    match from {
        None => took,
        Some(file) => format!("from {file} of {}, {took}", text::minute(taken_at)),
    }
}

impl ShadowScreen<'_> {
    /// A row a release: kind `ForecastList`.
    pub fn document(&self) -> Document {
        let totals = self.summary();
        let mut document = self.head(&totals).listing(columns(), self.records());
        document = self.disagreements(document);
        for line in summary_table(&totals, self.fleet)
            .render(&Frame::PIPE)
            .lines()
        {
            document = document.total([Span::plain(line)]);
        }
        let decisions = self.releases.iter().flat_map(|it| &it.decisions);
        let repaired = decisions.filter(|it| it.irreversible).count();
        if repaired > 0 {
            document = document.total([Span::with(
                format!(
                    "Irreversible by rules: owners of {} would be repaired; an undo leaves them so.",
                    text::counted(repaired as u64, "object")
                ),
                Role::Attention,
            )]);
        }
        let document = self.notes(document.total([Span::plain(self.total(&totals))]));
        let (one, causes, plan) = self.after();
        let document = match self.sorted().first().filter(|first| is_held(first)) {
            Some(first) => document
                .next(
                    one(first.forecast.release.to_string()),
                    "one release, field by field",
                )
                .next(causes, "causes over the fleet, and their fixes"),
            None => document,
        };
        document.next(plan, "what can be migrated, and what is held")
    }

    /// Where to go on, with the same file if there is one. A plan is made with the clusters at hand.
    fn after(&self) -> (impl Fn(String) -> Next, Next, Next) {
        let file = self.from.clone();
        let one = move |release| match file.clone() {
            Some(inventory) => Next::ShadowOneFrom { inventory, release },
            None => Next::Shadow { release },
        };
        match self.from.clone() {
            None => (one, Next::Triage, Next::Plan),
            Some(inventory) => {
                let from = inventory.clone();
                (one, Next::TriageFrom { from }, Next::PlanFrom { inventory })
            }
        }
    }

    /// The totals alone, on stdout.
    pub fn totals(&self) -> Document {
        let totals = self.summary();
        let document = self
            .head(&totals)
            .table(summary_table(&totals, self.fleet))
            .total([Span::plain(self.total(&totals))]);
        self.notes(self.disagreements(document))
    }

    /// One release, field by field: a `ForecastList` of one.
    pub fn release(&self, release: &ReleaseId) -> Option<Document> {
        let candidate = self
            .releases
            .iter()
            .find(|it| it.forecast.release == *release)?;
        let forecast = &candidate.forecast;
        let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
        for object in &forecast.objects {
            *outcomes.entry(object.outcome.word()).or_default() += 1;
        }
        let mut outcomes: Vec<(&str, u64)> = outcomes.into_iter().collect();
        outcomes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let outcomes: Vec<String> = outcomes
            .iter()
            .map(|(word, count)| format!("{count} {word}"))
            .collect();
        let objects = text::counted(text::len(&forecast.objects), "object");
        let objects = if outcomes.is_empty() {
            objects
        } else {
            format!("{objects}: {}", outcomes.join(", "))
        };
        let mut document = self
            .head(&summary([(forecast, chart(candidate))]))
            .field("items", json!([item(candidate)]))
            .names([release.to_string()])
            .line([
                Span::with(release.to_string(), Role::Strong),
                Span::plain("   "),
                Span::state(outcome_word(forecast.outcome)),
                Span::plain(format!(
                    "   {}, revision {}, {objects}",
                    chart(candidate),
                    candidate.revision
                )),
            ]);
        let fields = self.fields(candidate);
        if !fields.is_empty() {
            document = document.table(fields);
        }
        let told = forecast
            .reasons
            .iter()
            .filter(|reason| reason.cause != "active-conflict");
        let notes = forecast.notes.iter();
        let notes =
            notes.filter(|note| !matches!(&*note.cause, "latent-conflict" | "drop" | "drift"));
        let mut reasons = Table::new([
            Column::new("CAUSE"),
            Column::new("OBJECT"),
            Column::new("DETAIL"),
        ]);
        for (reason, held) in told.map(|it| (it, true)).chain(notes.map(|it| (it, false))) {
            reasons.row([
                Span::with(
                    &*reason.cause,
                    if held { Role::Attention } else { Role::Plain },
                ),
                Span::or_none(reason.object.as_ref().map(object_name)),
                Span::plain(&reason.detail),
            ]);
        }
        if !reasons.is_empty() {
            document = document.gap().table(reasons);
        }
        document = self.disagreements(document);
        document = self.confirmation(document.total([Span::plain("0 writes.")]));
        let with_owner = forecast
            .objects
            .iter()
            .find(|it| !it.active.is_empty() || !it.latent.is_empty());
        Some(match with_owner {
            Some(object) => document.next(
                Next::Fields {
                    object: fields_argument(&release.cluster, &object.object),
                },
                "who owns what of it",
            ),
            None => document,
        })
    }

    /// Anything that is not as it should be?
    pub fn has_findings(&self) -> bool {
        !self.unread.is_empty() || self.releases.iter().any(is_held)
    }

    /// Does the server say anything else than a forecast?
    pub fn has_disagreements(&self) -> bool {
        self.confirmed
            .is_some_and(|it| !it.disagreements.is_empty())
    }

    fn summary(&self) -> Summary {
        summary(self.releases.iter().map(|it| (&it.forecast, chart(it))))
    }

    fn head(&self, totals: &Summary) -> Document {
        let mut summary = json!(totals);
        if let Some(map) = summary.as_object_mut() {
            map.insert("asked".into(), json!(self.asked));
        }
        let document = Document::new("ForecastList")
            .field(
                "metadata",
                json!({"fleet": self.fleet, "takenAt": text::time(self.taken_at), "tool": self.tool}),
            )
            .field("summary", summary)
            .field("dryRuns", json!(self.dry_runs))
            .field("unread", json!(self.unread));
        match self.confirmed {
            Some(confirmed) => document.field("confirmed", json!(confirmed)),
            None => document,
        }
    }

    fn total(&self, totals: &Summary) -> String {
        let read = self.clusters.saturating_sub(self.unread.len());
        let clusters = if self.unread.is_empty() {
            text::counted(self.clusters as u64, "cluster")
        } else {
            format!("{read} of {} clusters", self.clusters)
        };
        let took = took(self.from.as_deref(), self.taken_at, self.took);
        format!(
            "{}, {} latent, {}; {}, {}, {} asked, {clusters}, {took}, 0 writes.",
            text::counted(totals.active, "active conflict"),
            text::count(totals.latent),
            text::counted(totals.drops, "drop"),
            text::counted(totals.releases, "release"),
            text::counted(totals.objects, "object"),
            text::count(self.asked),
        )
    }

    /// A row for each thing that the server says otherwise.
    fn disagreements(&self, document: Document) -> Document {
        let found = self.confirmed.map_or(&[][..], |it| &it.disagreements);
        if found.is_empty() {
            return document;
        }
        let mut table =
            Table::new(["RELEASE", "OBJECT", "ABOUT", "FORECAST->SERVER"].map(Column::new));
        for it in found {
            table.row([
                Span::plain(it.release.to_string()),
                Span::or_none(it.object.as_ref().map(object_name)),
                Span::with(it.about.word(), Role::Bad),
                Span::plain(format!("{} -> {}", it.forecast, it.server)),
            ]);
        }
        document.gap().table(table)
    }

    /// The line about what the server confirmed.
    fn confirmation(&self, document: Document) -> Document {
        let Some(confirmed) = self.confirmed else {
            return document;
        };
        let again = match confirmed.again {
            0 => String::new(),
            again => format!(", {} moved and were compared twice", text::count(again)),
        };
        document.total([Span::plain(format!(
            "Confirmed by the server: {} of {}, {}, {}{again}.",
            text::counted(confirmed.objects, "object"),
            text::counted(confirmed.releases, "release"),
            text::counted(confirmed.disagreements.len() as u64, "disagreement"),
            text::counted(confirmed.dry_runs, "dry run"),
        ))])
    }

    fn notes(&self, document: Document) -> Document {
        let mut document = self.confirmation(document);
        for (cluster, why) in self.unread {
            document = document.warning(format!("{cluster} not read: {why}"));
        }
        document
    }

    /// By severity, then cluster, namespace, name.
    fn sorted(&self) -> Vec<&Candidate> {
        let mut sorted: Vec<&Candidate> = self.releases.iter().collect();
        sorted.sort_by(|a, b| {
            let outcomes = a.forecast.outcome.cmp(&b.forecast.outcome);
            outcomes.then_with(|| release_order(&a.forecast.release, &b.forecast.release))
        });
        sorted
    }

    fn records(&self) -> impl Iterator<Item = Record> {
        let mut unread: Vec<(&ClusterName, &String)> = self.unread.iter().collect();
        unread.sort_by(|a, b| natural_order(a.0.as_str(), b.0.as_str()));
        let away = unread.into_iter().map(|(cluster, why)| {
            let mut cells = vec![Span::plain(cluster.as_str())];
            cells.extend((0..5).map(|_| Span::unread()));
            cells.push(Span::state("Unreachable"));
            cells.extend((0..5).map(|_| Span::unread()));
            cells.push(Span::plain(why));
            Record {
                cells,
                ..Record::default()
            }
        });
        let sorted = self.sorted().into_iter();
        away.chain(sorted.map(|it| record(it, self.causes.get(&it.forecast.release))))
    }

    fn fields(&self, candidate: &Candidate) -> Table {
        let forecast = &candidate.forecast;
        let mut table = Table::new([
            Column::new("OBJECT").narrow(2),
            Column::new("TYPE"),
            Column::new("FIELD").at_most(30, Cut::Middle),
            Column::new("OWNER").at_most(22, Cut::Middle),
            Column::new("AGE").narrow(1).not_wide(),
            Column::new("SINCE").wide(),
            Column::new("THEIRS->OURS"),
        ]);
        let mut row = |object: &ObjectForecast,
                       kind: Span,
                       field: &str,
                       owner: Span,
                       since: Option<Timestamp>,
                       values: Span| {
            table.row([
                Span::plain(object_name(&object.object)),
                kind,
                Span::plain(field),
                owner,
                Span::or_none(since.map(|since| text::age(since, self.now))),
                Span::or_none(since.map(text::time)),
                values,
            ]);
        };
        let conflicts = |of: fn(&ObjectForecast) -> &Vec<Conflict>| {
            forecast
                .objects
                .iter()
                .flat_map(move |object| of(object).iter().map(move |it| (object, it)))
        };
        for (object, conflict) in conflicts(|it| &it.active) {
            let values = Span::plain(format!(
                "{} -> {}",
                value(conflict.theirs.as_deref()),
                value(conflict.ours.as_deref())
            ));
            let kind = Span::with("active", Role::Attention);
            row(
                object,
                kind,
                &conflict.field,
                Span::plain(&conflict.owner),
                conflict.since,
                values,
            );
        }
        for (object, conflict) in conflicts(|it| &it.latent) {
            let values = Span::plain(format!("= {}", value(conflict.theirs.as_deref())));
            row(
                object,
                Span::plain("latent"),
                &conflict.field,
                Span::plain(&conflict.owner),
                conflict.since,
                values,
            );
        }
        for object in &forecast.objects {
            for field in &object.drift {
                let stands = object.values.get(field);
                let values = match stands {
                    None => "the next apply sets it back".to_owned(),
                    Some(it) => format!(
                        "{} -> {}, the next apply sets it back",
                        value(it.live.as_deref()),
                        value(it.ours.as_deref())
                    ),
                };
                row(
                    object,
                    Span::plain("drift"),
                    field,
                    Span::or_none(stands.and_then(|it| it.owner.as_deref())),
                    stands.and_then(|it| it.since),
                    Span::plain(values),
                );
            }
            for field in &object.drops {
                let stands = object.values.get(field);
                let then = fate(candidate, &object.object, field);
                let values = match stands.and_then(|it| it.live.as_deref()) {
                    None => then.to_owned(),
                    live => format!("{} {then}", value(live)),
                };
                row(
                    object,
                    Span::plain("drop"),
                    field,
                    Span::plain(stands.and_then(|it| it.owner.as_deref()).unwrap_or("ours")),
                    stands.and_then(|it| it.since),
                    Span::plain(values),
                );
            }
        }
        table
    }
}

/// What becomes of a field that Helm owns and the manifest does not name: as a rule says, else it is let go.
fn fate(candidate: &Candidate, object: &ObjectRef, field: &str) -> &'static str {
    let decision = candidate.decisions.iter().find(|it| {
        it.subject == Subject::Drop && it.object == *object && it.field == field && it.is_in_force()
    });
    match decision.map(|it| it.action) {
        Some(PolicyAction::PruneNext) => "stays ours, the next upgrade deletes it",
        Some(PolicyAction::Pin) => "stays, pinned",
        Some(PolicyAction::Prune) => "is deleted",
        _ => "stays, let go",
    }
}

/// Is it held back?
fn is_held(candidate: &Candidate) -> bool {
    matches!(
        candidate.forecast.outcome,
        ReleaseOutcome::Blocked | ReleaseOutcome::NeedsChoice
    )
}

fn chart(candidate: &Candidate) -> String {
    format!("{}-{}", candidate.chart.name, candidate.chart.version)
}

pub(super) fn value(text: Option<&str>) -> &str {
    match text {
        None => "<none>",
        Some("") => "\"\"",
        Some(text) => text,
    }
}

/// `deployment/checkout`.
pub(super) fn object_name(object: &ObjectRef) -> String {
    format!("{}/{}", object.kind.to_lowercase(), object.name)
}

/// As `refit fields` takes it, with the group where the kind alone may mean another.
pub(super) fn fields_argument(cluster: &ClusterName, object: &ObjectRef) -> String {
    let kind = match object.group() {
        "" | "apps" | "batch" | "networking.k8s.io" | "autoscaling" => object.kind.to_lowercase(),
        group => format!("{}.{group}", object.kind.to_lowercase()),
    };
    match &object.namespace {
        Some(namespace) => format!("{cluster}/{namespace}/{kind}/{}", object.name),
        None => format!("{cluster}/{kind}/{}", object.name),
    }
}

fn columns() -> Vec<Column> {
    let mut columns = release_columns();
    columns.extend([
        Column::new("ACTIVE"),
        Column::new("LATENT").narrow(3),
        Column::new("DROPS").narrow(2),
        Column::new("DRIFT").wide(),
        Column::new("CAUSE"),
    ]);
    columns
}

/// Which release, and how it stands: what every table of forecasts begins with.
pub(super) fn release_columns() -> Vec<Column> {
    vec![
        Column::new("CLUSTER"),
        Column::new("NAMESPACE").narrow(1),
        Column::new("RELEASE").narrow(1),
        Column::new("RELEASE").instead_of(1),
        Column::new("CHART").wide(),
        Column::new("REV").wide(),
        Column::new("OUTCOME"),
        Column::new("OBJECTS"),
    ]
}

/// The words of the causes, gravest first, each once.
fn causes(forecast: &Forecast) -> Vec<&str> {
    let mut causes: Vec<&str> = Vec::new();
    for reason in &forecast.reasons {
        if !causes.contains(&reason.cause.as_str()) {
            causes.push(&reason.cause);
        }
    }
    causes
}

fn item(candidate: &Candidate) -> Value {
    let mut item = json!(candidate.forecast);
    if let Some(map) = item.as_object_mut() {
        map.insert("chart".into(), json!(candidate.chart));
        map.insert("revision".into(), json!(candidate.revision));
        map.insert("causes".into(), json!(causes(&candidate.forecast)));
        if !candidate.decisions.is_empty() {
            map.insert("decisions".into(), json!(candidate.decisions));
        }
    }
    item
}

fn record(candidate: &Candidate, gravest: Option<&ReleaseCause>) -> Record {
    let forecast = &candidate.forecast;
    let release = &forecast.release;
    let count = |of: fn(&ObjectForecast) -> usize| forecast.objects.iter().map(of).sum::<usize>();
    let causes = causes(forecast);
    let (first, more) = match gravest {
        Some(gravest) => (Some(&*gravest.cause), gravest.more),
        None => (
            causes.first().copied(),
            causes.len().saturating_sub(1) as u64,
        ),
    };
    let cause = first.map(|first| match more {
        0 => first.to_owned(),
        more => format!("{first} (+{more})"),
    });
    let mut json = item(candidate);
    if let (Some(gravest), Some(map)) = (gravest, json.as_object_mut()) {
        map.insert("cause".into(), json!(gravest.cause));
    }
    let plain = |number: usize| Span::plain(number.to_string());
    let active = count(|it| it.active.len());
    Record {
        cells: vec![
            Span::plain(release.cluster.as_str()),
            Span::plain(release.namespace.as_str()),
            Span::plain(release.name.as_str()),
            Span::plain(format!("{}/{}", release.namespace, release.name)),
            Span::plain(chart(candidate)),
            Span::plain(candidate.revision.to_string()),
            Span::state(outcome_word(forecast.outcome)),
            plain(forecast.objects.len()),
            Span::bad_count(
                u32::try_from(active).unwrap_or(u32::MAX),
                active.to_string(),
            ),
            plain(count(|it| it.latent.len())),
            plain(count(|it| it.drops.len())),
            plain(count(|it| it.drift.len())),
            Span::or_none(cause),
        ],
        json,
        name: Some(release.to_string()),
        only_wide: false,
    }
}

/// Outcomes on the left, where conflicts are on the right.
fn summary_table(totals: &Summary, fleet: &str) -> Table {
    let rates = |rates: &[Rate]| {
        let shown = rates
            .iter()
            .filter(|rate| rate.conflicted > 0)
            .take(RATES_SHOWN);
        let shown: Vec<String> = shown
            .map(|rate| {
                format!(
                    "{} {}",
                    rate.name,
                    text::percent(rate.conflicted, rate.releases)
                )
            })
            .collect();
        listed(
            &shown,
            rates.iter().filter(|rate| rate.conflicted > 0).count(),
        )
    };
    let owners: Vec<String> = totals
        .owners
        .iter()
        .take(RATES_SHOWN)
        .map(|it| {
            let share = text::percent(it.conflicted, totals.releases);
            format!("{} {} ({share})", it.owner, it.active)
        })
        .collect();
    let whole = format!(
        "{} ({} of {})",
        text::percent(totals.conflicted, totals.releases),
        text::count(totals.conflicted),
        text::counted(totals.releases, "release"),
    );
    let right = [
        ("cluster", rates(&totals.clusters)),
        ("chart", rates(&totals.charts)),
        ("kind", rates(&totals.kinds)),
        ("owner", listed(&owners, totals.owners.len())),
    ];
    let mut table = Table::new([
        Column::new("OUTCOME"),
        Column::new("RELEASES"),
        Column::new("CONFLICTS-BY"),
        Column::new("HIGHEST"),
    ]);
    for ((outcome, count), (by, highest)) in totals.outcomes.iter().zip(right) {
        table.row([
            Span::state(outcome_word(*outcome)),
            Span::plain(text::count(*count)),
            Span::plain(by),
            Span::or_none(Some(highest).filter(|it| !it.is_empty())),
        ]);
    }
    table.row([
        Span::plain("Total"),
        Span::plain(text::count(totals.releases)),
        Span::plain("fleet"),
        Span::plain(format!("{fleet} {whole}")),
    ]);
    table
}

fn listed(shown: &[String], of: usize) -> String {
    match of.saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{}, {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::ids::Revision;
    use crate::domain::policy::Decision;
    use crate::domain::release::{ChartRef, Driver};
    use crate::domain::shadow::{Aspect, Disagreement, ObjectOutcome, Reason, Stands};
    use crate::render::Format;

    fn object(kind: &str, name: &str, outcome: ObjectOutcome) -> ObjectForecast {
        ObjectForecast {
            object: ObjectRef {
                api_version: "apps/v1".into(),
                kind: kind.into(),
                namespace: Some("shop".into()),
                name: name.into(),
            },
            outcome,
            active: vec![],
            latent: vec![],
            drops: vec![],
            drift: vec![],
            values: BTreeMap::new(),
        }
    }

    fn conflict(field: &str, owner: &str, theirs: &str, ours: &str) -> Conflict {
        Conflict {
            field: field.into(),
            owner: owner.into(),
            since: Some("2026-11-22T15:09:31Z".parse().unwrap()),
            theirs: Some(theirs.into()),
            ours: Some(ours.into()),
        }
    }

    fn candidate(
        id: &str,
        outcome: ReleaseOutcome,
        causes: &[&str],
        objects: Vec<ObjectForecast>,
    ) -> Candidate {
        let release: ReleaseId = id.parse().unwrap();
        Candidate {
            chart: ChartRef {
                name: release.name.to_string(),
                version: "3.4.0".into(),
            },
            decisions: vec![],
            driver: Driver::Secret,
            revision: Revision(14),
            record_uid: "uid".into(),
            facts: crate::domain::plan::Facts::default(),
            forecast: Forecast {
                release,
                outcome,
                reasons: causes
                    .iter()
                    .map(|cause| Reason {
                        cause: (*cause).into(),
                        object: None,
                        detail: format!("about {cause}"),
                    })
                    .collect(),
                notes: vec![],
                objects,
            },
        }
    }

    /// Three releases of fleet acme.
    pub(crate) fn acme() -> Vec<Candidate> {
        let mut checkout = object("Deployment", "checkout", ObjectOutcome::Conflict);
        checkout.active = vec![
            conflict(".spec.replicas", "kube-controller-manager/scale", "7", "3"),
            conflict(
                r#".spec.template.spec.containers[name="app"].image"#,
                "kubectl-set",
                "checkout:3.4.1-p1",
                "checkout:3.4.0",
            ),
        ];
        checkout.latent = vec![conflict(
            ".metadata.labels.team",
            "kubectl-label",
            "payments",
            "payments",
        )];
        checkout.drops = vec![".metadata.labels.old".into()];
        let since = "2026-11-22T15:09:31Z".parse().unwrap();
        let stands = |live: &str, ours: Option<&str>| Stands {
            owner: Some("helm".into()),
            since: Some(since),
            live: Some(live.into()),
            ours: ours.map(Into::into),
        };
        checkout.values = [(".metadata.labels.old".into(), stands("x", None))].into();
        let settings = object("ConfigMap", "settings", ObjectOutcome::OwnershipOnly);
        vec![
            candidate(
                "eu-2/shop/web",
                ReleaseOutcome::Ready,
                &[],
                vec![settings.clone()],
            ),
            candidate(
                "eu-1/shop/checkout",
                ReleaseOutcome::NeedsChoice,
                &["active-conflict", "active-conflict", "latest-failed"],
                vec![settings, checkout],
            ),
            candidate(
                "eu-1/shop/ledger",
                ReleaseOutcome::Blocked,
                &["pending-upgrade"],
                vec![],
            ),
        ]
    }

    /// The server says otherwise of one object.
    pub(crate) fn disagreeing() -> Confirmed {
        let disagreement = Disagreement {
            release: "eu-2/shop/web".parse().unwrap(),
            object: Some(object("ConfigMap", "settings", ObjectOutcome::Drift).object),
            about: Aspect::Drift,
            forecast: json!([]),
            server: json!([".data.a"]),
        };
        Confirmed {
            releases: 1,
            objects: 1,
            dry_runs: 2,
            again: 1,
            disagreements: vec![disagreement],
        }
    }

    #[test]
    fn what_the_server_says_otherwise_is_a_row() {
        let told = disagreeing();
        let releases = acme();
        let confirmed = |screen: &ShadowScreen<'_>| {
            let screen = ShadowScreen {
                confirmed: Some(&told),
                releases: &releases,
                ..screen.clone()
            };
            assert!(screen.has_disagreements());
            screen.document()
        };
        let printed = shown(confirmed, &Frame::PIPE);
        let rows = "\n\
RELEASE         OBJECT               ABOUT   FORECAST->SERVER
eu-2/shop/web   configmap/settings   drift   [] -> [\".data.a\"]
";
        assert!(printed.stdout.ends_with(rows), "{}", printed.stdout);
        let line = "Confirmed by the server: 1 object of 1 release, 1 disagreement, 2 dry runs, 1 moved and were compared twice.";
        assert!(printed.stderr.contains(line), "{}", printed.stderr);
    }

    fn shown(
        make: impl Fn(&ShadowScreen<'_>) -> Document,
        frame: &Frame,
    ) -> crate::render::Printed {
        let releases = acme();
        let unread = [("edge-1".into(), "token expired".to_owned())].into();
        let checkout = ReleaseCause {
            cause: "image-set-by-hand".into(),
            more: 2,
        };
        let causes = [("eu-1/shop/checkout".parse().unwrap(), checkout)].into();
        let screen = ShadowScreen {
            fleet: "acme",
            taken_at: "2026-11-23T10:19:58Z".parse().unwrap(),
            releases: &releases,
            unread: &unread,
            clusters: 3,
            from: None,
            causes: &causes,
            dry_runs: 6,
            asked: 2,
            confirmed: None,
            now: "2026-11-23T10:20:00Z".parse().unwrap(),
            took: SignedDuration::from_millis(1_949),
            tool: "0.1.0",
        };
        make(&screen)
            .print(Format::Table, None, frame, frame)
            .unwrap()
    }

    #[test]
    fn the_gravest_first_and_totals_below() {
        let printed = shown(|screen: &ShadowScreen<'_>| screen.document(), &Frame::PIPE);
        assert_eq!(
            printed.stdout,
            "\
CLUSTER   NAMESPACE   RELEASE    OUTCOME       OBJECTS   ACTIVE   LATENT   DROPS   CAUSE
edge-1    ?           ?          Unreachable   ?         ?        ?        ?       token expired
eu-1      shop        ledger     Blocked       0         0        0        0       pending-upgrade
eu-1      shop        checkout   NeedsChoice   2         2        1        1       image-set-by-hand (+2)
eu-2      shop        web        Ready         1         0        0        0       <none>
"
        );
        assert_eq!(
            printed.stderr,
            "\
OUTCOME       RELEASES   CONFLICTS-BY   HIGHEST
Blocked       1          cluster        eu-1 50.0%
NeedsChoice   1          chart          checkout-3.4.0 100.0%
Ready         1          kind           Deployment 100.0%
Done          0          owner          kube-controller-manager/scale 1 (33.3%), kubectl-set 1 (33.3%)
Total         3          fleet          acme 33.3% (1 of 3 releases)
2 active conflicts, 1 latent, 1 drop; 3 releases, 3 objects, 2 asked, 2 of 3 clusters, 1.9s, 0 writes.
warning: edge-1 not read: token expired
Next: refit shadow eu-1/shop/ledger       one release, field by field
      refit triage                        causes over the fleet, and their fixes
      refit plan --save refit.plan.json   what can be migrated, and what is held
"
        );
    }

    #[test]
    fn one_release_field_by_field() {
        let one = |screen: &ShadowScreen<'_>| {
            screen
                .release(&"eu-1/shop/checkout".parse().unwrap())
                .unwrap()
        };
        let printed = shown(one, &Frame::PIPE);
        assert_eq!(
            printed.stdout,
            "\
eu-1/shop/checkout   NeedsChoice   checkout-3.4.0, revision 14, 2 objects: 1 Conflict, 1 OwnershipOnly
OBJECT                TYPE     FIELD                                              OWNER                           AGE   THEIRS->OURS
deployment/checkout   active   .spec.replicas                                     kube-controller-manager/scale   19h   7 -> 3
deployment/checkout   active   .spec.template.spec.containers[name=\"app\"].image   kubectl-set                     19h   checkout:3.4.1-p1 -> checkout:3.4.0
deployment/checkout   latent   .metadata.labels.team                              kubectl-label                   19h   = payments
deployment/checkout   drop     .metadata.labels.old                               helm                            19h   x stays, let go

CAUSE           OBJECT   DETAIL
latest-failed   <none>   about latest-failed
"
        );
        assert_eq!(
            shown(one, &Frame::terminal(110)).stdout,
            "\
eu-1/shop/checkout   NeedsChoice   checkout-3.4.0, revision 14, 2 objects: 1 Conflict, 1 OwnershipOnly
OBJECT                TYPE     FIELD                            OWNER                    THEIRS->OURS
deployment/checkout   active   .spec.replicas                   kube-contro…ager/scale   7 -> 3
deployment/checkout   active   .spec.template.…e=\"app\"].image   kubectl-set              checkout:3.4.1-p1 ->…
deployment/checkout   latent   .metadata.labels.team            kubectl-label            = payments
deployment/checkout   drop     .metadata.labels.old             helm                     x stays, let go

CAUSE           OBJECT   DETAIL
latest-failed   <none>   about latest-failed
"
        );
    }

    #[test]
    fn a_drop_is_told_as_its_rule_says_and_drift_with_both_values() {
        let release = "eu-1/shop/checkout".parse().unwrap();
        let told = |action: Option<PolicyAction>, refused: Option<&str>| {
            let mut releases = acme();
            let candidate = releases
                .iter_mut()
                .find(|it| it.forecast.release == release)
                .unwrap();
            let object = candidate.forecast.objects.last_mut().unwrap();
            object.drift = vec![".spec.paused".into(), ".spec.rest".into()];
            let paused = Stands {
                live: Some("true".into()),
                ours: Some("false".into()),
                ..Stands::default()
            };
            object.values.insert(".spec.paused".into(), paused);
            candidate.decisions = action
                .map(|action| Decision {
                    object: object.object.clone(),
                    subject: Subject::Drop,
                    field: ".metadata.labels.old".into(),
                    owner: None,
                    action,
                    rule: None,
                    refused: refused.map(Into::into),
                    irreversible: false,
                })
                .into_iter()
                .collect();
            let one = |screen: &ShadowScreen<'_>| {
                let screen = ShadowScreen {
                    releases: &releases,
                    ..screen.clone()
                };
                screen.release(&release).unwrap()
            };
            shown(one, &Frame::PIPE).stdout
        };
        for (action, refused, words) in [
            (None, None, " x stays, let go\n"),
            (Some(PolicyAction::LetGo), None, " x stays, let go\n"),
            (
                Some(PolicyAction::PruneNext),
                None,
                " x stays ours, the next upgrade deletes it\n",
            ),
            (Some(PolicyAction::Pin), None, " x stays, pinned\n"),
            (Some(PolicyAction::Prune), None, " x is deleted\n"),
            (
                Some(PolicyAction::Prune),
                Some("no key"),
                " x stays, let go\n",
            ),
        ] {
            let printed = told(action, refused);
            assert!(printed.contains(words), "{action:?}: {printed}");
        }
        let printed = told(None, None);
        let lines: Vec<&str> = printed
            .lines()
            .filter(|it| it.contains(" drift "))
            .collect();
        assert!(
            lines[0].ends_with("true -> false, the next apply sets it back"),
            "{printed}"
        );
        assert!(
            lines[1].ends_with(" the next apply sets it back"),
            "{printed}"
        );
    }
}
