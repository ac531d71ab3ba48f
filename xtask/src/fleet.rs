//! `cargo xtask fleet up|down`: a seeded fleet on loopback that stays until it is ended.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use testbed::Seed;
use testbed::seed::Expect;

use crate::Done;

/// What to do with the fleet.
#[derive(Subcommand)]
pub enum Fleet {
    /// Start control planes, install releases on them, let them drift, and leave all of it running
    Up(Up),
    /// End the fleet and remove its data
    Down(Place),
}

/// Where the fleet is.
#[derive(Args)]
pub struct Place {
    /// Directory of the fleet's data [default: target/fleet in the workspace]
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// How large it is.
#[derive(Args)]
pub struct Up {
    /// Number of control planes; each takes about 0.5 GB
    #[arg(long, default_value_t = 3)]
    clusters: usize,
    /// Decides names and distribution of the releases
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of releases over all clusters
    #[arg(long, default_value_t = 60)]
    releases: usize,
    #[command(flatten)]
    place: Place,
}

impl Place {
    fn path(&self) -> PathBuf {
        self.dir.clone().unwrap_or_else(|| {
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .with_file_name("target")
                .join("fleet")
        })
    }
}

/// Does it; paths go to stdout, one a line with its name.
pub fn run(fleet: &Fleet) -> Done {
    match fleet {
        Fleet::Up(up) => {
            let Up {
                clusters,
                seed,
                releases,
                place,
            } = up;
            writeln!(
                io::stderr(),
                "starting {clusters} control planes and {releases} releases ..."
            )?;
            let seed = Seed {
                seed: *seed,
                releases: *releases,
            };
            let fleet = testbed::fleet::up(&place.path(), *clusters, seed)?;
            let held = fleet
                .releases
                .iter()
                .filter(|r| matches!(r.expect, Expect::Held(_)))
                .count();
            writeln!(
                io::stderr(),
                "{} releases, {held} of them made to be held",
                fleet.releases.len()
            )?;
            let mut stdout = io::stdout();
            writeln!(stdout, "kubeconfig  {}", fleet.kubeconfig.display())?;
            writeln!(stdout, "fleet.toml  {}", fleet.fleet_toml.display())?;
            writeln!(stdout, "releases    {}", fleet.releases_json.display())?;
        }
        Fleet::Down(place) => {
            let ended = testbed::fleet::down(&place.path())?;
            writeln!(io::stderr(), "ended {ended} processes")?;
        }
    }
    Ok(())
}
