//! JSON Schemas of the plan, of fleet.toml and of playbooks: pages of the reference, for editors, CI and other tools.
//!
//! They are made of tables ([`plan::TABLE`], [`fleet::TABLE`]) and checked in under docs/reference. `tests` holds them against
//! the readers: keys, and what becomes of a file when any of its values is another.

mod fleet;
mod full;
mod plan;
mod table;
mod tests;

use serde_json::Value;

/// Every schema: its file under docs/reference, and what is in it.
pub(super) fn pages() -> [(&'static str, String); 3] {
    [
        ("plan.schema.json", page(&plan_schema())),
        ("fleet.schema.json", page(&fleet_schema())),
        ("playbook.schema.json", page(&playbook_schema())),
    ]
}

fn plan_schema() -> Value {
    let title = "A plan of refit, as refit plan --save writes it";
    table::schema(plan::TABLE, "Plan", title)
}

fn fleet_schema() -> Value {
    let title = "fleet.toml of refit, its tables read as JSON objects and its dates as texts";
    table::schema(fleet::TABLE, "Fleet", title)
}

fn playbook_schema() -> Value {
    let title = "A playbook of refit, its tables read as JSON objects and its dates as texts";
    table::schema(&fleet::of_playbooks(), "Playbook", title)
}

fn page(schema: &Value) -> String {
    format!("{schema:#}\n")
}
