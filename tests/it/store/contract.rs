//! What every store must do, written against the traits; `sqlite` runs it.

use std::collections::BTreeMap;
use std::sync::Arc;

use refit::domain::ids::{AttemptNo, Epoch, RunId, Seq};
use refit::domain::run::Outcome;
use refit::store::{Error, Journal, State};

use super::{
    append, at, close_attempt, cluster, digest, entry, go_on, holder, image, open_attempt, release,
    row, run_row,
};

/// A store under test.
pub trait Store: Journal + State + 'static {}
impl<T: Journal + State + 'static> Store for T {}

/// Names the cases, for each store to run.
macro_rules! cases {
    ($run:ident) => {
        $run! {
            what_was_appended_reads_back,
            a_closed_attempt_is_projected_so,
            images_are_stored_once_and_checked,
            an_older_epoch_appends_nothing,
            a_takeover_among_appends_lets_no_late_one_through,
            a_release_has_one_open_attempt,
            a_refused_append_leaves_nothing_and_fails_alone,
            many_appenders_share_commits_and_keep_order,
            claims_count_and_name_their_holder,
            runs_read_back_newest_first,
            malformed_appends_are_refused,
        }
    };
}
pub(super) use cases;

pub async fn what_was_appended_reads_back(store: Arc<impl Store>) {
    let web = release("eu-1", "web");
    let epoch = store
        .claim(&web.cluster, &holder("run-1"), at(1))
        .await
        .unwrap();
    assert_eq!(store.next_attempt(&web).await.unwrap(), AttemptNo(1));
    let first = store.append(open_attempt(epoch, &web, 1)).await.unwrap();
    assert_eq!(first, Seq(2), "after the takeover");
    let two = vec![
        entry(&web, 1, "Verified", b"{}"),
        entry(&web, 1, "Intent", br#"{"no":2}"#),
    ];
    let last = store
        .append(append(epoch, two, Some(row(&web, 1, None))))
        .await;
    assert_eq!(last.unwrap(), Seq(4));
    // Another release, and another cluster, in between.
    let api = release("eu-1", "api");
    store.append(open_attempt(epoch, &api, 1)).await.unwrap();
    let far = release("us-1", "web");
    let there = store
        .claim(&far.cluster, &holder("run-1"), at(1))
        .await
        .unwrap();
    assert_eq!(
        store.append(open_attempt(there, &far, 1)).await.unwrap(),
        Seq(2)
    );

    let entries = store.attempt_entries(&web, AttemptNo(1)).await.unwrap();
    let told: Vec<(u64, &str, &[u8])> = entries
        .iter()
        .map(|entry| (entry.seq.0, entry.kind.as_str(), entry.body.as_slice()))
        .collect();
    assert_eq!(
        told,
        [
            (2, "Opened", &br#"{"kind":"opened"}"#[..]),
            (3, "Verified", b"{}"),
            (4, "Intent", br#"{"no":2}"#),
        ]
    );
    for entry in &entries {
        assert_eq!(entry.cluster, web.cluster);
        assert_eq!(entry.release, Some(web.clone()));
        assert_eq!(entry.attempt, Some(AttemptNo(1)));
        assert_eq!(entry.epoch, epoch);
        assert_eq!(entry.run, RunId::new("run-1"));
        assert_eq!(entry.at, at(7));
    }
    assert!(
        store
            .attempt_entries(&web, AttemptNo(2))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.next_attempt(&web).await.unwrap(), AttemptNo(2));
    assert_eq!(store.verify(&web.cluster).await.unwrap(), 5);
    assert_eq!(store.verify(&far.cluster).await.unwrap(), 2);
    assert_eq!(store.verify(&cluster("nowhere")).await.unwrap(), 0);
}

pub async fn a_closed_attempt_is_projected_so(store: Arc<impl Store>) {
    let epoch = store
        .claim(&cluster("eu-1"), &holder("run-1"), at(1))
        .await
        .unwrap();
    let moved_on = Outcome::MovedOn {
        why: vec!["helm upgraded it".to_owned()],
        settled: false,
    };
    // Sorted as releases are, not as their text: "a-b/x" < "a/x" as text.
    let names = ["eu-1/a/x", "eu-1/a-b/x"];
    for name in names.iter().rev() {
        let release = name.parse().unwrap();
        store
            .append(open_attempt(epoch, &release, 1))
            .await
            .unwrap();
    }
    let first = names[0].parse().unwrap();
    store
        .append(close_attempt(epoch, &first, 1, moved_on.clone()))
        .await
        .unwrap();
    store.append(open_attempt(epoch, &first, 2)).await.unwrap();
    let second = names[1].parse().unwrap();
    let expected = vec![
        row(&first, 1, Some(moved_on)),
        row(&first, 2, None),
        row(&second, 1, None),
    ];
    assert_eq!(store.attempts(None).await.unwrap(), expected);
    let run = RunId::new("run-1");
    assert_eq!(store.attempts(Some(&run)).await.unwrap(), expected);
    let run = RunId::new("run-2");
    assert_eq!(store.attempts(Some(&run)).await.unwrap(), []);
    assert_eq!(store.verify(&first.cluster).await.unwrap(), 5);
}

pub async fn images_are_stored_once_and_checked(store: Arc<impl Store>) {
    let web = release("eu-1", "web");
    let epoch = store
        .claim(&web.cluster, &holder("run-1"), at(1))
        .await
        .unwrap();
    let bytes = br#"{"f:metadata":{}}"#.repeat(500);
    let mut opened = open_attempt(epoch, &web, 1);
    opened.images = vec![image(&bytes), image(b""), image(&bytes)];
    store.append(opened).await.unwrap();
    let mut again = go_on(epoch, &web, 1, b"{}");
    again.images = vec![image(&bytes)];
    store.append(again).await.unwrap();
    assert_eq!(store.image(&digest(&bytes)).await.unwrap(), Some(bytes));
    assert_eq!(store.image(&digest(b"")).await.unwrap(), Some(Vec::new()));
    assert_eq!(store.image(&digest(b"other")).await.unwrap(), None);
    assert_eq!(store.image(&"no digest".into()).await.unwrap(), None);
    let mut wrong = go_on(epoch, &web, 1, b"{}");
    wrong.images = vec![image(b"one")];
    wrong.images[0].bytes = b"two".to_vec();
    assert!(store.append(wrong).await.is_err());
    assert_eq!(store.verify(&web.cluster).await.unwrap(), 3);
}

pub async fn an_older_epoch_appends_nothing(store: Arc<impl Store>) {
    let web = release("eu-1", "web");
    let unclaimed = store.append(open_attempt(Epoch(1), &web, 1)).await;
    assert!(
        matches!(unclaimed, Err(Error::Fenced { .. })),
        "no claim at all"
    );
    let old = store
        .claim(&web.cluster, &holder("run-1"), at(1))
        .await
        .unwrap();
    store.append(open_attempt(old, &web, 1)).await.unwrap();
    let new = store
        .claim(&web.cluster, &holder("run-2"), at(2))
        .await
        .unwrap();
    assert_eq!(new, old.next());
    let mut late = go_on(old, &web, 1, b"{}");
    late.images = vec![image(b"late")];
    match store.append(late).await {
        Err(Error::Fenced {
            cluster,
            held,
            current,
        }) => {
            assert_eq!((cluster, held, current), (web.cluster.clone(), old, new));
        }
        other => panic!("{other:?}"),
    }
    let future = store.append(go_on(new.next(), &web, 1, b"{}")).await;
    assert!(matches!(future, Err(Error::Fenced { .. })));
    assert_eq!(store.image(&digest(b"late")).await.unwrap(), None);
    assert_eq!(
        store.append(go_on(new, &web, 1, b"{}")).await.unwrap(),
        Seq(4)
    );
    // A claim on one cluster fences no other.
    let far = release("us-1", "web");
    let there = store
        .claim(&far.cluster, &holder("run-1"), at(3))
        .await
        .unwrap();
    store.append(open_attempt(there, &far, 1)).await.unwrap();
    assert_eq!(store.verify(&web.cluster).await.unwrap(), 4);
}

/// Appenders under the first epoch run on while others take over; afterwards the journal itself tells whether an
/// entry of an old epoch stands behind a takeover.
pub async fn a_takeover_among_appends_lets_no_late_one_through(store: Arc<impl Store>) {
    const WORKERS: u32 = 8;
    const TAKEOVERS: u32 = 5;
    /// Far more than one worker gets done before a takeover's turn comes.
    const ENOUGH: u64 = 2_000;
    let eu = cluster("eu-1");
    let first = store.claim(&eu, &holder("run-0"), at(0)).await.unwrap();
    for worker in 0..WORKERS {
        let web = release("eu-1", &format!("w{worker}"));
        store.append(open_attempt(first, &web, 1)).await.unwrap();
    }
    let mut workers = Vec::new();
    for worker in 0..WORKERS {
        let store = Arc::clone(&store);
        workers.push(tokio::spawn(async move {
            let web = release("eu-1", &format!("w{worker}"));
            let mut done = 0_u64;
            loop {
                match store.append(go_on(first, &web, 1, b"{}")).await {
                    Ok(_) if done < ENOUGH => done += 1,
                    Ok(_) => panic!("the takeovers fence nothing"),
                    Err(Error::Fenced { held, current, .. }) => {
                        assert!(held < current);
                        return done;
                    }
                    Err(other) => panic!("{other}"),
                }
                if done == 1 {
                    tokio::task::yield_now().await;
                }
            }
        }));
    }
    let mut takers = Vec::new();
    for taker in 0..TAKEOVERS {
        let store = Arc::clone(&store);
        takers.push(tokio::spawn(async move {
            let run = format!("run-{taker}");
            store
                .claim(&cluster("eu-1"), &holder(&run), at(1))
                .await
                .unwrap()
        }));
    }
    let mut epochs = Vec::new();
    for taker in takers {
        epochs.push(taker.await.unwrap().0);
    }
    epochs.sort_unstable();
    let expected: Vec<u64> = (2..2 + u64::from(TAKEOVERS)).collect();
    assert_eq!(epochs, expected, "each takeover has an epoch of its own");
    let mut acknowledged = 0;
    for worker in workers {
        acknowledged += worker.await.unwrap();
    }
    // verify checks that each entry's epoch is that of the takeover before it.
    let entries = store.verify(&eu).await.unwrap();
    assert_eq!(
        entries,
        1 + u64::from(WORKERS) + u64::from(TAKEOVERS) + acknowledged,
        "what was acknowledged is there, and nothing else"
    );
}

pub async fn a_release_has_one_open_attempt(store: Arc<impl Store>) {
    let web = release("eu-1", "web");
    let epoch = store
        .claim(&web.cluster, &holder("run-1"), at(1))
        .await
        .unwrap();
    store.append(open_attempt(epoch, &web, 1)).await.unwrap();
    match store.append(open_attempt(epoch, &web, 2)).await {
        Err(Error::AttemptOpen { release }) => assert_eq!(release, web),
        other => panic!("{other:?}"),
    }
    assert_eq!(store.next_attempt(&web).await.unwrap(), AttemptNo(2));
    store
        .append(close_attempt(epoch, &web, 1, Outcome::Done))
        .await
        .unwrap();
    store.append(open_attempt(epoch, &web, 2)).await.unwrap();
    // A closed one cannot be opened again beside it.
    let reopened = store.append(go_on(epoch, &web, 1, b"{}")).await;
    assert!(matches!(reopened, Err(Error::AttemptOpen { .. })));
    // Nor gone on with in silence.
    let mut silent = go_on(epoch, &web, 1, b"{}");
    silent.attempt = None;
    assert!(store.append(silent).await.is_err());
    assert_eq!(store.verify(&web.cluster).await.unwrap(), 4);
    // Alone it can: settling may go on after an end that was none.
    for wish in [
        close_attempt(epoch, &web, 2, Outcome::Done),
        go_on(epoch, &web, 1, b"{}"),
        close_attempt(epoch, &web, 1, Outcome::Done),
    ] {
        store.append(wish).await.unwrap();
    }
    // The same name elsewhere is another release.
    let far = release("us-1", "web");
    let there = store
        .claim(&far.cluster, &holder("run-1"), at(1))
        .await
        .unwrap();
    store.append(open_attempt(there, &far, 1)).await.unwrap();
    assert_eq!(store.verify(&web.cluster).await.unwrap(), 7);
}

/// Good and bad appends at once, so that they meet in batches.
pub async fn a_refused_append_leaves_nothing_and_fails_alone(store: Arc<impl Store>) {
    const EACH: u32 = 40;
    let eu = cluster("eu-1");
    let old = store.claim(&eu, &holder("run-1"), at(1)).await.unwrap();
    let epoch = store.claim(&eu, &holder("run-1"), at(1)).await.unwrap();
    let taken = release("eu-1", "taken");
    store.append(open_attempt(epoch, &taken, 1)).await.unwrap();
    let mut tasks = Vec::new();
    for n in 0..3 * EACH {
        let store = Arc::clone(&store);
        let fresh = release("eu-1", &format!("r{n}"));
        let bytes = format!("image {n}").into_bytes();
        let mut wish = match n % 3 {
            0 => open_attempt(epoch, &fresh, 1),
            1 => open_attempt(epoch, &release("eu-1", "taken"), 2 + n),
            _ => open_attempt(old, &fresh, 1),
        };
        wish.images = vec![image(&bytes)];
        tasks.push(tokio::spawn(async move {
            let result = store.append(wish).await;
            match (n % 3, &result) {
                (0, Ok(_))
                | (1, Err(Error::AttemptOpen { .. }))
                | (2, Err(Error::Fenced { .. })) => {}
                _ => panic!("{n}: {result:?}"),
            }
            let stored = store.image(&digest(&bytes)).await.unwrap();
            assert_eq!(stored.is_some(), n % 3 == 0, "{n}");
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.verify(&eu).await.unwrap(), 3 + u64::from(EACH));
    assert_eq!(store.attempts(None).await.unwrap().len(), 1 + EACH as usize);
}

/// 200 appenders over 4 clusters: each sees its own entries in its own order, each chain is whole.
pub async fn many_appenders_share_commits_and_keep_order(store: Arc<impl Store>) {
    const APPENDERS: u32 = 200;
    const CLUSTERS: u32 = 4;
    const EACH: u32 = 10;
    let mut epochs = BTreeMap::new();
    for n in 0..CLUSTERS {
        let name = format!("eu-{n}");
        let epoch = store.claim(&cluster(&name), &holder("run-1"), at(1)).await;
        epochs.insert(n, epoch.unwrap());
    }
    let mut tasks = Vec::new();
    for n in 0..APPENDERS {
        let store = Arc::clone(&store);
        let epoch = epochs[&(n % CLUSTERS)];
        tasks.push(tokio::spawn(async move {
            let mine = release(&format!("eu-{}", n % CLUSTERS), &format!("r{n}"));
            let mut seqs = vec![store.append(open_attempt(epoch, &mine, 1)).await.unwrap()];
            for step in 1..EACH {
                let body = format!(r#"{{"step":{step}}}"#);
                let next = go_on(epoch, &mine, 1, body.as_bytes());
                seqs.push(store.append(next).await.unwrap());
            }
            (mine, seqs)
        }));
    }
    for task in tasks {
        let (mine, seqs) = task.await.unwrap();
        let entries = store.attempt_entries(&mine, AttemptNo(1)).await.unwrap();
        let stored: Vec<Seq> = entries.iter().map(|entry| entry.seq).collect();
        assert_eq!(stored, seqs, "acknowledged in this order: {mine}");
        for (step, entry) in entries.iter().enumerate().skip(1) {
            assert_eq!(entry.body, format!(r#"{{"step":{step}}}"#).into_bytes());
        }
    }
    for n in 0..CLUSTERS {
        let entries = store.verify(&cluster(&format!("eu-{n}"))).await.unwrap();
        assert_eq!(entries, 1 + u64::from(APPENDERS / CLUSTERS * EACH));
    }
}

pub async fn claims_count_and_name_their_holder(store: Arc<impl Store>) {
    let eu = cluster("arn:aws:eks:eu-west-1:1:cluster/prod");
    assert_eq!(store.claimed_by(&eu).await.unwrap(), None);
    for n in 1..=3 {
        let who = holder(&format!("run-{n}"));
        assert_eq!(store.claim(&eu, &who, at(1)).await.unwrap(), Epoch(n));
        assert_eq!(store.claimed_by(&eu).await.unwrap(), Some((Epoch(n), who)));
    }
    assert_eq!(store.verify(&eu).await.unwrap(), 3);
    assert_eq!(store.claimed_by(&cluster("eu-2")).await.unwrap(), None);
}

pub async fn runs_read_back_newest_first(store: Arc<impl Store>) {
    let uuid = store.uuid().await.unwrap();
    assert!(!uuid.is_empty());
    assert_eq!(store.runs().await.unwrap(), []);
    let (mut old, new) = (run_row("run-old", 10), run_row("run-new", 20));
    // Half a second later; as text it sorts before.
    let mut mid = run_row("run-mid", 10);
    mid.started = "1970-01-01T00:00:10.5Z".parse().unwrap();
    for run in [&new, &old, &mid] {
        store.create_run(run).await.unwrap();
    }
    assert!(store.create_run(&old).await.is_err(), "an id is used once");
    assert_eq!(store.runs().await.unwrap(), [new.clone(), mid, old.clone()]);
    assert_eq!(store.run(&new.run).await.unwrap(), Some(new));
    store
        .set_run_state(&old.run, "stopped", None)
        .await
        .unwrap();
    "stopped".clone_into(&mut old.state);
    assert_eq!(store.run(&old.run).await.unwrap(), Some(old.clone()));
    let other = holder("run-old");
    store
        .set_run_state(&old.run, "running", Some(&other))
        .await
        .unwrap();
    "running".clone_into(&mut old.state);
    old.holder = other;
    assert_eq!(store.run(&old.run).await.unwrap(), Some(old));
    let nobody = RunId::new("run-none");
    assert_eq!(store.run(&nobody).await.unwrap(), None);
    assert!(store.set_run_state(&nobody, "stopped", None).await.is_err());
}

pub async fn malformed_appends_are_refused(store: Arc<impl Store>) {
    let web = release("eu-1", "web");
    let epoch = store
        .claim(&web.cluster, &holder("run-1"), at(1))
        .await
        .unwrap();
    let empty = refit::store::Append {
        entries: Vec::new(),
        ..open_attempt(epoch, &web, 1)
    };
    let unopened = append(epoch, vec![entry(&web, 1, "Intent", b"{}")], None);
    let elsewhere = refit::store::Append {
        attempt: Some(row(&release("us-1", "web"), 1, None)),
        ..open_attempt(epoch, &web, 1)
    };
    let without_entry = refit::store::Append {
        attempt: Some(row(&release("eu-1", "api"), 1, None)),
        ..open_attempt(epoch, &web, 1)
    };
    for wrong in [empty, unopened, elsewhere, without_entry] {
        let result = store.append(wrong).await;
        assert!(matches!(result, Err(Error::Database { .. })), "{result:?}");
    }
    assert_eq!(store.verify(&web.cluster).await.unwrap(), 1);
    assert_eq!(store.attempts(None).await.unwrap(), []);
}
