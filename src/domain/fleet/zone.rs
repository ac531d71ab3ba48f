//! Time zones by name, out of the database that is built in: the same on every machine, with or without tzdata.

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// The zone of an IANA name such as `Europe/Berlin`; `None` if the built-in database has none of that name.
///
/// Never the machine's own database: a plan must not depend on where it was made.
pub fn time_zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// All names that [`time_zone`] knows.
pub fn time_zone_names() -> Vec<String> {
    let database = TimeZoneDatabase::bundled();
    let names = database.available().map(|name| name.to_string());
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_need_no_files() {
        assert!(time_zone("Europe/Berlin").is_some());
        assert!(time_zone("Australia/Lord_Howe").is_some());
        assert!(time_zone("UTC").is_some());
        assert!(time_zone("Europe/Berlim").is_none());
        assert!(time_zone("").is_none());
        assert!(time_zone_names().len() > 400);
    }
}
