//! Binaries that are already on the machine.

use std::path::PathBuf;
use std::process::Command;

use super::Tool;
use crate::env;

/// The binary in `KUBEBUILDER_ASSETS`. Who sets that variable has chosen the versions, so they are not checked.
pub fn in_assets(tool: Tool) -> Option<PathBuf> {
    let wanted = matches!(
        tool,
        Tool::Etcd
            | Tool::KubeApiserver
            | Tool::KubeControllerManager
            | Tool::KubeScheduler
            | Tool::Kubectl
    );
    let file = env::kubebuilder_assets()
        .filter(|_| wanted)?
        .join(tool.name());
    env::is_executable(&file).then_some(file)
}

/// The binary on `PATH`, if it says the wanted major and minor version.
pub fn on_path(tool: Tool) -> Option<PathBuf> {
    let (name, args): (_, &[&str]) = match tool {
        Tool::Etcd | Tool::KubeApiserver | Tool::KubeControllerManager | Tool::KubeScheduler => {
            (tool.name(), &["--version"])
        }
        Tool::Kubectl => ("kubectl", &["version", "--client"]),
        Tool::Helm3 | Tool::Helm4 => ("helm", &["version", "--short"]),
        // Its stages come from its sources: only a built kwok has them.
        Tool::Kwok => return None,
    };
    let file = env::on_path(name)?;
    let output = Command::new(&file).args(args).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (major_minor(&text)? == major_minor(tool.version())?).then_some(file)
}

/// The first `<major>.<minor>.<patch>` of a text, without the patch.
fn major_minor(text: &str) -> Option<(u32, u32)> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .find_map(|word| {
            let mut parts = word.split('.').map(str::parse::<u32>);
            match (parts.next(), parts.next(), parts.next()) {
                (Some(Ok(major)), Some(Ok(minor)), Some(Ok(_))) => Some((major, minor)),
                _ => None,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::major_minor;

    #[test]
    fn the_version_is_found_in_each_tools_own_words() {
        for (text, version) in [
            (
                "etcd Version: 3.7.3\nGit SHA: Not provided\nGo Version: go1.26.8",
                (3, 7),
            ),
            ("Kubernetes v1.36.3\n", (1, 36)),
            (
                "Client Version: v1.36.3\nKustomize Version: v5.7.1\n",
                (1, 36),
            ),
            ("v3.22.0+g1234567\n", (3, 22)),
            ("v4.3.1", (4, 3)),
        ] {
            assert_eq!(major_minor(text), Some(version), "{text}");
        }
        assert_eq!(major_minor("unknown flag: --version"), None);
    }
}
