//! Where the groups of one cluster stand: lanes by depth from left to right, lines led between the groups of the lanes
//! that they cross.
//!
//! Lines to one group that cross the same lanes run there as one, its trunk: else they would fill the lanes. Groups without a line stand apart, below the lanes, so that lane 0 holds what others wait for.

use std::collections::{BTreeMap, BTreeSet};

use super::group::{Group, Line};

/// A group's box.
pub(super) const BOX_HEIGHT: f64 = 32.0;
/// Between two boxes of a lane.
const ROW_GAP: f64 = 10.0;
/// What a line that passes through a lane takes of it.
const PASS_HEIGHT: f64 = 8.0;
/// Between two lanes: room for curves.
const LANE_GAP: f64 = 84.0;
/// Between two boxes of those that stand apart.
const APART_GAP: f64 = 8.0;
/// Around all, inside the cluster's frame.
const PAD: f64 = 14.0;
/// The cluster's name.
const HEAD: f64 = 26.0;
/// A lane that is higher than this is folded into columns, at the price of lines behind boxes: three screens' height.
const LANE_HEIGHT: f64 = 3_000.0;
/// Passes over the lanes, there and back: the order settles after a few.
const SWEEPS: usize = 6;

/// One cluster, laid out; places are relative to its own corner.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    pub width: f64,
    pub height: f64,
    /// Left upper corner of each group's box.
    pub boxes: BTreeMap<usize, (f64, f64)>,
    /// Each line within the cluster, from the waiting one's left edge to its trunk or to the other's right edge.
    pub ways: BTreeMap<usize, Way>,
    /// What several lines share.
    pub trunks: Vec<(Trunk, Way)>,
}

/// Points that a line runs through.
#[derive(Debug, Clone, Default)]
pub(super) struct Way {
    pub points: Vec<(f64, f64)>,
    /// It ends at the box that is waited for.
    pub arrives: bool,
}

/// Lines to one group, all declared or all inferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Trunk {
    pub to: usize,
    pub declared: bool,
}

/// Something that has a place in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Group(usize),
    /// A trunk on its way through: which, and in which lane.
    Pass(Trunk, u32),
}

/// Lays out the groups of a cluster. `lines` are all lines; those that leave the cluster are not led here.
pub(super) fn layout(cluster: usize, groups: &[Group], lines: &[Line], box_width: f64) -> Layout {
    let own: Vec<usize> = (0..groups.len())
        .filter(|at| groups[*at].cluster == cluster)
        .collect();
    let inside =
        |line: &Line| groups[line.from].cluster == cluster && groups[line.to].cluster == cluster;
    let joined: BTreeSet<usize> = lines.iter().flat_map(|line| [line.from, line.to]).collect();
    let mut lanes: BTreeMap<u32, Vec<Item>> = BTreeMap::new();
    for at in own.iter().filter(|at| joined.contains(at)) {
        lanes
            .entry(groups[*at].depth)
            .or_default()
            .push(Item::Group(*at));
    }
    // Neighbours of each item in the lanes beside it.
    let mut beside: BTreeMap<Item, Vec<Item>> = BTreeMap::new();
    let mut join = |a: Item, b: Item| {
        beside.entry(a).or_default().push(b);
        beside.entry(b).or_default().push(a);
    };
    for line in lines.iter().filter(|line| inside(line)) {
        let (low, high) = (groups[line.to].depth, groups[line.from].depth);
        let trunk = Trunk {
            to: line.to,
            declared: line.declared,
        };
        let mut last = Item::Group(line.to);
        for lane in (low + 1)..high {
            // Lanes that hold no group of this cluster are not drawn.
            if let Some(items) = lanes.get_mut(&lane) {
                let pass = Item::Pass(trunk, lane);
                if !items.contains(&pass) {
                    items.push(pass);
                    join(last, pass);
                }
                last = pass;
            }
        }
        join(last, Item::Group(line.from));
    }
    let mut lanes: Vec<Vec<Item>> = lanes.into_values().collect();
    sweep(&mut lanes, &beside);
    let (mut layout, passes) = place(&lanes, box_width);
    lead(groups, lines, &inside, box_width, &passes, &mut layout);
    apart(&own, &joined, box_width, &mut layout);
    layout.boxes.retain(|at, _| groups[*at].cluster == cluster);
    layout.height += PAD;
    layout
}

/// Puts each item near the middle of its neighbours, lane by lane.
fn sweep(lanes: &mut [Vec<Item>], beside: &BTreeMap<Item, Vec<Item>>) {
    let mut place: BTreeMap<Item, f64> = BTreeMap::new();
    let note = |lane: &[Item], place: &mut BTreeMap<Item, f64>| {
        for (at, item) in lane.iter().enumerate() {
            // Shares of the lane's height: lanes differ in length.
            place.insert(*item, (count(at) + 0.5) / count(lane.len()).max(1.0));
        }
    };
    for lane in lanes.iter() {
        note(lane, &mut place);
    }
    for turn in 0..SWEEPS {
        let order: Vec<usize> = if turn % 2 == 0 {
            (0..lanes.len()).collect()
        } else {
            (0..lanes.len()).rev().collect()
        };
        for at in order {
            let lane = &mut lanes[at];
            let mut keyed: Vec<(f64, Item)> = lane
                .iter()
                .map(|item| {
                    let near: Vec<f64> = beside
                        .get(item)
                        .into_iter()
                        .flatten()
                        .filter_map(|other| place.get(other).copied())
                        .collect();
                    let middle = if near.is_empty() {
                        place.get(item).copied().unwrap_or(0.0)
                    } else {
                        near.iter().sum::<f64>() / count(near.len())
                    };
                    (middle, *item)
                })
                .collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            *lane = keyed.into_iter().map(|(_, item)| item).collect();
            note(lane, &mut place);
        }
    }
}

/// Places of groups and of passing lines; a lane that is too high becomes several columns.
fn place(lanes: &[Vec<Item>], box_width: f64) -> (Layout, Passes) {
    let mut layout = Layout::default();
    let mut passes = Passes::new();
    let height = |item: &Item| match item {
        Item::Group(_) => BOX_HEIGHT + ROW_GAP,
        Item::Pass(..) => PASS_HEIGHT,
    };
    let heights: Vec<f64> = lanes
        .iter()
        .map(|lane| lane.iter().map(height).sum())
        .collect();
    let most = heights.iter().copied().fold(0.0, f64::max).min(LANE_HEIGHT);
    let mut x = PAD;
    for (lane, full) in lanes.iter().zip(heights) {
        // Centred against the highest lane.
        let mut y = PAD + HEAD + ((most - full) / 2.0).max(0.0);
        for item in lane {
            if y - PAD - HEAD + height(item) > LANE_HEIGHT + 1.0 {
                x += box_width + LANE_GAP / 2.0;
                y = PAD + HEAD;
            }
            match item {
                Item::Group(at) => {
                    layout.boxes.insert(*at, (x, y));
                }
                Item::Pass(trunk, lane) => {
                    passes.entry(*trunk).or_default().insert(*lane, (x, y));
                }
            }
            y += height(item);
            layout.height = layout.height.max(y);
        }
        x += box_width + LANE_GAP;
    }
    if !lanes.is_empty() {
        layout.width = x - LANE_GAP + PAD;
    }
    layout.height = layout.height.max(PAD + HEAD);
    (layout, passes)
}

/// Where each trunk passes through which lane: the left end of its way through.
type Passes = BTreeMap<Trunk, BTreeMap<u32, (f64, f64)>>;

/// From the passes to whole ways.
fn lead(
    groups: &[Group],
    lines: &[Line],
    inside: &dyn Fn(&Line) -> bool,
    box_width: f64,
    passes: &Passes,
    layout: &mut Layout,
) {
    let middle = BOX_HEIGHT / 2.0;
    let arrival = |to: usize, layout: &Layout| {
        let (x, y) = layout.boxes.get(&to)?;
        Some((x + box_width, y + middle))
    };
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| inside(line)) {
        let (Some(from), Some(end)) = (layout.boxes.get(&line.from), arrival(line.to, layout))
        else {
            continue;
        };
        let trunk = Trunk {
            to: line.to,
            declared: line.declared,
        };
        // It joins its trunk in the nearest lane to its left.
        let lanes = passes.get(&trunk);
        let joins = lanes.and_then(|lanes| lanes.range(..groups[line.from].depth).next_back());
        let last = joins.map_or(end, |(_, (x, y))| (x + box_width, *y));
        let way = Way {
            points: vec![(from.0, from.1 + middle), last],
            arrives: joins.is_none(),
        };
        layout.ways.insert(number, way);
    }
    for (trunk, lanes) in passes {
        let Some(end) = arrival(trunk.to, layout) else {
            continue;
        };
        let mut points = Vec::new();
        for (x, y) in lanes.values().rev() {
            points.extend([(x + box_width, *y), (*x, *y)]);
        }
        points.push(end);
        let way = Way {
            points,
            arrives: true,
        };
        layout.trunks.push((*trunk, way));
    }
}

/// Groups without a line: a grid below the lanes.
fn apart(own: &[usize], joined: &BTreeSet<usize>, box_width: f64, layout: &mut Layout) {
    let alone: Vec<usize> = own
        .iter()
        .copied()
        .filter(|at| !joined.contains(at))
        .collect();
    if alone.is_empty() {
        return;
    }
    let room =
        (layout.width - 2.0 * PAD).max((box_width + APART_GAP) * count(alone.len()).sqrt().ceil());
    let columns = (1..=alone.len())
        .rev()
        .find(|columns| count(*columns) * (box_width + APART_GAP) - APART_GAP <= room)
        .unwrap_or(1);
    let top = layout.height + if layout.boxes.is_empty() { 0.0 } else { 18.0 };
    for (at, group) in alone.iter().enumerate() {
        let (row, column) = (at / columns, at % columns);
        let x = PAD + count(column) * (box_width + APART_GAP);
        let y = top + count(row) * (BOX_HEIGHT + APART_GAP);
        layout.boxes.insert(*group, (x, y));
        layout.width = layout.width.max(x + box_width + PAD);
        layout.height = layout.height.max(y + BOX_HEIGHT);
    }
}

/// A count as a length. Exact: nobody draws 2^32 boxes.
pub(super) fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
