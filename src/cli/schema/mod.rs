//! JSON Schemas of the plan and of fleet.toml: pages of the reference, for editors, CI and other tools.
//!
//! Both are made of a table ([`plan::TABLE`], [`fleet::TABLE`]) and checked in under docs/reference. The keys of
//! fleet.toml are compared with those that its reader takes, so the schema cannot drift from it.

mod fleet;
mod plan;
mod table;
mod tests;

use serde_json::Value;

/// Every schema: its file under docs/reference, and what is in it.
pub(super) fn pages() -> [(&'static str, String); 2] {
    [
        ("plan.schema.json", page(&plan_schema())),
        ("fleet.schema.json", page(&fleet_schema())),
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

fn page(schema: &Value) -> String {
    format!("{schema:#}\n")
}
