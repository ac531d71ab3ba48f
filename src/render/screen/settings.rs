//! Settings of the planner in words: what a playbook says, what a plan was made with.

use std::fmt::Write as _;

use jiff::SignedDuration;

use crate::domain::fleet::settings::{
    CanaryRule, Cut, Gate, GateCheck, HeldDependency, Lanes, OnSpent, PlanSettings, RiskOrder,
};
use crate::domain::fleet::{Selector, WaveSize, WaveSizes};
use crate::render::text;

/// Settings that say something, in words: what it is about, and what holds.
pub fn rows(settings: &PlanSettings) -> Vec<(&'static str, String)> {
    let mut rows: Vec<(&'static str, String)> = Vec::new();
    rows.push(("canaries", canary(&settings.canary)));
    for stage in &settings.stages {
        let who = of(&stage.selector);
        let name = if stage.name.is_empty() {
            String::new()
        } else {
            format!("{}: ", stage.name)
        };
        rows.push(("stage", format!("{name}{who}, {}", cut(&stage.cut))));
    }
    for cap in &settings.caps {
        rows.push(("cap", format!("{} = {}", cap.name, cap.at_most)));
    }
    for peers in &settings.peers {
        rows.push(("peers", format!("{} never share a wave", peers.name)));
    }
    if let Lanes::By(key) = &settings.lanes {
        rows.push(("lanes", format!("each {key} waits for its own waves only")));
    }
    for soak in &settings.soak {
        let time = match soak.seconds {
            0 => "none".to_owned(),
            seconds => span(seconds),
        };
        rows.push(("soak", format!("{}: {time}", soak.name)));
    }
    for gate in &settings.gates {
        rows.push(("gate", self::gate(gate)));
    }
    if !settings.approvals.is_empty() {
        let names = settings.approvals.join(", ");
        rows.push((
            "approval",
            format!("by somebody other than the author, before: {names}"),
        ));
    }
    let budget = &settings.budget;
    let bound = |name: &str, bound: Option<u32>| bound.map(|bound| format!("{name} {bound}"));
    let mut bounds: Vec<String> = [
        bound("failed", budget.failed),
        bound("undone", budget.undone),
    ]
    .into_iter()
    .flatten()
    .collect();
    bounds.extend(
        budget
            .conflict_rate
            .map(|it| format!("conflict rate {}", rate(it))),
    );
    if !bounds.is_empty() {
        rows.push(("budget", format!("a wave allows {}", bounds.join(", "))));
        rows.push(("on-failure", spent(budget.spent).to_owned()));
    }
    if settings.risk.order == RiskOrder::HighFirst {
        rows.push(("risk", "the highest first".to_owned()));
    }
    if let Some(date) = settings.risk.defer_low_until {
        rows.push(("risk", format!("low risk waits until {date}")));
    }
    if settings.held_dependency == HeldDependency::Hold {
        rows.push((
            "dependencies",
            "who needs a held release is held too".to_owned(),
        ));
    }
    rows
}

fn canary(rule: &CanaryRule) -> String {
    match rule {
        CanaryRule::None => "none: the first wave is all there is".to_owned(),
        CanaryRule::Coverage {
            selector,
            max_risk,
            max_releases,
        } => {
            let mut words = format!("the fewest that show every signature, of {}", of(selector));
            if let Some(risk) = max_risk {
                let _ = write!(words, ", risk at most {risk}");
            }
            if let Some(releases) = max_releases {
                let _ = write!(words, ", at most {releases}");
            }
            words
        }
    }
}

fn of(selector: &Selector) -> String {
    if selector.is_all() {
        "all".to_owned()
    } else {
        selector.as_str().to_owned()
    }
}

/// How a stage is cut, in words.
fn cut(cut: &Cut) -> String {
    match cut {
        Cut::Whole => "in one wave".to_owned(),
        Cut::Sizes(sizes) => format!("in waves of {}, the last repeats", self::sizes(sizes)),
        Cut::Doubling { first } => format!("in waves of {first}, doubling"),
        Cut::Shares(shares) => {
            let shares: Vec<String> = shares.iter().map(|it| format!("{it}%")).collect();
            format!("in waves of about {}", shares.join(", "))
        }
    }
}

fn sizes(sizes: &WaveSizes) -> String {
    let sizes: Vec<String> = sizes
        .0
        .iter()
        .map(|size| match size {
            WaveSize::Count(count) => count.to_string(),
            WaveSize::Percent(percent) => format!("{percent}%"),
        })
        .collect();
    sizes.join(", ")
}

fn span(seconds: u32) -> String {
    if seconds.is_multiple_of(3_600) {
        format!("{}h", seconds / 3_600)
    } else if seconds.is_multiple_of(60) {
        format!("{}m", seconds / 60)
    } else {
        text::duration(SignedDuration::from_secs(i64::from(seconds)))
    }
}

/// Hundredths of a percent.
fn rate(hundredths: u16) -> String {
    match (hundredths / 100, hundredths % 100) {
        (whole, 0) => format!("{whole}%"),
        (whole, part) if part % 10 == 0 => format!("{whole}.{}%", part / 10),
        (whole, part) => format!("{whole}.{part:02}%"),
    }
}

fn gate(gate: &Gate) -> String {
    let asks = match &gate.check {
        GateCheck::Health { within_seconds } => {
            format!("every workload ready within {}", span(*within_seconds))
        }
        GateCheck::ConflictRate { at_most } => format!("conflict rate at most {}", rate(*at_most)),
        GateCheck::Ownership => "nobody took fields back".to_owned(),
        GateCheck::Http { url, status } => format!("{url} answers {status}"),
        GateCheck::Prometheus { url, query } => format!("{query} at {url}"),
        GateCheck::Command { argv, .. } => format!("{} ends with 0", argv.join(" ")),
        GateCheck::Plugin { name } => format!("plugin {name} says yes"),
    };
    if gate.after.is_empty() {
        format!("{}: {asks}", gate.name)
    } else {
        format!("{}: {asks}, after {}", gate.name, gate.after.join(", "))
    }
}

/// What happens when a budget is spent, in words.
const fn spent(spent: OnSpent) -> &'static str {
    match spent {
        OnSpent::Stop => "no release is begun any more; what is migrated stays",
        OnSpent::UndoCluster => "the cluster's releases of this wave are put back",
        OnSpent::UndoWave => "the whole wave is put back",
    }
}
