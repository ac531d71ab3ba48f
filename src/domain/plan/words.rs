//! Why a release is where it is, in words.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::PlannedRelease;
use super::intake::{Intake, Row};
use crate::domain::fleet::settings::PlanSettings;
use crate::domain::ids::ReleaseId;

/// What is said of one release.
pub(super) struct Said<'a> {
    pub(super) planned: &'a PlannedRelease,
    pub(super) row: &'a Row,
    /// Is it in the first wave?
    pub(super) first_wave: bool,
    /// Is it a canary by coverage?
    pub(super) canary: bool,
    /// Does another canary need it?
    pub(super) needed: bool,
    /// Signatures that nobody before it shows.
    pub(super) firsts: u32,
    /// What moved it to a later wave.
    pub(super) mover: Option<Mover<'a>>,
}

/// What keeps a release out of earlier waves, beside their sizes.
pub(super) enum Mover<'a> {
    /// It needs this one.
    Needed(ReleaseId),
    /// A limit of this name.
    Limit(&'a str),
}

/// Which place each release has on its cluster and among those of its chart, counted as reasons are asked for.
pub(super) struct Places {
    prod: Vec<bool>,
    /// Taken, and all, by cluster.
    clusters: Vec<(u32, u32)>,
    charts: Vec<(u32, u32)>,
    /// The number of each chart's name, by the number of the chart.
    names: Vec<u32>,
    begun: bool,
    /// The text in the making: kept, so that each is as long as it has to be.
    text: String,
    /// Are stages of the plan's own making? Then prod comes last by the order alone.
    plain: bool,
    others: bool,
}

impl Places {
    pub(super) fn of(intake: &Intake<'_>, settings: &PlanSettings) -> Self {
        let names_of: Vec<u32> = intake.charts().collect();
        let bound = |numbers: &mut dyn Iterator<Item = u32>| {
            numbers.max().map_or(0, |most| most as usize + 1)
        };
        let mut names = vec![0; bound(&mut intake.rows.iter().map(|row| row.chart))];
        let mut charts = vec![(0, 0); bound(&mut names_of.iter().copied())];
        let mut clusters = vec![(0, 0); intake.clusters.len()];
        for (row, name) in intake.rows.iter().zip(&names_of) {
            names[row.chart as usize] = *name;
            charts[*name as usize].1 += 1;
            clusters[row.cluster as usize].1 += 1;
        }
        let prod: Vec<bool> = (0_u32..)
            .take(clusters.len())
            .map(|at| intake.clusters.is_prod(at))
            .collect();
        let used = |(prod, (_, all)): (&bool, &(u32, u32))| !prod && *all > 0;
        Self {
            others: prod.iter().zip(&clusters).any(used),
            plain: settings.stages.len() <= 1,
            prod,
            clusters,
            charts,
            names,
            begun: false,
            text: String::new(),
        }
    }

    /// Why the release is where it is. Asked for once each, in the order of the plan.
    pub(super) fn reason(&mut self, said: &Said<'_>) -> String {
        let planned = said.planned;
        let cluster = next(self.clusters.get_mut(said.row.cluster as usize));
        let name = self.names.get(said.row.chart as usize).copied();
        let chart = next(name.and_then(|name| self.charts.get_mut(name as usize)));
        let first = !std::mem::replace(&mut self.begun, true);
        let text = &mut self.text;
        text.clear();
        if said.canary && said.firsts == 0 && said.needed {
            text.push_str("canary, as another one needs it: ");
        } else if said.canary {
            let plural = if said.firsts == 1 { "" } else { "s" };
            // Writing into a String cannot fail.
            let _ = write!(
                text,
                "canary, shows {} new signature{plural}: ",
                said.firsts
            );
        } else if said.first_wave {
            text.push_str(if first {
                "canary, the lowest risk: "
            } else {
                "canary: "
            });
        }
        ordinal(text, cluster);
        let _ = write!(text, " on {}, ", planned.release.cluster);
        ordinal(text, chart);
        let plural = if planned.objects == 1 { "" } else { "s" };
        let _ = write!(
            text,
            " of chart {}; {} object{plural}, ",
            planned.chart.name, planned.objects
        );
        match planned.notes.len() {
            0 => text.push_str("no notes"),
            1 => text.push_str("1 note"),
            number => {
                let _ = write!(text, "{number} notes");
            }
        }
        if !said.first_wave && said.firsts > 0 {
            text.push_str("; first of its kind");
        }
        let is_prod = self.prod.get(said.row.cluster as usize).copied();
        if is_prod == Some(true) && self.plain && self.others && !said.canary {
            text.push_str("; prod after the others");
        }
        let _ = match &said.mover {
            None => Ok(()),
            Some(Mover::Needed(release)) => write!(text, "; after {release}"),
            Some(Mover::Limit(name)) => write!(text, "; within {name}"),
        };
        text.clone()
    }
}

fn next(place: Option<&mut (u32, u32)>) -> (u32, u32) {
    place.map_or((1, 1), |(taken, all)| {
        *taken += 1;
        (*taken, *all)
    })
}

fn ordinal(text: &mut String, (place, all): (u32, u32)) {
    let _ = match place.cmp(&1) {
        Ordering::Greater => write!(text, "{place} of {all}"),
        _ if all == 1 => write!(text, "the only one"),
        _ => write!(text, "first of {all}"),
    };
}
