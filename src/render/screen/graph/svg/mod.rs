//! The graph as a picture: a frame for each cluster, lanes by depth from left to right, a box for each chart.
//!
//! Nothing is told by colour alone: outcomes have a letter and a pattern, declared lines are solid and inferred ones
//! dashed, those between clusters heavier. Names are cut to the box; hovering tells all.

mod draw;
mod group;
mod lanes;

use std::fmt::Write as _;

use self::draw::{LEGEND_HEIGHT, escaped, legend, line, node, number, patterns};
use self::group::Picture;
use self::lanes::{BOX_HEIGHT, Layout, Way, count, layout};
use super::GraphScreen;
use crate::render::text;

/// Between two clusters.
const GAP: f64 = 28.0;

/// Around the page.
const MARGIN: f64 = 20.0;

/// Width over height that the page aims at: a screen's.
const SHAPE: f64 = 1.6;

/// The legend's width: no page is narrower.
const LEAST_WIDTH: f64 = 860.0;

/// A box is as wide as its longest name, within these.
const BOX_LEAST: f64 = 116.0;
const BOX_MOST: f64 = 190.0;

/// The text of an SVG file.
pub(super) fn svg(screen: &GraphScreen<'_>) -> String {
    let picture = Picture::of(screen);
    let longest = picture
        .groups
        .iter()
        .map(|it| it.chart.chars().count())
        .max();
    let box_width = (count(longest.unwrap_or(0)) * draw::LETTER + 62.0).clamp(BOX_LEAST, BOX_MOST);
    let layouts: Vec<Layout> = (0..picture.clusters.len())
        .map(|at| layout(at, &picture.groups, &picture.lines, box_width))
        .collect();
    let (corners, width, height) = arrange(&layouts);
    let (width, height) = (
        width.max(LEAST_WIDTH) + 2.0 * MARGIN,
        height + LEGEND_HEIGHT + 2.0 * MARGIN,
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" \
         font-family=\"'DejaVu Sans', Verdana, sans-serif\">\n<title>{}</title>\n",
        escaped(&format!(
            "{}: {}",
            screen.focus.unwrap_or(screen.fleet),
            screen.counts()
        )),
        w = number(width),
        h = number(height),
    );
    out.push_str(&patterns());
    let _ = writeln!(
        out,
        "<rect width=\"{}\" height=\"{}\" fill=\"#ffffff\"/>",
        number(width),
        number(height)
    );
    let heading = format!(
        "{}: {}",
        screen.focus.unwrap_or(screen.fleet),
        screen.counts()
    );
    out.push_str(&legend(&heading, MARGIN));
    let corner = |cluster: usize| {
        let (x, y) = corners.get(cluster).copied().unwrap_or_default();
        (x + MARGIN, y + MARGIN + LEGEND_HEIGHT)
    };
    for (at, (name, layout)) in picture.clusters.iter().zip(&layouts).enumerate() {
        let (x, y) = corner(at);
        let _ = writeln!(
            out,
            "<g class=\"cluster\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"6\" fill=\"#f7f8fa\" \
             stroke=\"#8a94a3\"/><text x=\"{}\" y=\"{}\" font-size=\"14\" font-weight=\"bold\" fill=\"#1d2733\">{}</text></g>",
            number(x),
            number(y),
            number(layout.width),
            number(layout.height),
            number(x + 14.0),
            number(y + 22.0),
            escaped(name.as_str()),
        );
    }
    let place = |group: usize| {
        let cluster = picture.groups.get(group)?.cluster;
        let (x, y) = corner(cluster);
        let (dx, dy) = layouts.get(cluster)?.boxes.get(&group).copied()?;
        Some((x + dx, y + dy))
    };
    for (at, layout) in layouts.iter().enumerate() {
        for (trunk, way) in &layout.trunks {
            let many = picture.lines.iter().filter(|it| it.to == trunk.to).count();
            let chart = picture
                .groups
                .get(trunk.to)
                .map_or("", |it| it.chart.as_str());
            let title = format!("{} wait for {chart}", text::counted(many as u64, "chart"));
            let way = moved(Some(way), corner(at));
            out.push_str(&line(&title, trunk.declared, &way, false));
        }
    }
    // Lines below boxes; those between clusters above the frames of others.
    for across in [false, true] {
        for (at, one) in picture.lines.iter().enumerate() {
            let clusters = (
                picture.groups[one.from].cluster,
                picture.groups[one.to].cluster,
            );
            if (clusters.0 != clusters.1) != across {
                continue;
            }
            let way = if across {
                let (Some(from), Some(to)) = (place(one.from), place(one.to)) else {
                    continue;
                };
                Way {
                    points: draw::between(from, to, box_width, BOX_HEIGHT),
                    arrives: true,
                }
            } else {
                let way = layouts.get(clusters.0).and_then(|it| it.ways.get(&at));
                moved(way, corner(clusters.0))
            };
            out.push_str(&line(&one.title, one.declared, &way, across));
        }
    }
    for (at, group) in picture.groups.iter().enumerate() {
        if let Some((x, y)) = place(at) {
            out.push_str(&node(group, x, y, box_width));
        }
    }
    out.push_str("</svg>\n");
    out
}

/// A way on the page.
fn moved(way: Option<&Way>, (x, y): (f64, f64)) -> Way {
    way.map_or_else(Way::default, |way| Way {
        points: way.points.iter().map(|(dx, dy)| (x + dx, y + dy)).collect(),
        arrives: way.arrives,
    })
}

/// Where each cluster's frame stands: in as many columns as bring the page nearest to its shape, each frame in the
/// column that is lowest so far. Corners, width and height.
fn arrange(layouts: &[Layout]) -> (Vec<(f64, f64)>, f64, f64) {
    let tries = (1..=layouts.len().max(1)).map(|columns| in_columns(layouts, columns));
    let off = |width: f64, height: f64| ((width / height.max(1.0)) / SHAPE).ln().abs();
    tries
        .min_by(|a, b| off(a.1, a.2).total_cmp(&off(b.1, b.2)))
        .unwrap_or_default()
}

fn in_columns(layouts: &[Layout], columns: usize) -> (Vec<(f64, f64)>, f64, f64) {
    let mut tops = vec![0.0_f64; columns];
    let mut home = Vec::with_capacity(layouts.len());
    let mut widths = vec![0.0_f64; columns];
    for layout in layouts {
        let lowest = (0..columns)
            .min_by(|a, b| tops[*a].total_cmp(&tops[*b]))
            .unwrap_or(0);
        home.push((lowest, tops[lowest]));
        tops[lowest] += layout.height + GAP;
        widths[lowest] = widths[lowest].max(layout.width);
    }
    let mut left = Vec::with_capacity(columns);
    let mut x = 0.0;
    for width in &widths {
        left.push(x);
        x += width + if *width > 0.0 { GAP } else { 0.0 };
    }
    let corners = home.into_iter().map(|(column, y)| (left[column], y));
    let height = tops.iter().copied().fold(0.0, f64::max);
    (corners.collect(), x - GAP, height - GAP)
}
