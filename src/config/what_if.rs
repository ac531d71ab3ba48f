//! `--what-if 'limits.writes_per_second=40'`: one value of fleet.toml taken for another.

use super::schema;
use crate::toml_file::settings;

/// An override as TOML. The value may lack its quotes, and `waves.` may be left out before a key of that section, as the
/// planner writes it: `soak.prod=48h` is `waves.soak.prod = "48h"`. After `clusters.` stands a cluster's name. An error is a text
/// for the user.
pub fn override_text(text: &str) -> Result<String, String> {
    let wrong = || format!("\"{text}\" is no override; write it like limits.writes_per_second=40");
    let mut in_quotes = false;
    let at = text.find(|c| {
        in_quotes ^= c == '"';
        c == '=' && !in_quotes
    });
    let (path, value) = at
        .and_then(|at| text.split_at_checked(at))
        .ok_or_else(wrong)?;
    let value = value.trim_start_matches('=');
    let (path, value) = (path.trim(), value.trim());
    if path.is_empty() || value.is_empty() || path.contains('\n') {
        return Err(wrong());
    }
    let first = path.split('.').next().unwrap_or(path).trim();
    if first == "clusters" && !path.starts_with("clusters.") {
        return Err(wrong());
    }
    let is_of_waves = settings::WAVES.now.contains(&first) && !schema::TOP.now.contains(&first);
    let is_of_fleet = schema::FLEET.now.contains(&first) && !schema::TOP.now.contains(&first);
    let section = match (is_of_waves, is_of_fleet) {
        (true, _) => "waves.",
        (_, true) => "fleet.",
        _ => "",
    };
    let is_toml = |text: &str| toml::de::DeTable::parse(text).is_ok();
    let plain = format!("{section}{path} = {value}");
    if is_toml(&plain) {
        return Ok(plain);
    }
    let quoted = format!(
        "{section}{path} = {}",
        toml::Value::String(value.to_owned())
    );
    if is_toml(&quoted) {
        Ok(quoted)
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_lack_quotes_and_waves() {
        for (given, made) in [
            (
                "limits.writes_per_second=40",
                "limits.writes_per_second = 40",
            ),
            ("fleet.deadline = 2027-01-08", "fleet.deadline = 2027-01-08"),
            ("deadline=2027-01-08", "fleet.deadline = 2027-01-08"),
            ("soak.prod=48h", "waves.soak.prod = \"48h\""),
            ("waves.soak.prod=\"48h\"", "waves.soak.prod = \"48h\""),
            (
                "caps.clusters_per_region=2",
                "waves.caps.clusters_per_region = 2",
            ),
            ("waves.sizes=[1, \"50%\"]", "waves.sizes = [1, \"50%\"]"),
            ("soak.\"tier=1\"=48h", "waves.soak.\"tier=1\" = \"48h\""),
            (
                "clusters.eu-1.limits.in_flight=8",
                "clusters.eu-1.limits.in_flight = 8",
            ),
            (
                "clusters.\"eu.1\".windows=[\"night\"]",
                "clusters.\"eu.1\".windows = [\"night\"]",
            ),
        ] {
            assert_eq!(override_text(given).unwrap(), made);
        }
        for wrong in ["", "x", "=3", "x=", "a b=3", "clusters=x", "clusters =x"] {
            assert!(override_text(wrong).is_err(), "{wrong}");
        }
    }
}
