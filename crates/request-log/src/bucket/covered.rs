//! Which objects hold the rows of others, as their names tell.
//!
//! A keeper writes an object of the rows of several, and removes these a while later. Whoever lists both reads the one.
//! Segments of a server that share a name within one day were never written twice ([`crate::Uploads`]), and are merged
//! by blocks of which any two either lie one within the other or apart ([`crate::BucketKeeper`]): so an object is
//! covered as a whole or not at all.

use std::{cmp::Reverse, collections::HashMap};

use super::{Listed, Origin};
use crate::dataset::SegmentRange;

/// An object whose rows are in another one.
#[derive(Debug, Clone)]
pub(crate) struct Covered {
    pub(crate) object: Listed,
    /// The largest that holds its rows.
    pub(crate) by: Listed,
}

/// The objects of a partition of which no other one holds the rows, and the rest.
pub(crate) fn sort_out(objects: Vec<Listed>) -> (Vec<Listed>, Vec<Covered>) {
    let (mut kept, mut covered) = (Vec::with_capacity(objects.len()), Vec::new());
    let mut lanes: HashMap<(Origin, u32, u16), Vec<(SegmentRange, Listed)>> = HashMap::new();
    for object in objects {
        match object.name.segments() {
            Some(range) => {
                let lane = (object.name.origin.clone(), range.epoch, range.lane);
                lanes.entry(lane).or_default().push((range, object));
            }
            None => kept.push(object),
        }
    }
    for (_, lane) in lanes {
        sort_out_lane(lane, &mut kept, &mut covered);
    }
    (kept, covered)
}

fn sort_out_lane(mut lane: Vec<(SegmentRange, Listed)>, kept: &mut Vec<Listed>, covered: &mut Vec<Covered>) {
    // What covers comes before what it covers.
    lane.sort_by(|(a, x), (b, y)| (a.first, Reverse(a.last), &x.name).cmp(&(b.first, Reverse(b.last), &y.name)));
    let mut widest: Option<(SegmentRange, Listed)> = None;
    for (range, object) in lane {
        match &widest {
            Some((wide, by)) if wide != &range && wide.includes(&range) && holds_times(by, &object) => {
                covered.push(Covered { object, by: by.clone() });
            }
            _ => {
                kept.push(object.clone());
                widest = Some((range, object));
            }
        }
    }
}

fn holds_times(by: &Listed, object: &Listed) -> bool {
    by.name.first_time <= object.name.first_time && object.name.last_time <= by.name.last_time
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use provost_inference::record::Timestamp;

    use super::*;
    use crate::{
        bucket::ObjectName,
        dataset::{Dataset, Day, Partition},
    };

    fn listed(host: &str, file: &str, times: (i64, i64)) -> Listed {
        let dataset = Dataset { namespace: "default".into(), deployment: "iris".into() };
        let (first_time, last_time) = times;
        Listed {
            partition: Partition { dataset: Arc::new(dataset), day: Day::of(Timestamp(0)) },
            name: ObjectName { origin: Origin::new(host, 7), file: file.into(), first_time, last_time },
            bytes: 1,
        }
    }

    #[track_caller]
    fn check(objects: &[(&str, &str, (i64, i64))], expected: &[&str]) {
        let objects = objects.iter().map(|(host, file, times)| listed(host, file, *times)).collect();
        let (kept, covered) = sort_out(objects);
        let mut files: Vec<_> = kept.iter().map(|object| object.name.file.as_str()).collect();
        files.sort_unstable();
        assert_eq!(files, expected);
        assert!(covered.iter().all(|Covered { by, .. }| files.contains(&by.name.file.as_str())));
    }

    #[test]
    fn an_object_that_includes_others_stands_for_them() {
        let [a, b, c] =
            ["00000001-000-00000000-00000001", "00000001-000-00000002-00000003", "00000001-000-00000004-00000004"];
        let [ab, all] = ["00000001-000-00000000-00000003", "00000001-000-00000000-00000007"];
        let (t, wide) = ((5, 6), (1, 9));
        check(&[("p", a, t), ("p", b, t), ("p", c, t)], &[a, b, c]);
        check(&[("p", a, t), ("p", b, t), ("p", ab, t), ("p", c, t)], &[ab, c]);
        check(&[("p", b, t), ("p", all, wide), ("p", ab, t), ("p", c, t)], &[all]);
    }

    #[test]
    fn others_of_another_server_start_or_lane_are_not_covered() {
        let all = "00000001-000-00000000-00000007";
        let [start, lane] = ["00000002-000-00000001-00000001", "00000001-001-00000001-00000001"];
        check(&[("p", all, (1, 9)), ("p", start, (5, 6)), ("p", lane, (5, 6))], &[all, lane, start]);
        let part = "00000001-000-00000001-00000001";
        check(&[("p", all, (1, 9)), ("q", part, (5, 6))], &[all, part]);
        check(
            &[("p", "00000001-000-00000002-00000009", (1, 9)), ("p", "00000001-000-00000001-00000004", (1, 9))],
            &["00000001-000-00000001-00000004", "00000001-000-00000002-00000009"],
        );
    }

    #[test]
    fn names_that_contradict_each_other_hide_nothing() {
        let (all, part) = ("00000001-000-00000000-00000007", "00000001-000-00000001-00000001");
        check(&[("p", all, (5, 9)), ("p", part, (4, 6))], &[all, part]);
        check(&[("p", all, (5, 9)), ("p", all, (1, 9))], &[all, all]);
        check(&[("p", all, (1, 9)), ("p", "merged-by-hand", (5, 6))], &[all, "merged-by-hand"]);
    }
}
