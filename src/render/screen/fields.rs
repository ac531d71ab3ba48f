//! `refit fields`: an object's owners as a tree, flat, or the owners of one field.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::domain::fields::{FieldOwners, Near, Node, Owner};
use crate::render::{Column, Document, Role, Span, Table, Tree, TreeRow, text};

/// What the screen shows.
#[derive(Debug, Clone, Copy)]
pub struct FieldsScreen<'a> {
    /// The owners.
    pub owners: &'a FieldOwners,
    /// For ages.
    pub now: Timestamp,
    /// Full paths on a terminal too.
    pub flat: bool,
    /// Branches with one owner are opened, owners of the branches themselves are shown.
    pub all: bool,
    /// Read from a cluster: then `0 writes` is said.
    pub live: bool,
}

impl FieldsScreen<'_> {
    /// The document: kind `FieldOwners`.
    pub fn document(&self) -> Document {
        let nodes = self.owners.nodes();
        let shown = |node: &&&Node| node.is_field() || !node.owners.is_empty();
        let fields: Vec<Value> = nodes
            .iter()
            .filter(shown)
            .map(|node| self.json(node))
            .collect();
        let names = nodes
            .iter()
            .filter(|node| node.is_field())
            .map(|node| node.path.clone());
        let document = self.head(fields).names(names);
        let flat = self.table(
            nodes
                .iter()
                .copied()
                .filter(|node| node.is_field() || self.all),
        );
        let document = if self.flat {
            document.table(flat)
        } else {
            let mut rows = Vec::new();
            for root in &self.owners.roots {
                self.rows(root, 0, &mut rows);
            }
            document.tree(Tree {
                title: self.title(),
                rows,
                flat,
            })
        };
        self.notes(document.total([Span::plain(self.total())]))
    }

    /// The owners of one field, a line each.
    pub fn who(&self, nodes: &[&Node]) -> Document {
        let document = self.head(nodes.iter().map(|node| self.json(node)).collect());
        let mut lines: Vec<[String; 4]> = Vec::new();
        for node in nodes {
            for owner in self.owners.owners_of(node) {
                let since = owner.since.map_or_else(|| "<none>".to_owned(), text::time);
                lines.push([
                    node.path.clone(),
                    name(owner),
                    owner.operation.to_owned(),
                    since,
                ]);
            }
        }
        let widths: Vec<usize> = (0..3)
            .map(|at| {
                lines
                    .iter()
                    .map(|line| text::width(&line[at]))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut document = document.names(lines.iter().map(|line| line[1].clone()));
        for [path, owner, operation, since] in lines {
            let [a, b, c] = [widths[0], widths[1], widths[2]];
            document = document.text(format!(
                "{path:<a$}   {owner:<b$}   {operation:<c$}   {since}"
            ));
        }
        self.notes(document)
    }

    /// Nobody owns what was asked for; what is near is said on stderr.
    pub fn nobody(&self, typed: &str, near: &Near<'_>) -> Document {
        let mut document = self
            .head(Vec::new())
            .total([Span::plain(format!("Nobody owns {typed}."))]);
        if let Some(above) = near.above {
            let owners: Vec<String> = self.owners.owners_of(above).map(name).collect();
            document = document.total([Span::plain(format!(
                "{} is owned as a whole by {}.",
                above.path,
                owners.join(", ")
            ))]);
        }
        for below in &near.below {
            document = document.total([Span::plain(format!(
                "Below {} {} owned.",
                below.path,
                match below.fields() {
                    1 => "1 field is".to_owned(),
                    fields => format!("{} fields are", text::count(fields)),
                }
            ))]);
        }
        self.notes(document)
    }

    fn head(&self, fields: Vec<Value>) -> Document {
        let object = &self.owners.object;
        let mut subject = Map::new();
        subject.insert("apiVersion".into(), json!(object.api_version));
        subject.insert("kind".into(), json!(object.kind));
        subject.insert("name".into(), json!(object.name));
        if let Some(namespace) = &object.namespace {
            subject.insert("namespace".into(), json!(namespace));
        }
        if let Some(generation) = object.generation {
            subject.insert("generation".into(), json!(generation));
        }
        let owners: Vec<Value> = self.owners.owners.iter().map(owner_json).collect();
        let summary = json!({
            "owners": self.owners.owners.len(), "fields": self.owners.fields(), "shared": self.owners.shared(),
        });
        Document::new("FieldOwners")
            .field("object", Value::Object(subject))
            .field("owners", owners)
            .field("summary", summary)
            .field("fields", fields)
    }

    fn notes(&self, document: Document) -> Document {
        let mut document = document;
        for words in &self.owners.unreadable {
            document = document.warning(format!("{words}; the server ignores the whole list"));
        }
        document
    }

    fn json(&self, node: &Node) -> Value {
        let mut map = Map::new();
        map.insert("path".into(), json!(node.path));
        if let Some(value) = &node.value {
            map.insert("value".into(), value.clone());
        }
        if !node.is_field() {
            map.insert("branch".into(), json!(true));
        }
        let owners: Vec<Value> = self.owners.owners_of(node).map(owner_json).collect();
        map.insert("owners".into(), Value::Array(owners));
        Value::Object(map)
    }

    fn table<'n>(&self, nodes: impl Iterator<Item = &'n Node>) -> Table {
        let mut table = Table::new([
            Column::new("FIELD"),
            Column::new("OWNER"),
            Column::new("OPERATION"),
            Column::new("VERSION").wide(),
            Column::new("AGE").not_wide(),
            Column::new("SINCE").wide(),
            Column::new("SHARED"),
            Column::new("VALUE"),
        ]);
        for node in nodes {
            for owner in self.owners.owners_of(node) {
                let value = node.value.as_ref().map(value_text);
                table.row([
                    Span::plain(&node.path),
                    Span::plain(name(owner)),
                    Span::plain(owner.operation),
                    Span::plain(&owner.api_version),
                    Span::or_none(owner.since.map(|since| text::age(since, self.now))),
                    Span::or_none(owner.since.map(text::time)),
                    Span::or_none((node.owners.len() > 1).then_some("shared")),
                    Span::or_none(value),
                ]);
            }
        }
        table
    }

    /// The lines of a node and what is below it. Steps with one way to go are one line; a branch whose fields all have
    /// the same owners is folded.
    fn rows(&self, node: &Node, depth: usize, rows: &mut Vec<TreeRow>) {
        let mut name = node.step.clone();
        let mut end = node;
        while let ([only], true) = (end.children.as_slice(), end.owners.is_empty() || !self.all) {
            name.push_str(&only.step);
            end = only;
        }
        let name = tree_name(&name);
        if end.is_field() {
            let value = end.value.as_ref().map(value_text);
            rows.push(self.row(depth, name, Some(Span::or_none(value)), &end.owners));
            return;
        }
        match end.common_owners() {
            Some(owners) if !self.all => {
                let name = format!("{name} ({})", text::counted(end.fields(), "field"));
                rows.push(self.row(depth, name, None, owners));
                return;
            }
            _ if self.all && !end.owners.is_empty() => {
                rows.push(self.row(depth, name, None, &end.owners));
            }
            _ => rows.push(TreeRow {
                depth,
                name,
                value: None,
                cells: Vec::new(),
            }),
        }
        for child in &end.children {
            self.rows(child, depth + 1, rows);
        }
    }

    fn row(&self, depth: usize, step: String, value: Option<Span>, places: &[usize]) -> TreeRow {
        let owners: Vec<&Owner> = places
            .iter()
            .filter_map(|place| self.owners.owners.get(*place))
            .collect();
        let labels: Vec<String> = owners.iter().map(|owner| name(owner)).collect();
        let mut operations: Vec<&str> = owners.iter().map(|owner| owner.operation).collect();
        operations.dedup();
        let since = owners.iter().filter_map(|owner| owner.since).max();
        let age = since.map_or_else(Span::none, |since| {
            Span::with(text::age(since, self.now), Role::Quiet)
        });
        TreeRow {
            depth,
            name: step,
            value,
            cells: vec![
                Span::plain(labels.join(", ")),
                Span::plain(operations.join(", ")),
                age,
                Span::with(
                    if owners.len() > 1 { "shared" } else { "" },
                    Role::Attention,
                ),
            ],
        }
    }

    /// The line above the tree.
    fn title(&self) -> String {
        let object = &self.owners.object;
        let place = match &object.namespace {
            Some(namespace) => format!("{namespace}/{}", object.name),
            None => object.name.clone(),
        };
        let generation = object
            .generation
            .map_or_else(String::new, |it| format!("   generation {it}"));
        format!(
            "{} {place}   {}{generation}",
            object.kind, object.api_version
        )
    }

    /// The line of totals.
    fn total(&self) -> String {
        let shared = match self.owners.shared() {
            0 => String::new(),
            shared => format!(", {} shared", text::count(shared)),
        };
        let writes = if self.live { "; 0 writes" } else { "" };
        format!(
            "{} of {}{shared}{writes}.",
            text::counted(text::len(&self.owners.owners), "owner"),
            text::counted(self.owners.fields(), "field"),
        )
    }
}

/// An owner's name, or words for a missing one.
fn name(owner: &Owner) -> String {
    match owner.label() {
        label if label.is_empty() => "<unnamed>".to_owned(),
        label => label,
    }
}

/// A step without its dot, keys of list items short: `template.spec.containers[app]`.
fn tree_name(step: &str) -> String {
    let step = step.strip_prefix('.').unwrap_or(step);
    match step
        .strip_suffix(']')
        .and_then(|rest| rest.rsplit_once("[name=\""))
    {
        Some((before, key)) if !key.contains(['[', ',']) && key.ends_with('"') => {
            format!("{before}[{}]", key.trim_end_matches('"'))
        }
        _ => step.to_owned(),
    }
}

/// A value on one line: texts as they are, lists and maps as JSON.
fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn owner_json(owner: &Owner) -> Value {
    let mut map = Map::new();
    map.insert("manager".into(), json!(owner.manager));
    map.insert("operation".into(), json!(owner.operation));
    map.insert("apiVersion".into(), json!(owner.api_version));
    if !owner.subresource.is_empty() {
        map.insert("subresource".into(), json!(owner.subresource));
    }
    if let Some(since) = owner.since {
        map.insert("since".into(), json!(text::time(since)));
    }
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fields::{Who, field_owners};
    use crate::render::{Format, Frame};

    fn checkout() -> FieldOwners {
        let helm = json!({
            "f:metadata": {"f:labels": {".": {}, "f:app.kubernetes.io/managed-by": {}, "f:team": {}}},
            "f:spec": {
                "f:strategy": {"f:type": {}, "f:rollingUpdate": {"f:maxSurge": {}, "f:maxUnavailable": {}}},
                "f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {
                    ".": {}, "f:name": {}, "f:resources": {"f:limits": {"f:memory": {}}},
                }}}},
            },
        });
        let kubectl = json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {"f:image": {}}}}}}});
        let entry = |manager: &str, subresource: &str, time: &str, fields: &Value| {
            json!({
                "manager": manager, "operation": "Update", "apiVersion": "apps/v1", "subresource": subresource,
                "time": time, "fieldsType": "FieldsV1", "fieldsV1": fields,
            })
        };
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "checkout", "namespace": "shop", "generation": 41,
                "labels": {"app.kubernetes.io/managed-by": "Helm", "team": "payments"},
                "managedFields": [
                    entry("helm", "", "2026-08-19T10:00:00Z", &helm),
                    entry("kubectl-set", "", "2026-11-19T10:00:00Z", &kubectl),
                    entry("kubectl-label", "", "2026-11-11T10:00:00Z", &json!({"f:metadata": {"f:labels": {"f:team": {}}}})),
                    entry("kube-controller-manager", "scale", "2026-11-22T15:09:31Z", &json!({"f:spec": {"f:replicas": {}}})),
                ],
            },
            "spec": {
                "replicas": 7, "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": {"spec": {"containers": [
                    {"name": "app", "image": "registry.example.com/shop/checkout:3.4.1-p1", "resources": {"limits": {"memory": "1Gi"}}},
                ]}},
            },
        });
        field_owners(&object).unwrap()
    }

    fn screen(owners: &FieldOwners) -> FieldsScreen<'_> {
        FieldsScreen {
            owners,
            now: "2026-11-23T10:20:00Z".parse().unwrap(),
            flat: false,
            all: false,
            live: true,
        }
    }

    fn shown(document: &Document, frame: &Frame) -> String {
        document
            .print(Format::Table, None, frame, frame)
            .unwrap()
            .stdout
    }

    #[test]
    fn a_tree_on_a_terminal() {
        let owners = checkout();
        let document = screen(&owners).document();
        assert_eq!(
            shown(&document, &Frame::terminal(110)),
            "\
Deployment shop/checkout   apps/v1   generation 41
metadata.labels
  app.kubernetes.io/managed-by   Helm                    helm                            Update   96d
  team                           payments                helm, kubectl-label             Update   12d   shared
spec
  replicas                       7                       kube-controller-manager/scale   Update   19h
  strategy (3 fields)                                    helm                            Update   96d
  template.spec.containers[app]
    image                        registry.example.com…   kubectl-set                     Update   4d
    name                         app                     helm                            Update   96d
    resources.limits.memory      1Gi                     helm                            Update   96d
"
        );
        assert_eq!(
            shown(&document, &Frame::terminal(80)),
            "\
Deployment shop/checkout   apps/v1   generation 41
metadata.labels
  app.kuberne…managed-by   helm                            Update   96d
  team                     helm, kubectl-label             Update   12d   shared
spec
  replicas                 kube-controller-manager/scale   Update   19h
  strategy (3 fields)      helm                            Update   96d
  template.spec.containers[app]
    image                  kubectl-set                     Update   4d
    name                   helm                            Update   96d
    resources.…ts.memory   helm                            Update   96d
"
        );
        let all = FieldsScreen {
            all: true,
            ..screen(&owners)
        };
        assert_eq!(
            shown(&all.document(), &Frame::terminal(110)),
            "\
Deployment shop/checkout   apps/v1   generation 41
metadata.labels                                          helm                            Update   96d
  app.kubernetes.io/managed-by    Helm                   helm                            Update   96d
  team                            payments               helm, kubectl-label             Update   12d   shared
spec
  replicas                        7                      kube-controller-manager/scale   Update   19h
  strategy
    rollingUpdate
      maxSurge                    1                      helm                            Update   96d
      maxUnavailable              0                      helm                            Update   96d
    type                          RollingUpdate          helm                            Update   96d
  template.spec.containers[app]                          helm                            Update   96d
    image                         registry.example.co…   kubectl-set                     Update   4d
    name                          app                    helm                            Update   96d
    resources.limits.memory       1Gi                    helm                            Update   96d
"
        );
    }

    #[test]
    fn full_paths_in_a_pipe_and_with_flat() {
        let owners = checkout();
        let piped = shown(&screen(&owners).document(), &Frame::PIPE);
        assert_eq!(
            piped,
            "\
FIELD                                                                OWNER                           OPERATION   AGE   SHARED   VALUE
.metadata.labels.app.kubernetes.io/managed-by                        helm                            Update      96d   <none>   Helm
.metadata.labels.team                                                helm                            Update      96d   shared   payments
.metadata.labels.team                                                kubectl-label                   Update      12d   shared   payments
.spec.replicas                                                       kube-controller-manager/scale   Update      19h   <none>   7
.spec.strategy.rollingUpdate.maxSurge                                helm                            Update      96d   <none>   1
.spec.strategy.rollingUpdate.maxUnavailable                          helm                            Update      96d   <none>   0
.spec.strategy.type                                                  helm                            Update      96d   <none>   RollingUpdate
.spec.template.spec.containers[name=\"app\"].image                     kubectl-set                     Update      4d    <none>   registry.example.com/shop/checkout:3.4.1-p1
.spec.template.spec.containers[name=\"app\"].name                      helm                            Update      96d   <none>   app
.spec.template.spec.containers[name=\"app\"].resources.limits.memory   helm                            Update      96d   <none>   1Gi
"
        );
        let flat = FieldsScreen {
            flat: true,
            ..screen(&owners)
        };
        let wide = Frame {
            width: Some(300),
            ..Frame::PIPE
        };
        assert_eq!(shown(&flat.document(), &wide), piped);
    }

    #[test]
    fn one_field() {
        let owners = checkout();
        let Who::Owned(nodes) = owners.who("spec.replicas") else {
            panic!("it is owned");
        };
        assert_eq!(
            shown(&screen(&owners).who(&nodes), &Frame::PIPE),
            ".spec.replicas   kube-controller-manager/scale   Update   2026-11-22T15:09:31Z\n"
        );
    }
}
