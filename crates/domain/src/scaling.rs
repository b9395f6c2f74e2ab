//! How many replicas answer requests, by how many there are: what Knative's autoscaler decides for `KServe`, with its
//! windows and its utilization, as plain arithmetic over what replicas tell of themselves.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::plan::Timestamp;

/// What decides in calm times: the mean load of this many milliseconds.
const STABLE_WINDOW: u64 = 60_000;
/// What decides when load jumps.
const PANIC_WINDOW: u64 = 6_000;
/// Load jumps when it asks for this many times what is there.
const PANIC_FACTOR: u32 = 2;
/// The part of its target that a replica is to be loaded with, so that there is room until the next one serves.
const UTILIZATION: f64 = 0.7;

/// What replicas are scaled on, and within which bounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scaling {
    /// What is counted.
    pub metric: Metric,
    /// What a replica can take, of that; more than 0.
    pub target: f64,
    /// Fewest replicas; with 0 they end when nothing is asked for a while.
    pub min_replicas: u32,
    /// Most replicas; at least 1.
    pub max_replicas: u32,
}

/// What is counted of a replica's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// How many are being answered at once.
    Concurrency,
    /// How many are answered a second.
    Rps,
}

impl Metric {
    /// What a replica can take where nothing is said, as in Knative.
    pub fn default_target(self) -> f64 {
        match self {
            Self::Concurrency => 100.0,
            Self::Rps => 200.0,
        }
    }
}

/// What replicas told of their load, as long as it matters.
#[derive(Debug, Clone, Default)]
pub struct Load {
    looks: VecDeque<(Timestamp, f64)>,
    /// When there was load last, or the first look.
    busy: Option<Timestamp>,
    /// Since load jumped: until when replicas only become more, and how many there are at least.
    panic: Option<(Timestamp, u32)>,
}

impl Load {
    /// Adds what all replicas together were loaded with since the look before.
    pub fn add(&mut self, now: Timestamp, load: f64) {
        while self.looks.front().is_some_and(|(time, _)| age(now, *time) > STABLE_WINDOW) {
            self.looks.pop_front();
        }
        self.looks.push_back((now, load));
        if load > 0.0 || self.busy.is_none() {
            self.busy = Some(now);
        }
    }

    /// How many replicas there are to be, where there are `current` of which `ready` answer. Until a whole window is
    /// known, they do not become fewer.
    pub fn replicas(&mut self, scaling: &Scaling, now: Timestamp, current: u32, ready: u32) -> u32 {
        let stable = needed(scaling, self.mean(now, STABLE_WINDOW));
        let soon = needed(scaling, self.mean(now, PANIC_WINDOW));
        self.panic = self.panic.filter(|(until, _)| now < *until).map(|(until, least)| (until, least.max(soon)));
        if soon >= ready.max(1).saturating_mul(PANIC_FACTOR) {
            let until = Timestamp::from_millis(now.as_millis() + STABLE_WINDOW);
            self.panic = Some((until, self.panic.map_or(current, |(_, least)| least).max(soon)));
        }
        let least = self.panic.map_or(0, |(_, least)| least);
        let is_known = self.busy.is_some() && age(now, self.first().unwrap_or(now)) >= STABLE_WINDOW * 9 / 10;
        let wanted = stable.max(least).max(if is_known { 0 } else { current });
        let fewest = if self.is_idle(now) { scaling.min_replicas } else { scaling.min_replicas.max(1) };
        wanted.clamp(fewest, scaling.max_replicas.max(1))
    }

    /// Whether nothing was asked for a whole window.
    fn is_idle(&self, now: Timestamp) -> bool {
        self.busy.is_some_and(|busy| age(now, busy) >= STABLE_WINDOW)
    }

    fn first(&self) -> Option<Timestamp> {
        self.looks.front().map(|(time, _)| *time)
    }

    fn mean(&self, now: Timestamp, window: u64) -> f64 {
        let within = self.looks.iter().filter(|(time, _)| age(now, *time) < window);
        let (sum, count) = within.fold((0.0, 0_u32), |(sum, count), (_, load)| (sum + load, count + 1));
        if count == 0 { 0.0 } else { sum / f64::from(count) }
    }
}

fn age(now: Timestamp, then: Timestamp) -> u64 {
    now.as_millis().saturating_sub(then.as_millis())
}

/// How many replicas take a load.
fn needed(scaling: &Scaling, load: f64) -> u32 {
    let replicas = (load / (scaling.target * UTILIZATION)).ceil();
    // Bounded from both sides.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let replicas = replicas.clamp(0.0, f64::from(u32::MAX)) as u32;
    replicas
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALING: Scaling = Scaling { metric: Metric::Concurrency, target: 10.0, min_replicas: 0, max_replicas: 5 };

    /// Follows loads, one every two seconds; gives the replicas after each, where those wanted are there at once.
    fn follow(scaling: &Scaling, replicas: u32, loads: impl IntoIterator<Item = f64>) -> Vec<u32> {
        let (mut load, mut current) = (Load::default(), replicas);
        let looks = (0_u64..).zip(loads);
        looks
            .map(|(index, one)| {
                let now = Timestamp::from_millis(index * 2000);
                load.add(now, one);
                current = load.replicas(scaling, now, current, current);
                current
            })
            .collect()
    }

    fn steady(load: f64, seconds: usize) -> impl Iterator<Item = f64> {
        std::iter::repeat_n(load, seconds / 2)
    }

    #[test]
    fn replicas_follow_the_mean_load_at_seven_tenths_of_the_target() {
        for (load, expected) in [(0.1, 1), (7.0, 1), (7.1, 2), (20.0, 3), (1000.0, 5)] {
            assert_eq!(follow(&SCALING, 1, steady(load, 70)).last(), Some(&expected), "{load}");
        }
    }

    #[test]
    fn a_jump_of_the_load_counts_at_once_and_replicas_stay_until_it_was_calm_for_a_minute() {
        let all = follow(&SCALING, 1, steady(1.0, 60).chain(steady(35.0, 10)).chain(steady(1.0, 120)));
        assert_eq!(all[29], 1);
        assert_eq!(all[30..33], [2, 4, 5]);
        assert!(all[33..60].iter().all(|replicas| *replicas == 5), "{all:?}");
        assert_eq!(all.last(), Some(&1));
    }

    #[test]
    fn nothing_is_left_once_nothing_was_asked_for_a_minute() {
        let all = follow(&SCALING, 2, steady(3.0, 20).chain(steady(0.0, 70)));
        // The last request was in the second before 20.
        assert_eq!(all.iter().position(|replicas| *replicas == 0), Some(39));
        assert_eq!(follow(&SCALING, 1, steady(0.0, 58)).last(), Some(&1));
        let one = Scaling { min_replicas: 1, ..SCALING };
        assert_eq!(follow(&one, 2, steady(0.0, 90)).last(), Some(&1));
    }

    #[test]
    fn replicas_do_not_become_fewer_before_a_window_is_known() {
        assert_eq!(follow(&SCALING, 4, steady(0.5, 50)).last(), Some(&4));
        assert_eq!(follow(&SCALING, 4, steady(0.5, 64)).last(), Some(&1));
    }

    #[test]
    fn bounds_hold() {
        let bounded = Scaling { min_replicas: 2, max_replicas: 3, ..SCALING };
        assert_eq!(follow(&bounded, 1, steady(0.0, 120)).last(), Some(&2));
        assert_eq!(follow(&bounded, 9, steady(1000.0, 120)).last(), Some(&3));
    }
}
