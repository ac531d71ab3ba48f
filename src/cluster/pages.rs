//! Lists page by page: who looks at each object once holds a page, not a cluster.

use super::{Reader, Result};
use crate::domain::object::LiveObject;

/// Takes a list's objects as its pages arrive, so that nobody holds the whole list.
pub trait Pages: Send {
    /// The next page.
    fn page(&mut self, objects: Vec<LiveObject>);
    /// The list starts over: what came before is of another moment, and does not count.
    fn again(&mut self);
}

/// What `keep` makes of the objects of a kind, in the list's order. Memory: that, and a page.
pub async fn gather<T: Send>(
    reader: &dyn Reader,
    api_version: &str,
    kind: &str,
    keep: impl FnMut(LiveObject) -> Option<T> + Send,
) -> Result<Vec<T>> {
    let mut gathered = Gathered {
        keep,
        kept: Vec::new(),
    };
    reader.visit(api_version, kind, &mut gathered).await?;
    Ok(gathered.kept)
}

struct Gathered<F, T> {
    keep: F,
    kept: Vec<T>,
}

impl<T: Send, F: FnMut(LiveObject) -> Option<T> + Send> Pages for Gathered<F, T> {
    fn page(&mut self, objects: Vec<LiveObject>) {
        self.kept
            .extend(objects.into_iter().filter_map(&mut self.keep));
    }

    fn again(&mut self) {
        self.kept.clear();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_came_before_a_list_started_over_does_not_count() {
        let live = |name: &str| {
            LiveObject::new(json!({"metadata": {"name": name, "uid": "u", "resourceVersion": "1"}}))
                .unwrap()
        };
        let mut gathered = Gathered {
            keep: |live: LiveObject| {
                let name = live.json.pointer("/metadata/name")?.as_str()?.to_owned();
                (name != "foreign").then_some(name)
            },
            kept: Vec::new(),
        };
        gathered.page(vec![live("gone"), live("stays")]);
        gathered.again();
        gathered.page(vec![live("foreign"), live("stays")]);
        gathered.page(vec![live("new")]);
        assert_eq!(gathered.kept, ["stays", "new"]);
    }
}
