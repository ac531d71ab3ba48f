//! Lists, page by page.

use serde::Deserialize;
use serde_json::Value;

use super::KubeCluster;
use super::call::Call;
use super::limits::{LIST_STARTS, PAGE, SMALLER_PAGE};
use super::send::TooLarge;
use crate::cluster::{Error, Result};

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMetadata,
    /// Go writes an empty list as `null` in places.
    #[serde(default)]
    items: Option<Vec<Value>>,
}

#[derive(Debug, Default, Deserialize)]
struct PageMetadata {
    #[serde(default, rename = "continue")]
    next: String,
}

impl KubeCluster {
    /// All items of the list that `call` asks for, of one moment of the cluster: a list whose continue token expired starts over.
    ///
    /// Memory: all items; a page's text besides, at most [`super::limits::ANSWER_BYTES`].
    pub(super) async fn list(&self, call: &Call) -> Result<Vec<Value>> {
        self.list_by(call, PAGE).await
    }

    pub(super) async fn list_by(&self, call: &Call, mut page: u32) -> Result<Vec<Value>> {
        let mut starts = 1;
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            match self.send::<Page>(&page_of(call, page, &next)).await {
                Ok(answer) => {
                    items.extend(answer.items.unwrap_or_default());
                    next = answer.metadata.next;
                    if next.is_empty() {
                        return Ok(items);
                    }
                }
                Err(error) if is_expired(&error) && starts < LIST_STARTS => {
                    starts += 1;
                    items.clear();
                    next.clear();
                }
                // The token stands for a place, not for a page's size.
                Err(error) if is_too_large(&error) && page > 1 => {
                    page = (page / SMALLER_PAGE).max(1);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn page_of(call: &Call, page: u32, next: &str) -> Call {
    let mut call = call.clone();
    call.query.push(("limit", page.to_string()));
    if !next.is_empty() {
        call.query.push(("continue", next.to_owned()));
    }
    call
}

fn is_expired(error: &Error) -> bool {
    error.code == 410
}

fn is_too_large(error: &Error) -> bool {
    error
        .source
        .as_ref()
        .is_some_and(|source| source.is::<TooLarge>())
}
