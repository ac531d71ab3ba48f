//! Names of the objects that hold records (source: Helm v4 `pkg/storage/storage.go`).

const NAME_PREFIX: &str = "sh.helm.release.v1.";

/// Name of the object that holds revision `revision` of `release`.
pub fn object_name(release: &str, revision: u32) -> String {
    format!("{NAME_PREFIX}{release}.v{revision}")
}

/// Release and revision out of the name of an object.
pub fn parse_object_name(name: &str) -> Option<(&str, u32)> {
    let (release, revision) = name.strip_prefix(NAME_PREFIX)?.rsplit_once(".v")?;
    let digits = revision.bytes().all(|byte| byte.is_ascii_digit()) && !revision.starts_with('0');
    Some((release, revision.parse().ok().filter(|_| digits)?)).filter(|_| !release.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for (release, revision) in [("web", 1), ("a.v2", 31), ("x-y.z", u32::MAX)] {
            assert_eq!(
                parse_object_name(&object_name(release, revision)),
                Some((release, revision))
            );
        }
        for odd in [
            "",
            "web.v1",
            "sh.helm.release.v1.web",
            "sh.helm.release.v1..v1",
            "sh.helm.release.v1.w.v",
            "sh.helm.release.v1.w.v01",
            "sh.helm.release.v1.w.v+1",
            "sh.helm.release.v1.w.v4294967296",
        ] {
            assert_eq!(parse_object_name(odd), None, "{odd}");
        }
    }
}
