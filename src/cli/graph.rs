//! `refit graph`: who waits for whom.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::backend::{GraphRead, SavedFleet};
use super::captured::{self, Taken};
use super::context::Ctx;
use super::desk::graph::refuse_cycles;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use super::files;
use super::plan_file;
use super::release_ref::ReleaseRef;
use crate::domain::fleet::{Fleet, ReleaseGlob};
use crate::domain::graph::{Focus, ReleaseGraph, read_graph};
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::plan::Plan;
use crate::domain::shadow::ReleaseOutcome;
use crate::render::Next;
use crate::render::screen::graph::{GraphScreen, Mark};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # One cluster, three levels deep
  refit graph eu-1 --depth 3

  # What a release waits for, and what waits for it
  refit graph eu-1/ingress/ingress-nginx

  # One edge a line
  refit graph | grep ' crd '

  # A picture: outcome and wave of each chart come from the plan
  refit graph --plan acme.plan.json -o svg > acme.svg

  # Of a saved inventory, or of a saved graph: without a cluster
  refit graph --from acme.inv.json
  refit graph --save acme.graph.json
  refit graph eu-1 --from acme.graph.json -o dot | dot -Tpdf > eu-1.pdf";

/// Kinds of documents that --from takes.
const FROM: [&str; 3] = ["ReleaseList", "ForecastList", "ReleaseGraph"];

/// Shows which releases wait for which others, and why: declared in fleet.toml, and inferred from manifests.
///
/// Only reads; 0 writes. Inferred are definitions of custom resources, namespaces, admission webhooks, aggregated APIs,
/// classes, and every ServiceAccount, Secret, ConfigMap, volume and Service that one release names and another holds.
/// On a terminal a tree: what stands below waits for what stands above. Piped: one edge a line, FROM waits for TO.
/// Releases that wait for each other are an error, each edge named.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only this cluster, or what this release waits for and what waits for it
    #[arg(value_name = "CLUSTER|RELEASE")]
    pub target: Option<String>,

    /// Only so many levels: of edges around a release, else of releases above those that wait for nobody
    #[arg(long, value_name = "N")]
    pub depth: Option<u32>,

    /// Take a saved inventory (refit inventory --save) or graph, without a cluster; of a saved forecast, its releases and their neighbours
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,

    /// Show outcome and wave of each release, from this plan
    #[arg(long, value_name = "PLAN")]
    pub plan: Option<PathBuf>,

    /// Keep the graph in a file, for --from
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
}

/// What --from gave.
#[derive(Default)]
struct From {
    graph: Option<(ReleaseGraph, String)>,
    inventory: Option<SavedFleet>,
    only: Option<BTreeSet<ReleaseId>>,
    marks: BTreeMap<ReleaseId, Mark>,
}

/// Shows the graph.
pub async fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let started = ctx.now();
    let mut from = match &args.from {
        Some(path) => read_from(path, ctx)?,
        None => From::default(),
    };
    if let Some(path) = &args.plan {
        from.marks.extend(marks(&plan_file::read(path)?));
    }
    let saved = from.graph.take();
    let mut taken_at = started;
    let mut took = saved.is_none();
    let (name, focus, read, clusters) = if let Some((graph, name)) = saved {
        let clusters: BTreeSet<&ClusterName> =
            graph.nodes.iter().map(|it| &it.release.cluster).collect();
        let clusters = clusters.len();
        let read = GraphRead {
            graph,
            unread: BTreeMap::new(),
        };
        (
            name,
            focus_of_saved(args.target.as_deref())?,
            read,
            clusters,
        )
    } else {
        let backend = ctx.backend();
        let (at, mut fleet) = captured::opened(from.inventory.take(), ctx)?;
        taken_at = captured::taken_at(&at, ctx);
        took = at.saved().is_none();
        let focus = focus_of(args.target.as_deref(), &fleet, ctx)?;
        let whole = !narrow(&mut fleet, &focus);
        captured::say_reading(&at, &fleet, ctx);
        let read = backend.graph(&ctx.invocation, &fleet, at, whole).await?;
        (fleet.name, focus, read, fleet.clusters.len())
    };
    let mut graph = read
        .graph
        .view(&focus, args.depth)
        .ok_or_else(|| not_there(&focus))?;
    let scope = ctx.scope();
    if from.only.is_some() || !scope.namespaces().is_empty() {
        let only = from.only;
        graph = graph.around_of(|id| {
            scope.has_namespace(id.namespace.as_str())
                && only.as_ref().is_none_or(|only| only.contains(id))
        });
    }
    let shown = args.target.as_deref();
    let screen = GraphScreen {
        fleet: &name,
        graph: &graph,
        focus: shown,
        marks: &from.marks,
        unread: &read.unread,
        clusters,
        taken_at,
        took: took.then(|| ctx.now().duration_since(started)),
        tool: super::VERSION,
    };
    if let Some(path) = &args.save {
        files::write(path, &screen.to_json())?;
    }
    ctx.show(&screen.document(ctx.invocation.globals.output))?;
    refuse_cycles(&graph)?;
    Ok(ctx.findings(!read.unread.is_empty()))
}

/// One cluster is read alone, unless a declaration leads out of it. Were others left out?
fn narrow(fleet: &mut Fleet, focus: &Focus) -> bool {
    let before = fleet.clusters.len();
    let cluster = match focus {
        Focus::All => return false,
        Focus::Cluster(name) => name,
        Focus::Release(release) => &release.cluster,
    };
    let stays = fleet.depends.iter().all(|declared| {
        let globs = (
            ReleaseGlob::parse(&declared.release.glob),
            ReleaseGlob::parse(&declared.on.glob),
        );
        matches!(globs, (Ok(release), Ok(on)) if release.same_cluster(&on))
    });
    if stays {
        fleet.clusters.retain(|it| it.name == *cluster);
    }
    fleet.clusters.len() < before
}

fn focus_of(target: Option<&str>, fleet: &Fleet, ctx: &Ctx) -> Result<Focus, CliError> {
    match target {
        None => Ok(Focus::All),
        Some(text) if text.contains('/') => {
            let release: ReleaseRef =
                text.parse()
                    .map_err(|error: super::release_ref::NotARelease| {
                        CliError::usage(error.to_string())
                    })?;
            Ok(Focus::Release(release.resolve(fleet, &ctx.scope())?))
        }
        Some(text) => match fleet.clusters.iter().find(|it| it.name.as_str() == text) {
            Some(cluster) => Ok(Focus::Cluster(cluster.name.clone())),
            None => Err(CliError::new(
                ErrorCode::ContextNotFound,
                format!("fleet {} has no cluster {text} in scope", fleet.name),
            )
            .because(format!(
                "there are {}",
                fleet
                    .clusters
                    .iter()
                    .take(10)
                    .map(|it| it.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            ))),
        },
    }
}

fn focus_of_saved(target: Option<&str>) -> Result<Focus, CliError> {
    match target {
        None => Ok(Focus::All),
        Some(text) if text.contains('/') => text
            .parse()
            .map(Focus::Release)
            .map_err(|error: crate::domain::ids::NotAReleaseId| CliError::usage(error.to_string())),
        Some(text) => Ok(Focus::Cluster(ClusterName::new(text))),
    }
}

fn not_there(focus: &Focus) -> CliError {
    match focus {
        Focus::Release(release) => CliError::new(
            ErrorCode::ReleaseNotFound,
            format!("there is no release {release}"),
        )
        .next(Next::InventoryCluster {
            cluster: release.cluster.to_string(),
        }),
        Focus::Cluster(cluster) => CliError::new(
            ErrorCode::NothingFound,
            format!("no release of {cluster} was read"),
        )
        .next(Next::InventoryCluster {
            cluster: cluster.to_string(),
        }),
        Focus::All => {
            CliError::new(ErrorCode::NothingFound, "no release was read").next(Next::Inventory)
        }
    }
}

fn read_from(path: &Path, ctx: &mut Ctx) -> Result<From, CliError> {
    let value = match captured::read_any(path, &FROM, ctx)? {
        Taken::Other(value) => value,
        Taken::Inventory(inventory) => {
            return Ok(From {
                inventory: Some(inventory),
                ..From::default()
            });
        }
    };
    let invalid = |why: String| {
        CliError::new(
            ErrorCode::FileInvalid,
            format!("{} does not read", files::name(path)),
        )
        .because(why)
    };
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    match text("/kind") {
        Some("ReleaseGraph") => {
            let graph = read_graph(&value).map_err(|error| invalid(error.to_string()))?;
            let name = text("/metadata/fleet").unwrap_or("saved").to_owned();
            Ok(From {
                graph: Some((graph, name)),
                marks: saved_marks(&value, "/nodes"),
                ..From::default()
            })
        }
        _ => {
            let marks = saved_marks(&value, "/items");
            Ok(From {
                only: Some(marks.keys().cloned().collect()),
                marks,
                ..From::default()
            })
        }
    }
}

/// Outcomes and waves in a saved list of releases; items of another shape say nothing.
fn saved_marks(value: &Value, pointer: &str) -> BTreeMap<ReleaseId, Mark> {
    let items = value.pointer(pointer).and_then(Value::as_array);
    let marks = items.into_iter().flatten().filter_map(|item| {
        let release = item.get("release")?.as_str()?.parse().ok()?;
        let outcome = item.get("outcome").cloned();
        let mark = Mark {
            outcome: outcome.and_then(|it| serde_json::from_value(it).ok()),
            wave: item
                .get("wave")
                .and_then(Value::as_u64)
                .and_then(|it| u32::try_from(it).ok()),
        };
        Some((release, mark))
    });
    marks.collect()
}

/// What a plan says of each release.
fn marks(plan: &Plan) -> BTreeMap<ReleaseId, Mark> {
    let mut marks = BTreeMap::new();
    for wave in &plan.waves {
        for planned in &wave.releases {
            let mark = Mark {
                outcome: Some(ReleaseOutcome::Ready),
                wave: Some(wave.number),
            };
            marks.insert(planned.release.clone(), mark);
        }
    }
    for held in &plan.held {
        let mark = Mark {
            outcome: Some(held.outcome),
            wave: None,
        };
        marks.insert(held.release.clone(), mark);
    }
    for done in &plan.done {
        let mark = Mark {
            outcome: Some(ReleaseOutcome::Done),
            wave: None,
        };
        marks.insert(done.clone(), mark);
    }
    marks
}
