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

/// What to do with a page's items; with `None`, forget what came before.
pub(super) type OnPage<'a> = dyn FnMut(Option<Vec<Value>>) -> Result<()> + Send + 'a;

impl KubeCluster {
    /// All items of the list that `call` asks for, page by page, of one moment of the cluster: a list whose continue token
    /// expired starts over.
    ///
    /// Memory: a page, and its text, at most [`super::limits::ANSWER_BYTES`].
    pub(super) async fn visit_pages(&self, call: &Call, on_page: &mut OnPage<'_>) -> Result<()> {
        self.visit_by(call, PAGE, on_page).await
    }

    async fn visit_by(&self, call: &Call, mut page: u32, on_page: &mut OnPage<'_>) -> Result<()> {
        let mut starts = 1;
        let mut next = String::new();
        loop {
            match self.send::<Page>(&page_of(call, page, &next)).await {
                Ok(answer) => {
                    on_page(Some(answer.items.unwrap_or_default()))?;
                    next = answer.metadata.next;
                    if next.is_empty() {
                        return Ok(());
                    }
                }
                Err(error) if is_expired(&error) && starts < LIST_STARTS => {
                    starts += 1;
                    on_page(None)?;
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::limits::ANSWER_BYTES;
    use super::super::testing::{Reply, Seen, cluster};
    use super::*;
    use crate::cluster::ErrorKind;

    fn page(names: &[&str], next: &str) -> Reply {
        let items: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
        Reply::json(
            200,
            &json!({"kind": "List", "metadata": {"continue": next}, "items": items}),
        )
    }

    /// The whole list, in pages of this size.
    async fn list_by(cluster: &KubeCluster, call: &Call, page: u32) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut on_page = |page: Option<Vec<Value>>| {
            match page {
                Some(page) => items.extend(page),
                None => items.clear(),
            }
            Ok(())
        };
        cluster.visit_by(call, page, &mut on_page).await?;
        Ok(items)
    }

    fn gone() -> Reply {
        Reply::json(
            410,
            &json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old", "metadata": {}}),
        )
    }

    fn call() -> Call {
        Call::get("/api/v1/secrets", "list secrets")
    }

    fn lines(seen: &Seen) -> Vec<String> {
        let seen = seen.lock().unwrap();
        seen.iter()
            .map(|request| request.lines().next().unwrap().to_owned())
            .collect()
    }

    #[tokio::test]
    async fn pages_are_followed_to_the_end() {
        let (cluster, seen) = cluster(vec![page(&["a", "b"], "t/1"), page(&["c"], "")]).await;
        let names = list_by(&cluster, &call(), 2).await.unwrap();
        assert_eq!(
            names,
            [
                json!({"name": "a"}),
                json!({"name": "b"}),
                json!({"name": "c"})
            ]
        );
        assert_eq!(
            lines(&seen),
            [
                "GET /api/v1/secrets?limit=2 HTTP/1.1",
                "GET /api/v1/secrets?limit=2&continue=t%2F1 HTTP/1.1",
            ]
        );
    }

    #[tokio::test]
    async fn an_expired_token_starts_over_and_keeps_nothing_of_the_first_try() {
        let replies = vec![
            page(&["old"], "t"),
            gone(),
            page(&["a"], "u"),
            page(&["b"], ""),
        ];
        let (cluster, seen) = cluster(replies).await;
        let names = list_by(&cluster, &call(), 1).await.unwrap();
        assert_eq!(names, [json!({"name": "a"}), json!({"name": "b"})]);
        assert_eq!(lines(&seen)[2], "GET /api/v1/secrets?limit=1 HTTP/1.1");
    }

    #[tokio::test]
    async fn a_visitor_is_told_to_forget_what_came_before() {
        let replies = vec![
            page(&["old"], "t"),
            gone(),
            page(&["a"], "u"),
            page(&["b"], ""),
        ];
        let (cluster, _) = cluster(replies).await;
        let mut seen = Vec::new();
        let mut on_page = |page: Option<Vec<Value>>| {
            seen.push(page.map(|page| page.len()));
            Ok(())
        };
        cluster.visit_by(&call(), 1, &mut on_page).await.unwrap();
        assert_eq!(seen, [Some(1), None, Some(1), Some(1)]);
    }

    #[tokio::test]
    async fn starting_over_ends() {
        let (cluster, seen) = cluster(vec![gone(); 20]).await;
        let error = list_by(&cluster, &call(), 1).await.unwrap_err();
        assert_eq!((error.kind, error.code), (ErrorKind::Server, 410));
        assert_eq!(lines(&seen).len(), 4);
    }

    #[tokio::test]
    async fn a_page_above_our_cap_is_asked_for_in_smaller_ones() {
        let huge = Reply::Answer {
            code: 200,
            headers: Vec::new(),
            body: vec![b' '; ANSWER_BYTES + 1],
        };
        let (cluster, seen) =
            cluster(vec![page(&["a"], "t"), huge.clone(), page(&["b"], "")]).await;
        let names = list_by(&cluster, &call(), 500).await.unwrap();
        assert_eq!(names.len(), 2);
        assert_eq!(
            lines(&seen)[2],
            "GET /api/v1/secrets?limit=62&continue=t HTTP/1.1"
        );
    }

    #[tokio::test]
    async fn one_object_above_our_cap_is_an_error() {
        let huge = Reply::Answer {
            code: 200,
            headers: Vec::new(),
            body: vec![b' '; ANSWER_BYTES + 1],
        };
        let (cluster, _) = cluster(vec![huge]).await;
        let error = list_by(&cluster, &call(), 1).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Malformed);
        assert!(error.message.contains("64 MiB"), "{error}");
    }
}
