//! The chart inside a release record: which charts it lists, and the definitions of its `crds/` folder.
//!
//! Helm installs `crds/` once and never writes it into a manifest, but the record keeps the chart's files (helm v3
//! pkg/chart/chart.go: `Files`). Those of subcharts are not in the record.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::Record;
use super::manifest;

/// Folder of definitions (helm v3 pkg/chart/chart.go: `CRDObjects`).
const DEFINITIONS: &str = "crds/";

/// A line that Helm writes above each object of a manifest.
const SOURCE: &str = "# Source: ";

/// What a record says of its chart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChartParts {
    /// Charts that its own lists as dependencies.
    pub dependencies: Vec<ChartDependency>,
    /// Objects in `crds/`; files that do not read are left out.
    pub definitions: Vec<Value>,
}

/// A chart that another lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartDependency {
    /// Its name, not its alias.
    pub name: String,
    /// None of its objects is in the manifest: it is switched off, or a library.
    pub absent: bool,
}

#[derive(Deserialize)]
struct Whole<'a> {
    #[serde(borrow)]
    chart: Option<Chart<'a>>,
}

#[derive(Deserialize)]
struct Chart<'a> {
    metadata: Option<Metadata>,
    #[serde(borrow)]
    files: Option<Vec<File<'a>>>,
}

#[derive(Deserialize)]
struct Metadata {
    dependencies: Option<Vec<Dependency>>,
}

#[derive(Deserialize)]
struct Dependency {
    name: Option<String>,
    alias: Option<String>,
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<Cow<'a, str>>,
}

/// Reads the chart out of a record. What does not read is not there: this only ever adds to what a manifest says. O(n).
pub fn chart_parts(record: &Record) -> ChartParts {
    let Ok(Whole { chart: Some(chart) }) = serde_json::from_str::<Whole<'_>>(record.json()) else {
        return ChartParts::default();
    };
    let sources: BTreeSet<&str> = record
        .manifest
        .lines()
        .filter_map(|line| line.strip_prefix(SOURCE))
        .flat_map(|path| {
            // `platform/charts/back/charts/db/templates/x.yaml`: subcharts by alias, if they have one.
            path.split("/charts/")
                .skip(1)
                .filter_map(|rest| rest.split('/').next())
        })
        .collect();
    let listed = chart.metadata.and_then(|it| it.dependencies);
    let dependencies = listed.into_iter().flatten().filter_map(|it| {
        let name = it.name.filter(|name| !name.is_empty())?;
        let alias = it.alias.filter(|alias| !alias.is_empty());
        let shown = alias.as_deref().unwrap_or(&name);
        Some(ChartDependency {
            absent: !sources.contains(shown),
            name,
        })
    });
    let files = chart.files.into_iter().flatten().filter_map(|file| {
        let name = file.name?;
        let is_yaml = [".yaml", ".yml", ".json"]
            .iter()
            .any(|end| name.ends_with(end));
        (name.starts_with(DEFINITIONS) && is_yaml).then_some(file.data?)
    });
    let definitions = files.flat_map(|data| {
        let text = STANDARD
            .decode(data.as_bytes())
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let objects = text.and_then(|text| manifest::objects(&text).ok());
        objects.unwrap_or_default().into_iter().map(|it| it.body)
    });
    ChartParts {
        dependencies: dependencies.collect(),
        definitions: definitions.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parts(chart: &Value, manifest: &str) -> ChartParts {
        let json = json!({
            "name": "web", "namespace": "shop", "version": 1, "info": {"status": "deployed"},
            "manifest": manifest, "chart": chart,
        });
        chart_parts(&Record::from_json(json.to_string()).unwrap())
    }

    #[test]
    fn dependencies_and_definitions_are_read() {
        let crd = "---\n# nothing\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\n";
        let found = parts(
            &json!({
                "metadata": {"name": "p", "dependencies": [
                    {"name": "part", "alias": "front"}, {"name": "part", "alias": "extra"}, {"name": "db"}, {"name": "common"}, {}]},
                "files": [
                    {"name": "crds/a.yaml", "data": STANDARD.encode(crd)},
                    {"name": "crds/broken.yaml", "data": "%%%"},
                    {"name": "crds/bad.yaml", "data": STANDARD.encode("- 1")},
                    {"name": "README.md", "data": STANDARD.encode(crd)},
                    {"name": null, "data": null}]}),
            "---\n# Source: p/charts/front/templates/a.yaml\nkind: X\n---\n# Source: p/charts/front/charts/db/templates/a.yaml\n",
        );
        let told: Vec<(&str, bool)> = found
            .dependencies
            .iter()
            .map(|it| (it.name.as_str(), it.absent))
            .collect();
        assert_eq!(
            told,
            [
                ("part", false),
                ("part", true),
                ("db", false),
                ("common", true)
            ]
        );
        assert_eq!(found.definitions.len(), 1);
        assert_eq!(found.definitions[0]["kind"], "CustomResourceDefinition");
    }

    #[test]
    fn a_record_without_a_chart_says_nothing() {
        for chart in [
            json!(null),
            json!({}),
            json!({"metadata": null, "files": null}),
        ] {
            assert_eq!(parts(&chart, ""), ChartParts::default());
        }
        assert_eq!(
            parts(&json!({"files": [{"name": "crds/a.yaml"}]}), ""),
            ChartParts::default()
        );
    }
}
