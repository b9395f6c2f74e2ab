//! What routers learned of their children, in several processes, and put together. Each process counts what it was told
//! itself; who keeps the sum tells each of what the others know.

use std::{collections::BTreeMap, ops::AddAssign};

use serde::{Deserialize, Serialize};

/// What is known of a router's child.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Sum of the rewards, each from 0 to 1.
    pub rewards: f64,
    /// Number of instances of which feedback told.
    pub trials: f64,
}

impl Arm {
    /// Mean reward; 0 before there is any.
    pub fn mean(self) -> f64 {
        if self.trials > 0.0 { self.rewards / self.trials } else { 0.0 }
    }
}

impl AddAssign for Arm {
    fn add_assign(&mut self, other: Self) {
        self.rewards += other.rewards;
        self.trials += other.trials;
    }
}

/// What is known of each child, by its name.
pub type Arms = BTreeMap<String, Arm>;

/// What the routers of a predictor know, by their names.
pub type Routers = BTreeMap<String, Arms>;

/// What a process tells of its routers, or is told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Which process: another name at each start.
    pub process: String,
    /// Where it tells: what came by feedback since it was started. Where it is told: what all others know.
    pub routers: Routers,
}

/// What all processes of a predictor learned.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// In processes that are gone.
    #[serde(default)]
    gone: Routers,
    /// In those that are there, by their names.
    #[serde(default)]
    processes: BTreeMap<String, Routers>,
}

impl Ledger {
    /// Takes what a process tells; gives whether that is news.
    pub fn note(&mut self, told: Told) -> bool {
        if told.routers.is_empty() || self.processes.get(&told.process) == Some(&told.routers) {
            return false;
        }
        self.processes.insert(told.process, told.routers);
        true
    }

    /// The processes that told of something.
    pub fn processes(&self) -> impl Iterator<Item = &str> {
        self.processes.keys().map(String::as_str)
    }

    /// Counts a process among those that are gone.
    pub fn close(&mut self, process: &str) {
        if let Some(routers) = self.processes.remove(process) {
            add(&mut self.gone, &routers);
        }
    }

    /// What a process is to be told.
    pub fn for_process(&self, process: &str) -> Told {
        let mut routers = self.gone.clone();
        self.processes.iter().filter(|(name, _)| *name != process).for_each(|(_, other)| add(&mut routers, other));
        Told { process: process.to_owned(), routers }
    }
}

fn add(sum: &mut Routers, routers: &Routers) {
    for (router, arms) in routers {
        let sum = sum.entry(router.clone()).or_default();
        for (child, arm) in arms {
            *sum.entry(child.clone()).or_default() += *arm;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(process: &str, rewards: f64, trials: f64) -> Told {
        let arms = Arms::from([("a".to_owned(), Arm { rewards, trials })]);
        Told { process: process.to_owned(), routers: Routers::from([("router".to_owned(), arms)]) }
    }

    #[test]
    fn each_process_is_told_what_the_others_and_those_before_it_know() {
        let mut ledger = Ledger::default();
        assert!(ledger.note(told("one", 1.0, 2.0)) && ledger.note(told("two", 3.0, 4.0)));
        assert_eq!(ledger.for_process("one").routers, told("", 3.0, 4.0).routers);
        assert_eq!(ledger.for_process("new").routers, told("", 4.0, 6.0).routers);
        ledger.close("two");
        assert_eq!(ledger.processes().collect::<Vec<_>>(), ["one"]);
        assert_eq!(ledger.for_process("one").routers, told("", 3.0, 4.0).routers);
    }

    #[test]
    fn what_was_told_before_is_no_news_and_never_counts_twice() {
        let mut ledger = Ledger::default();
        assert!(!ledger.note(Told { process: "idle".to_owned(), ..Told::default() }));
        assert!(ledger.note(told("one", 1.0, 2.0)));
        assert!(!ledger.note(told("one", 1.0, 2.0)));
        assert!(ledger.note(told("one", 2.0, 3.0)));
        assert_eq!(ledger.for_process("other").routers, told("", 2.0, 3.0).routers);
    }
}
