//! The store against a model that fits on a page: random claims, appends, ends and reopenings.

use std::collections::BTreeMap;

use proptest::prelude::*;
use refit::domain::ids::{AttemptNo, ClusterName, Epoch, ReleaseId, Seq};
use refit::domain::run::Outcome;
use refit::store::{Append, AttemptRow, Error, Journal as _, StoredEntry};

use super::sqlite::open;
use super::{append, at, close_attempt, cluster, entry, go_on, holder, open_attempt, release, row};

const CLUSTERS: [&str; 2] = ["eu-1", "us-1"];
const RELEASES: [&str; 2] = ["api", "web"];

#[derive(Debug, Clone)]
enum Step {
    Claim(usize),
    /// Opens the release's next attempt, under an epoch this many behind.
    Open(Place, u64),
    /// Goes on with an attempt, this many before the next one's number.
    /// With a row, or leaving the projection as it is.
    GoOn(Place, u64, u32, bool),
    Close(Place, u64, u32),
    /// Two attempts' entries in one append.
    Both(usize, u64),
    Reopen,
    Verify,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    cluster: usize,
    release: usize,
}

impl Place {
    fn id(self) -> ReleaseId {
        release(CLUSTERS[self.cluster], RELEASES[self.release])
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let place = (0..CLUSTERS.len(), 0..RELEASES.len())
        .prop_map(|(cluster, release)| Place { cluster, release });
    let behind = prop_oneof![6 => Just(0_u64), 1 => Just(1)];
    let back = prop_oneof![6 => Just(1_u32), 1 => Just(2), 1 => Just(0)];
    let step = prop_oneof![
        2 => (0..CLUSTERS.len()).prop_map(Step::Claim),
        4 => (place.clone(), behind.clone()).prop_map(|(place, behind)| Step::Open(place, behind)),
        6 => (place.clone(), behind.clone(), back.clone(), any::<bool>())
            .prop_map(|(place, behind, back, row)| Step::GoOn(place, behind, back, row)),
        4 => (place, behind.clone(), back)
            .prop_map(|(place, behind, back)| Step::Close(place, behind, back)),
        1 => (0..CLUSTERS.len(), behind).prop_map(|(cluster, behind)| Step::Both(cluster, behind)),
        1 => Just(Step::Reopen),
        1 => Just(Step::Verify),
    ];
    prop::collection::vec(step, 1..40)
}

/// What a store is.
#[derive(Debug, Default)]
struct Model {
    epochs: BTreeMap<ClusterName, Epoch>,
    journals: BTreeMap<ClusterName, Vec<StoredEntry>>,
    attempts: BTreeMap<(ReleaseId, AttemptNo), AttemptRow>,
}

/// How an append ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    At(Seq),
    Fenced,
    Open,
    Refused,
}

impl Model {
    fn epoch(&self, cluster: &ClusterName) -> Epoch {
        self.epochs.get(cluster).copied().unwrap_or(Epoch(0))
    }

    fn next_attempt(&self, release: &ReleaseId) -> AttemptNo {
        let mine = self.attempts.keys().filter(|(id, _)| id == release);
        mine.map(|(_, no)| *no).max().unwrap_or(AttemptNo(0)).next()
    }

    fn claim(&mut self, cluster: &ClusterName) -> Epoch {
        let epoch = self.epoch(cluster).next();
        self.epochs.insert(cluster.clone(), epoch);
        self.push(StoredEntry {
            cluster: cluster.clone(),
            seq: Seq(0),
            run: "run-1".into(),
            release: None,
            attempt: None,
            epoch,
            kind: "Takeover".to_owned(),
            body: Vec::new(),
            at: at(1),
        });
        epoch
    }

    fn push(&mut self, entry: StoredEntry) -> Seq {
        let journal = self.journals.entry(entry.cluster.clone()).or_default();
        let seq = Seq(journal.len() as u64 + 1);
        journal.push(StoredEntry { seq, ..entry });
        seq
    }

    fn append(&mut self, append: &Append) -> End {
        if append.epoch != self.epoch(&append.cluster) {
            return End::Fenced;
        }
        let mut attempts = self.attempts.clone();
        if let Some(row) = &append.attempt {
            attempts.insert((row.release.clone(), row.attempt), row.clone());
            let open = attempts
                .values()
                .filter(|other| other.release == row.release && other.outcome.is_none());
            if open.count() > 1 {
                return End::Open;
            }
        }
        for entry in &append.entries {
            let key = (entry.release.clone().unwrap(), entry.attempt.unwrap());
            let own = |row: &AttemptRow| (row.release.clone(), row.attempt) == key;
            let open = attempts.get(&key).is_some_and(|row| row.outcome.is_none());
            if !append.attempt.as_ref().is_some_and(own) && !open {
                return End::Refused;
            }
        }
        self.attempts = attempts;
        let mut last = Seq(0);
        for entry in &append.entries {
            last = self.push(StoredEntry {
                cluster: append.cluster.clone(),
                seq: Seq(0),
                run: append.run.clone(),
                release: entry.release.clone(),
                attempt: entry.attempt,
                epoch: append.epoch,
                kind: entry.kind.clone(),
                body: entry.body.clone(),
                at: append.at,
            });
        }
        End::At(last)
    }
}

async fn agree(steps: Vec<Step>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    let mut store = open(&path).await.unwrap();
    let mut model = Model::default();
    for step in steps {
        let epoch = |cluster: &ClusterName, behind: u64| {
            Epoch(model.epoch(cluster).0.saturating_sub(behind))
        };
        let wish = match step {
            Step::Claim(cluster) => {
                let cluster = self::cluster(CLUSTERS[cluster]);
                let got = store.claim(&cluster, &holder("run-1"), at(1)).await;
                assert_eq!(got.unwrap(), model.claim(&cluster));
                continue;
            }
            Step::Reopen => {
                store.close().await;
                store = open(&path).await.unwrap();
                continue;
            }
            Step::Verify => {
                compare(&store, &model).await;
                continue;
            }
            Step::Open(place, behind) => {
                let id = place.id();
                let next = model.next_attempt(&id);
                open_attempt(epoch(&id.cluster, behind), &id, next.0)
            }
            Step::GoOn(place, behind, back, row) => {
                let id = place.id();
                let no = model.next_attempt(&id).0.saturating_sub(back).max(1);
                let mut wish = go_on(epoch(&id.cluster, behind), &id, no, b"{}");
                wish.attempt = wish.attempt.filter(|_| row);
                wish
            }
            Step::Close(place, behind, back) => {
                let id = place.id();
                let no = model.next_attempt(&id).0.saturating_sub(back).max(1);
                close_attempt(epoch(&id.cluster, behind), &id, no, Outcome::Done)
            }
            Step::Both(cluster, behind) => {
                let name = CLUSTERS[cluster];
                let entries = RELEASES.iter().map(|release_name| {
                    let id = release(name, release_name);
                    let no = model.next_attempt(&id).0.saturating_sub(1).max(1);
                    entry(&id, no, "Swept", b"{}")
                });
                let entries: Vec<_> = entries.collect();
                let first = entries[0].clone();
                let (id, no) = (first.release.unwrap(), first.attempt.unwrap());
                let row = row(&id, no.0, None);
                append(epoch(&id.cluster, behind), entries, Some(row))
            }
        };
        let expected = model.append(&wish);
        let got = match store.append(wish).await {
            Ok(seq) => End::At(seq),
            Err(Error::Fenced { .. }) => End::Fenced,
            Err(Error::AttemptOpen { .. }) => End::Open,
            Err(Error::Database { .. }) => End::Refused,
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(got, expected);
    }
    compare(&store, &model).await;
    store.close().await;
}

async fn compare(store: &refit::store::sql::SqlStore, model: &Model) {
    for name in CLUSTERS {
        let cluster = cluster(name);
        let journal = model.journals.get(&cluster).map_or(0, Vec::len);
        assert_eq!(store.verify(&cluster).await.unwrap(), journal as u64);
        let claimed = store.claimed_by(&cluster).await.unwrap();
        let epoch = claimed.map_or(Epoch(0), |(epoch, _)| epoch);
        assert_eq!(epoch, model.epoch(&cluster));
        for release_name in RELEASES {
            let id = release(name, release_name);
            let next = store.next_attempt(&id).await.unwrap();
            assert_eq!(next, model.next_attempt(&id));
        }
    }
    let rows: Vec<AttemptRow> = model.attempts.values().cloned().collect();
    assert_eq!(store.attempts(None).await.unwrap(), rows);
    for (id, no) in model.attempts.keys() {
        let entries = store.attempt_entries(id, *no).await.unwrap();
        let expected = model.journals[&id.cluster]
            .iter()
            .filter(|entry| entry.release.as_ref() == Some(id) && entry.attempt == Some(*no));
        let expected: Vec<StoredEntry> = expected.cloned().collect();
        assert_eq!(entries, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_the_model_does(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(agree(steps));
    }
}
