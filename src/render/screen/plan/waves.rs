//! Waves of a plan: all of them, one with its releases, what the first leaves untested.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::json;

use super::{PlanScreen, natural_list};
use crate::domain::ids::ClusterName;
use crate::domain::plan::{PlannedRelease, RequestEstimate, Wave};
use crate::render::{Column, Document, Record, Role, Span, Table, text};

impl PlanScreen<'_> {
    pub(super) fn waves(&self) -> Table {
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
                    Span::plain(it.risk.score.to_string()),
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
                    Column::new("RISK"),
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

    /// Signatures that the first wave does not show: kind `UntestedList`.
    pub fn untested(&self) -> Document {
        let records = self.plan.untested.iter().map(|it| Record {
            cells: vec![
                Span::plain(it.wave.to_string()),
                Span::plain(it.first.to_string()),
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
            Column::new("FIRST"),
            Column::new("RELEASES"),
            Column::new("WHY").narrow(1),
            Column::new("SIGNATURE"),
        ];
        let total = text::counted(text::len(&self.plan.untested), "signature");
        self.listed("UntestedList", columns.into(), records.collect())
            .total([Span::plain(format!("{total} not seen in the first wave."))])
    }
}
