//! Why a wave does not start before: in the order in which it waits.

use super::clock::DAY;
use super::open::OpenTime;
use super::place::{Times, look_ahead};
use super::sites::Sites;
use super::work::WaveWork;
use super::{LOOK_AHEAD_DAYS, instant};
use crate::domain::plan::{Plan, WaitsFor, Wave};

/// What each wave waits for.
pub(super) fn waits(
    plan: &Plan,
    sites: &Sites,
    work: &[WaveWork],
    times: &[Times],
    open: &mut [OpenTime],
) -> Vec<Vec<WaitsFor>> {
    let waves = plan.waves.iter().zip(work).zip(times);
    waves
        .map(|((wave, work), own)| {
            let mut waits = before(plan, wave, work, own, times);
            match (own.ready, own.starts()) {
                (Some(ready), Some(starts)) if ready < starts => {
                    let open = own.first.and_then(|kind| open.get(kind));
                    waits.extend(open.map_or_else(Vec::new, |open| shut(open, ready, starts)));
                }
                (Some(ready), None) => waits.extend(never(sites, work, own, ready, open)),
                _ => {}
            }
            waits
        })
        .collect()
}

/// Soak, date and approval.
fn before(
    plan: &Plan,
    wave: &Wave,
    work: &WaveWork,
    own: &Times,
    times: &[Times],
) -> Vec<WaitsFor> {
    let wait = |kind: &str, detail: String, until: Option<i64>| WaitsFor {
        kind: kind.to_owned(),
        detail,
        until: until.map(instant),
    };
    let mut waits = Vec::new();
    let soaked = |at: &usize| times.get(*at).and_then(Times::soaked);
    let mut last: Option<(i64, usize)> = None;
    for at in &work.after {
        match soaked(at) {
            None => {
                let detail = format!("{}, which is never done", at + 1);
                waits.push(wait("wave", detail, None));
            }
            Some(end) if last.is_none_or(|(latest, _)| end > latest) => last = Some((end, *at)),
            Some(_) => {}
        }
    }
    if let Some((until, at)) = last
        && times.get(at).is_some_and(|it| it.soak > 0)
    {
        waits.push(wait("soak", format!("of wave {}", at + 1), Some(until)));
    }
    if work.deferred
        && own
            .ready
            .is_some_and(|ready| Some(ready) > last.map(|(end, _)| end))
    {
        let date = plan.metadata.settings.risk.defer_low_until;
        let detail = date.map_or_else(String::new, |date| format!("of low risk to {date}"));
        let begins = super::begins(plan);
        if own.ready > Some(begins) {
            waits.push(wait("deferral", detail, own.ready));
        }
    }
    if wave.approval {
        waits.push(wait("approval", "by somebody else".to_owned(), None));
    }
    waits
}

/// Freezes on the way to the first open time, and the windows that open then.
fn shut(open: &OpenTime, ready: i64, starts: i64) -> Vec<WaitsFor> {
    let mut waits = Vec::new();
    let mut thawed = ready;
    for (name, ends) in open.freezes_within(ready, starts) {
        thawed = thawed.max(ends.min(starts));
        waits.push(WaitsFor {
            kind: "freeze".to_owned(),
            detail: name.to_owned(),
            until: Some(instant(ends.min(starts))),
        });
    }
    let windows = open.windows_at(starts);
    if thawed < starts && !windows.is_empty() {
        waits.push(WaitsFor {
            kind: "window".to_owned(),
            detail: windows.join(", "),
            until: Some(instant(starts)),
        });
    }
    waits
}

/// Why a wave that is ready never writes: the freezes in the way, and the cluster that is not open for long enough.
fn never(
    sites: &Sites,
    work: &WaveWork,
    own: &Times,
    ready: i64,
    open: &mut [OpenTime],
) -> Vec<WaitsFor> {
    let Some(kind) = own.never else {
        return Vec::new();
    };
    let of_kind = |cluster: u32| sites.kind.get(cluster as usize) == Some(&kind);
    let mut parts: Vec<_> = work.parts.iter().filter(|it| of_kind(it.cluster)).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.longest));
    let cluster = parts.first().map(|part| part.cluster as usize);
    let (Some(cluster), Some(open)) = (
        cluster.and_then(|cluster| sites.names.get(cluster)),
        open.get_mut(kind),
    ) else {
        return Vec::new();
    };
    let opens = open.next(ready, 1).is_some();
    let why = if opens {
        "is never open as long as its releases need"
    } else {
        "is not open at all"
    };
    let last = ready.saturating_add(LOOK_AHEAD_DAYS * DAY);
    let freezes = open.freezes_within(ready, last).into_iter();
    let mut waits: Vec<WaitsFor> = freezes
        .filter(|_| !opens)
        .map(|(name, ends)| WaitsFor {
            kind: "freeze".to_owned(),
            detail: name.to_owned(),
            until: Some(instant(ends)),
        })
        .collect();
    waits.push(WaitsFor {
        kind: "window".to_owned(),
        detail: format!("of {cluster}, which {why} in {}", look_ahead()),
        until: None,
    });
    waits
}
