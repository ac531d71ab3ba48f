//! Splits a stream of documents as Kubernetes does: by lines, before any YAML is parsed.

/// The documents of a stream, those of white space and comments included. An error carries the document before a line
/// that begins with `---` and goes on with something else than a comment; nothing follows it.
///
/// Line ends become `\n`; the text of a document may begin with its own separator.
pub(super) fn split(stream: &str) -> impl Iterator<Item = Result<String, String>> {
    let mut lines = stream.split_inclusive('\n').map(|line| {
        let whole = line.strip_suffix('\n');
        whole.map_or(line, |line| line.strip_suffix('\r').unwrap_or(line))
    });
    let mut ended = false;
    std::iter::from_fn(move || {
        let mut document = String::new();
        while !ended {
            let Some(line) = lines.next() else {
                ended = true;
                break;
            };
            if let Some(rest) = line.strip_prefix("---") {
                let rest = rest.trim();
                if !rest.is_empty() && !rest.starts_with('#') {
                    ended = true;
                    return Some(Err(document));
                }
                if !document.is_empty() {
                    return Some(Ok(document));
                }
            }
            document.push_str(line);
            document.push('\n');
        }
        (!document.is_empty()).then_some(Ok(document))
    })
}

/// The template that Helm's comment names.
pub(super) fn source(document: &str) -> Option<String> {
    document
        .lines()
        .find_map(|line| line.strip_prefix("# Source: "))
        .map(|source| source.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(stream: &str) -> Vec<Result<String, String>> {
        split(stream).collect()
    }

    fn ok(parts: &[&str]) -> Vec<Result<String, String>> {
        parts.iter().map(|part| Ok((*part).to_owned())).collect()
    }

    #[test]
    fn separators() {
        assert_eq!(parts("a\n---\nb"), ok(&["a\n", "b\n"]));
        assert_eq!(parts("---\na\r\n--- # note\nb\n"), ok(&["---\na\n", "b\n"]));
        assert_eq!(
            parts("---\n---\n\n---\na: ---\n  ---\n"),
            ok(&["---\n", "\n", "a: ---\n  ---\n"])
        );
        assert_eq!(parts(""), ok(&[]));
        assert_eq!(parts("a\n---b\nc"), [Err("a\n".to_owned())]);
    }

    #[test]
    fn sources() {
        assert_eq!(
            source("---\n# Source: web/templates/cm.yaml\na: 1\n").as_deref(),
            Some("web/templates/cm.yaml")
        );
        assert_eq!(source("a: '# Source: no'\n"), None);
    }
}
