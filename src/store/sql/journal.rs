//! Group commit: one task writes for the whole process, and one transaction serves all who wait.
//!
//! While a commit waits for the disk, requests gather in the queue; the next transaction takes them all. A waiter is
//! released after the commit of its batch, never before.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::Connection as _;
use tokio::sync::{mpsc, oneshot};

use super::append::Tips;
use super::sqlite::{self, Connection};
use super::work::Work;
use crate::store::{Error, Result};

/// Requests that one transaction serves at most. Measured: groups of 32 already make the disk's share small, and a
/// batch should not hold the write lock for long, since a second process may wait for it.
const BATCH: usize = 64;

/// Requests that wait at most: one batch being written, one gathering. Each holds its images in memory (an attempt's
/// first some hundred KiB); whoever comes later waits before it hands anything over.
const QUEUE: usize = BATCH;

struct Request {
    work: Work,
    reply: oneshot::Sender<Result<u64>>,
}

enum Message {
    Write(Box<Request>),
    /// Write what is queued, then let the file go and answer.
    Close(oneshot::Sender<()>),
}

/// The way to the journal task.
#[derive(Debug)]
pub(super) struct Queue(Option<mpsc::Sender<Message>>);

impl Queue {
    /// Starts the task. It ends when the queue is dropped or closed, after writing what is in it.
    pub fn start(writer: Writer) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(drain(receiver, writer));
        Self(Some(sender))
    }

    /// The queue of a store that is only looked at.
    pub fn refusing() -> Self {
        Self(None)
    }

    /// Hands work over and waits until it is durable, or refused. Cancel safe: it is written or it is not.
    pub async fn ask(&self, work: Work) -> Result<u64> {
        let operation = work.operation();
        let closed = |why: &str| Error::Database {
            operation,
            source: why.into(),
        };
        let Some(queue) = &self.0 else {
            return Err(closed("it was opened to look at only"));
        };
        let (reply, answer) = oneshot::channel();
        let request = Box::new(Request { work, reply });
        if queue.send(Message::Write(request)).await.is_err() {
            return Err(closed("it is closed"));
        }
        match answer.await {
            Ok(result) => result,
            Err(_) => Err(closed("its journal task ended")),
        }
    }

    /// Ends the task, after all that is queued; returns when the file is let go.
    pub async fn close(&self) {
        let Some(queue) = &self.0 else { return };
        let (reply, answer) = oneshot::channel();
        if queue.send(Message::Close(reply)).await.is_ok() {
            let _ = answer.await;
        }
    }
}

async fn drain(mut queue: mpsc::Receiver<Message>, mut writer: Writer) {
    let mut messages = Vec::with_capacity(BATCH);
    let mut closers = Vec::new();
    while queue.recv_many(&mut messages, BATCH).await > 0 {
        let mut batch = Vec::with_capacity(messages.len());
        for message in messages.drain(..) {
            match message {
                Message::Write(request) => batch.push(*request),
                Message::Close(reply) => {
                    queue.close();
                    closers.push(reply);
                }
            }
        }
        writer.serve(batch).await;
    }
    writer.close().await;
    for closer in closers {
        let _ = closer.send(());
    }
}

/// The one connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    /// `None` after a failure: the next batch begins with a fresh one, whatever state the old one was in.
    connection: Option<Connection>,
}

impl Writer {
    pub fn new(path: &Path, connection: Connection) -> Self {
        Self {
            path: path.to_owned(),
            connection: Some(connection),
        }
    }

    /// Writes a batch and answers everybody in it.
    async fn serve(&mut self, batch: Vec<Request>) {
        if batch.is_empty() {
            return;
        }
        match self.write(&batch).await {
            Ok(results) => {
                for (request, result) in batch.into_iter().zip(results) {
                    let _ = request.reply.send(result);
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for request in batch {
                    let operation = request.work.operation();
                    let result = Err(sqlite::failure(operation, Arc::clone(&error)));
                    let _ = request.reply.send(result);
                }
            }
        }
    }

    /// One transaction. On an error nothing of it is kept, and neither is the connection.
    async fn write(&mut self, batch: &[Request]) -> sqlx::Result<Vec<Result<u64>>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => sqlite::connect(&self.path).await?,
        };
        let mut tx = connection.begin_with(sqlite::BEGIN_WRITE).await?;
        let mut tips = Tips::default();
        let mut results = Vec::with_capacity(batch.len());
        for request in batch {
            results.push(request.work.perform(&mut tx, &mut tips).await?);
        }
        tx.commit().await?;
        self.connection = Some(connection);
        Ok(results)
    }

    async fn close(&mut self) {
        if let Some(connection) = self.connection.take() {
            // Nothing is uncommitted; what SQLite could not tidy, the next opening does.
            let _ = connection.close().await;
        }
    }
}
