//! One control plane in the foreground, until its standard input ends.
//!
//! Prints its data directory, its kubeconfig and the process ids of its servers.
//! `cargo run -p testbed --bin control-plane -- [--api-only]`

use std::io::{self, Read, Write};

use testbed::{ControlPlane, Options, control_plane::ADMIN};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::new("foreground");
    let api_only = std::env::args().any(|arg| arg == "--api-only");
    let plane = ControlPlane::start(if api_only {
        options.api_only()
    } else {
        options
    })?;
    let mut stdout = io::stdout();
    writeln!(stdout, "directory   {}", plane.dir().display())?;
    writeln!(stdout, "kubeconfig  {}", plane.kubeconfig(ADMIN).display())?;
    let ids: Vec<String> = plane.process_ids().iter().map(u32::to_string).collect();
    writeln!(stdout, "processes   {}", ids.join(" "))?;
    stdout.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
