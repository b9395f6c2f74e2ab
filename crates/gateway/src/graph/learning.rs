//! Routers that learn which child earns the most: multi-armed bandits whose arms are their children and whose rewards come
//! as feedback, from 0 to 1.
//!
//! - Epsilon-greedy (Sutton & Barto, Reinforcement Learning, 2nd edition, §2.2–2.3): with the probability ε any child, each
//!   as likely, else the one with the greatest mean reward, the first of several.
//! - Thompson sampling for Bernoulli rewards (Chapelle & Li 2011, algorithm 2): the child with the greatest draw of
//!   Beta(1 + rewards, 1 + trials − rewards). A reward between 0 and 1 counts as that part of a success.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use provost_domain::{
    DeploymentId,
    learned::{Arm, Arms},
    routing_table::Learning,
};
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use rand_distr::{Beta, Distribution as _};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// How many choices a router remembers, for feedback that does not tell which child answered.
const REMEMBERED: usize = 1 << 16;
/// The part of a remembered choice that is the child.
const CHILD: u64 = 0xffff;

/// A router that learns. All serving threads share it.
#[derive(Debug)]
pub(crate) struct Learner {
    children: Vec<String>,
    seed: u64,
    arms: Mutex<Vec<Known>>,
    /// Which child got a request, by a hash of its id; of two with one place, the later.
    choices: Box<[AtomicU64]>,
}

/// What a router knows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Known {
    /// By feedback to this process.
    pub(crate) own: Arm,
    /// From before, and from other processes.
    pub(crate) others: Arm,
}

impl Known {
    pub(crate) fn all(self) -> Arm {
        let mut all = self.own;
        all += self.others;
        all
    }
}

/// What a router learned, for a time after this process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// The deployment.
    pub deployment: DeploymentId,
    /// Name of the predictor.
    pub predictor: String,
    /// Name of the router.
    pub node: String,
    /// What is known of each child, by its name.
    pub children: Arms,
}

impl Learner {
    pub(crate) fn new(node: &str, children: Vec<String>, known: &BTreeMap<String, Known>) -> Self {
        let arms = children.iter().map(|child| known.get(child).copied().unwrap_or_default()).collect();
        let choices = std::iter::repeat_with(|| AtomicU64::new(0)).take(REMEMBERED).collect();
        Self { children, seed: super::built_in::seed(node), arms: Mutex::new(arms), choices }
    }

    /// The child that a request goes to; among equal circumstances the same for the same id.
    pub(super) fn choose(&self, learning: Learning, request_id: &str) -> usize {
        let arms = self.arms();
        let mut random = SmallRng::seed_from_u64(xxh3_64_with_seed(request_id.as_bytes(), self.seed));
        let chosen = match learning {
            Learning::EpsilonGreedy { epsilon } if random.random::<f64>() < epsilon => {
                random.random_range(0..arms.len().max(1))
            }
            Learning::EpsilonGreedy { .. } => greatest(arms.iter().map(|arm| arm.mean())),
            Learning::ThompsonSampling => greatest(arms.iter().map(|arm| draw(*arm, &mut random))),
        };
        let (place, hash) = self.place(request_id);
        place.store(hash & !CHILD | (chosen as u64 & CHILD), Ordering::Relaxed);
        chosen
    }

    /// The child that a request went to, if it was lately.
    pub(super) fn chosen(&self, request_id: &str) -> Option<usize> {
        let (place, hash) = self.place(request_id);
        let choice = place.load(Ordering::Relaxed);
        let child = usize::try_from(choice & CHILD).ok()?;
        (choice & !CHILD == hash & !CHILD).then_some(child)
    }

    /// Learns what came of a child's answer to so many instances.
    pub(crate) fn learn(&self, child: usize, reward: f64, rows: usize) {
        #[expect(clippy::cast_precision_loss, reason = "a number of instances")]
        let rows = rows as f64;
        if let Some(arm) = self.lock().get_mut(child) {
            arm.own += Arm { rewards: reward * rows, trials: rows };
        }
    }

    /// Takes what others know, in place of what they knew before.
    pub(crate) fn tell(&self, others: &Arms) {
        let mut arms = self.lock();
        for (child, arm) in self.children.iter().zip(arms.iter_mut()) {
            arm.others = others.get(child).copied().unwrap_or_default();
        }
    }

    /// What is known of each child.
    pub(crate) fn known(&self) -> BTreeMap<String, Known> {
        self.children.iter().cloned().zip(self.lock().iter().copied()).collect()
    }

    pub(crate) fn has_children(&self, children: &[String]) -> bool {
        self.children == children
    }

    /// A copy, so that nobody waits while another draws.
    fn arms(&self) -> Vec<Arm> {
        self.lock().iter().map(|arm| arm.all()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Known>> {
        self.arms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, request_id: &str) -> (&AtomicU64, u64) {
        // Never 0, as a place is before any choice.
        let hash = xxh3_64_with_seed(request_id.as_bytes(), !self.seed) | 1 << 63;
        let place = usize::try_from(hash).unwrap_or_default() % REMEMBERED;
        (&self.choices[place], hash)
    }
}

fn draw(arm: Arm, random: &mut SmallRng) -> f64 {
    let failures = (arm.trials - arm.rewards).max(0.0);
    // Both parameters are at least 1: this is a distribution.
    Beta::new(1.0 + arm.rewards.max(0.0), 1.0 + failures).map_or(0.0, |beta| beta.sample(random))
}

/// The place of the greatest, the first of several.
fn greatest(values: impl DoubleEndedIterator<Item = f64> + ExactSizeIterator) -> usize {
    let last_of_reversed = values.enumerate().rev().max_by(|(_, one), (_, other)| one.total_cmp(other));
    last_of_reversed.map_or(0, |(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learner(rewards: &[(f64, f64)]) -> Learner {
        let children: Vec<String> = (0..rewards.len()).map(|index| index.to_string()).collect();
        let arms = rewards.iter().map(|&(rewards, trials)| Known { own: Arm { rewards, trials }, ..Known::default() });
        Learner::new("r", children.clone(), &children.iter().cloned().zip(arms).collect())
    }

    fn shares(learner: &Learner, learning: Learning) -> Vec<usize> {
        let mut counts = vec![0; learner.children.len()];
        (0..10_000).for_each(|id| counts[learner.choose(learning, &format!("{id}"))] += 1);
        counts
    }

    #[test]
    fn epsilon_is_the_share_that_is_spread_over_all() {
        let learner = learner(&[(1.0, 10.0), (9.0, 10.0), (0.0, 0.0)]);
        assert_eq!(shares(&learner, Learning::EpsilonGreedy { epsilon: 0.0 }), [0, 10_000, 0]);
        let shares = shares(&learner, Learning::EpsilonGreedy { epsilon: 0.3 });
        // Five standard deviations of a binomial with p = 0.1.
        assert!(shares[0].abs_diff(1000) < 150 && shares[2].abs_diff(1000) < 150, "{shares:?}");
    }

    /// The probability that a draw of Beta(1, 1) is greater than one of Beta(2, 1) is 1/3.
    #[test]
    fn thompson_chooses_a_child_as_often_as_it_is_probably_the_best() {
        let shares = shares(&learner(&[(0.0, 0.0), (1.0, 1.0)]), Learning::ThompsonSampling);
        assert!(shares[0].abs_diff(3333) < 236, "{shares:?}");
    }

    #[test]
    fn what_earns_more_is_found_and_remembered_by_name() {
        for learning in [Learning::EpsilonGreedy { epsilon: 0.1 }, Learning::ThompsonSampling] {
            let learner = learner(&[(0.0, 0.0), (0.0, 0.0)]);
            for id in 0..2000 {
                let id = format!("{id}");
                let child = learner.choose(learning, &id);
                assert_eq!(learner.chosen(&id), Some(child));
                learner.learn(child, if child == 1 { 0.8 } else { 0.2 }, 1);
            }
            let known = learner.known();
            assert!(known["1"].own.trials > 1500.0, "{learning:?}: {known:?}");
            let others = Learner::new("r", vec!["1".to_owned(), "new".to_owned()], &known);
            assert_eq!(others.known()["1"], known["1"]);
            assert_eq!(others.known()["new"], Known::default());
        }
    }

    #[test]
    fn what_others_know_counts_as_its_own_and_is_replaced() {
        let learner = learner(&[(1.0, 1.0), (0.0, 0.0)]);
        let greedy = Learning::EpsilonGreedy { epsilon: 0.0 };
        for (rewards, chosen) in [(0.0, 1), (100.0, 0)] {
            let others = [("0", rewards), ("1", 50.0)]
                .map(|(child, rewards)| (child.to_owned(), Arm { rewards, trials: 100.0 }));
            learner.tell(&others.into());
            assert_eq!(learner.choose(greedy, "a"), chosen);
        }
        assert_eq!(learner.known()["0"].own, Arm { rewards: 1.0, trials: 1.0 });
    }

    #[test]
    fn choices_are_forgotten_and_never_mistaken() {
        let learner = learner(&[(0.0, 0.0), (0.0, 0.0)]);
        assert_eq!(learner.chosen("a"), None);
        for id in 0..100_000 {
            let _child = learner.choose(Learning::ThompsonSampling, &format!("{id}"));
        }
        assert_eq!(learner.chosen("a"), None);
    }
}
