//! Boxes, lines, patterns and the legend, as SVG.

use std::fmt::Write as _;

use super::group::Group;
use super::lanes::{BOX_HEIGHT, Way, count};
use crate::domain::shadow::ReleaseOutcome;

/// Room for the legend above the clusters.
pub(super) const LEGEND_HEIGHT: f64 = 62.0;

/// Width of a letter of a box's name, at its size.
pub(super) const LETTER: f64 = 6.6;

/// The part of a box that shows the outcome.
const BADGE: f64 = 22.0;

/// Letter, word, pattern.
const OUTCOMES: [(ReleaseOutcome, char, &str, &str); 4] = [
    (ReleaseOutcome::Ready, 'R', "Ready", "ready"),
    (ReleaseOutcome::NeedsChoice, 'N', "NeedsChoice", "choice"),
    (ReleaseOutcome::Blocked, 'B', "Blocked", "blocked"),
    (ReleaseOutcome::Done, 'D', "Done", "done"),
];

/// The fills that tell outcomes without colour: plain, stripes, a grid, dots. Colours are told apart by the colour-blind.
pub(super) fn patterns() -> String {
    let pattern = |id: &str, ground: &str, marks: &str| {
        format!(
            "<pattern id=\"{id}\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\"><rect width=\"7\" height=\"7\" \
             fill=\"{ground}\"/>{marks}</pattern>\n"
        )
    };
    let mut out = String::from("<defs>\n");
    out.push_str(&pattern("ready", "#cfe8dc", ""));
    out.push_str(&pattern(
        "choice",
        "#fdeec0",
        "<path d=\"M-1 8L8 -1\" stroke=\"#b07d00\" stroke-width=\"1.6\"/>",
    ));
    out.push_str(&pattern(
        "blocked",
        "#f6d5cd",
        "<path d=\"M0 3.5H7M3.5 0V7\" stroke=\"#a8341a\" stroke-width=\"1.4\"/>",
    ));
    out.push_str(&pattern(
        "done",
        "#d6e2f3",
        "<circle cx=\"3.5\" cy=\"3.5\" r=\"1.3\" fill=\"#2f5c9e\"/>",
    ));
    for (id, color) in [("to", "#5b6675"), ("to-across", "#1d2733")] {
        let _ = writeln!(
            out,
            "<marker id=\"{id}\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
             markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0.5L8 4L0 7.5Z\" fill=\"{color}\"/></marker>"
        );
    }
    out.push_str("</defs>\n");
    out
}

/// What the signs mean, in one line under the totals.
pub(super) fn legend(heading: &str, margin: f64) -> String {
    let mut out = format!(
        "<g class=\"legend\" font-size=\"11\" fill=\"#1d2733\"><text x=\"{x}\" y=\"{}\" font-size=\"15\" \
         font-weight=\"bold\">{}</text>\n",
        number(margin + 14.0),
        escaped(heading),
        x = number(margin),
    );
    let y = margin + 38.0;
    let mut x = margin;
    for (_, letter, word, pattern) in OUTCOMES {
        out.push_str(&badge(x, y - 11.0, 16.0, letter, pattern));
        let _ = write!(
            out,
            "<text x=\"{}\" y=\"{}\">{word}</text>",
            number(x + BADGE + 5.0),
            number(y + 1.0)
        );
        x += BADGE + 16.0 + count(word.len()) * LETTER;
    }
    x += 12.0;
    for (style, word) in [
        ("stroke-width=\"1.4\"", "declared"),
        ("stroke-width=\"1.4\" stroke-dasharray=\"5 3\"", "inferred"),
        ("stroke-width=\"3\"", "between clusters"),
    ] {
        let _ = write!(
            out,
            "<path d=\"M{} {y}h30\" stroke=\"#5b6675\" {style} fill=\"none\"/><text x=\"{}\" y=\"{}\">{word}</text>",
            number(x),
            number(x + 36.0),
            number(y + 1.0),
            y = number(y - 3.0),
        );
        x += 52.0 + count(word.len()) * LETTER;
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\">arrow: waits for</text></g>",
        number(x),
        number(y + 1.0)
    );
    out
}

fn badge(x: f64, y: f64, height: f64, letter: char, pattern: &str) -> String {
    // The letter stands on plain ground, whatever the pattern.
    format!(
        "<rect x=\"{}\" y=\"{}\" width=\"{BADGE}\" height=\"{}\" fill=\"url(#{pattern})\" stroke=\"#5b6675\" \
         stroke-width=\"0.8\"/><circle cx=\"{}\" cy=\"{}\" r=\"6.5\" fill=\"#ffffff\"/><text x=\"{}\" y=\"{}\" \
         font-size=\"10\" font-weight=\"bold\" text-anchor=\"middle\" fill=\"#1d2733\">{letter}</text>",
        number(x),
        number(y),
        number(height),
        number(x + BADGE / 2.0),
        number(y + height / 2.0),
        number(x + BADGE / 2.0),
        number(y + height / 2.0 + 3.6),
    )
}

/// A box with its badge, name, counts and waves.
pub(super) fn node(group: &Group, x: f64, y: f64, width: f64) -> String {
    // The gravest outcome decides the pattern: it comes first in the order of outcomes.
    let gravest = group.outcomes.keys().next();
    let sign = gravest.and_then(|it| OUTCOMES.iter().find(|(outcome, ..)| outcome == it));
    let mut out = format!(
        "<g class=\"chart\"><title>{}</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\" fill=\"#ffffff\" \
         stroke=\"#5b6675\"/>",
        escaped(&group.title),
        number(x),
        number(y),
        number(width),
        number(BOX_HEIGHT),
    );
    let indent = match sign {
        Some((_, letter, _, pattern)) => {
            out.push_str(&badge(x, y, BOX_HEIGHT, *letter, pattern));
            BADGE + 6.0
        }
        None => 8.0,
    };
    let waves = group.waves.map(|(first, last)| {
        if first == last {
            format!("w{first}")
        } else {
            format!("w{first}-{last}")
        }
    });
    let tag = waves.as_ref().map_or(0.0, |it| count(it.len()) * 5.8 + 6.0);
    let mut under = match group.releases {
        1 => String::new(),
        many => format!("{many} releases"),
    };
    if group.outcomes.len() > 1 {
        let told: Vec<String> = OUTCOMES
            .iter()
            .filter_map(|(outcome, letter, ..)| {
                Some(format!("{letter}{}", group.outcomes.get(outcome)?))
            })
            .collect();
        under = format!("{} of {}", told.join(" "), group.releases);
    }
    let baseline = if under.is_empty() { 20.0 } else { 13.5 };
    let room = width - indent - tag - 4.0;
    let _ = write!(
        out,
        "<text x=\"{}\" y=\"{}\" font-size=\"11\" fill=\"#1d2733\">{}</text>",
        number(x + indent),
        number(y + baseline),
        escaped(&cut(&group.chart, room, LETTER)),
    );
    if !under.is_empty() {
        let _ = write!(
            out,
            "<text x=\"{}\" y=\"{}\" font-size=\"9\" fill=\"#4a5563\">{}</text>",
            number(x + indent),
            number(y + 26.0),
            escaped(&cut(&under, width - indent - 4.0, 5.6)),
        );
    }
    if let Some(waves) = waves {
        let _ = write!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"13\" rx=\"2\" fill=\"#1d2733\"/><text x=\"{}\" y=\"{}\" \
             font-size=\"9\" fill=\"#ffffff\" text-anchor=\"middle\">{waves}</text>",
            number(x + width - tag),
            number(y),
            number(tag),
            number(x + width - tag / 2.0),
            number(y + 9.8),
        );
    }
    out.push_str("</g>\n");
    out
}

/// A line along its points, with what it means.
pub(super) fn line(title: &str, declared: bool, way: &Way, across: bool) -> String {
    let Some(path) = curve(&way.points) else {
        return String::new();
    };
    let dashes = if declared {
        ""
    } else {
        " stroke-dasharray=\"5 3\""
    };
    let (color, width, marker) = if across {
        ("#1d2733", "3", "to-across")
    } else {
        ("#5b6675", "1.2", "to")
    };
    let end = if way.arrives {
        format!(" marker-end=\"url(#{marker})\"")
    } else {
        String::new()
    };
    format!(
        "<path class=\"edge\" d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-opacity=\"0.7\" stroke-width=\"{width}\"{dashes} \
{end}><title>{}</title></path>\n",
        escaped(title)
    )
}

/// From one cluster's box to another's: from the sides that face each other.
pub(super) fn between(
    from: (f64, f64),
    to: (f64, f64),
    width: f64,
    height: f64,
) -> Vec<(f64, f64)> {
    let (start, end) = if from.0 >= to.0 + width {
        (from.0, to.0 + width)
    } else if to.0 >= from.0 + width {
        (from.0 + width, to.0)
    } else {
        (from.0, to.0)
    };
    vec![(start, from.1 + height / 2.0), (end, to.1 + height / 2.0)]
}

/// Smooth through all points, level at each.
fn curve(way: &[(f64, f64)]) -> Option<String> {
    let (first, rest) = way.split_first()?;
    if rest.is_empty() {
        return None;
    }
    let mut path = format!("M{} {}", number(first.0), number(first.1));
    let mut last = *first;
    for point in rest {
        // A line that goes nowhere sideways bows out to the left.
        let reach = ((point.0 - last.0).abs() / 2.0).max(18.0);
        let (out, back) = if (point.0 - last.0).abs() < 1.0 {
            (last.0 - 40.0, point.0 - 40.0)
        } else if point.0 < last.0 {
            (last.0 - reach, point.0 + reach)
        } else {
            (last.0 + reach, point.0 - reach)
        };
        let _ = write!(
            path,
            "C{} {} {} {} {} {}",
            number(out),
            number(last.1),
            number(back),
            number(point.1),
            number(point.0),
            number(point.1)
        );
        last = *point;
    }
    Some(path)
}

/// As much of a text as fits.
fn cut(text: &str, room: f64, letter: f64) -> String {
    let all = text.chars().count();
    let fits = (0..=all)
        .rev()
        .find(|some| count(*some) * letter <= room)
        .unwrap_or(0);
    if fits == all {
        text.to_owned()
    } else {
        text.chars()
            .take(fits.saturating_sub(1))
            .chain(['…'])
            .collect()
    }
}

/// A length with one digit behind the point, none if it is 0.
pub(super) fn number(length: f64) -> String {
    let text = format!("{length:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A text between tags or quotes: characters that XML forbids or reads as its own are replaced.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push('\n'),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}
