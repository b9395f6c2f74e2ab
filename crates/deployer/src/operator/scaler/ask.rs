//! What pods are loaded with: the difference of what they tell at two times.

use std::{collections::HashMap, time::Instant};

use futures_util::future;
use provost_api::figures::{LOAD_PATH, Load};

use super::super::pod_client;

/// Longest answer that is read, in bytes.
const ANSWER_MAX: usize = 1 << 10;

/// What all pods together are loaded with.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Asked {
    /// How many requests they answered at once, on average.
    pub(super) concurrency: f64,
    /// How many they answered a second.
    pub(super) rps: f64,
}

/// What pods told last, by their addresses.
#[derive(Debug, Default)]
pub(super) struct Pods(HashMap<String, (Instant, Load)>);

impl Pods {
    /// Asks the pods at these addresses. Those that do not answer count as the others do; `None` where none can be told of.
    pub(super) async fn ask(&mut self, client: &reqwest::Client, addresses: &[String]) -> Option<Asked> {
        let answers = future::join_all(addresses.iter().map(|address| fetch(client, address))).await;
        self.0.retain(|address, _| addresses.contains(address));
        let told = addresses.iter().zip(answers).filter_map(|(address, answer)| Some((address, answer?)));
        let loads: Vec<_> = told.filter_map(|(address, load)| self.note(address, Instant::now(), load)).collect();
        mean(&loads, addresses.len())
    }

    /// What a pod was loaded with since it was asked before.
    fn note(&mut self, address: &str, now: Instant, load: Load) -> Option<Asked> {
        let (then, before) = self.0.insert(address.to_owned(), (now, load))?;
        let seconds = now.duration_since(then).as_secs_f64();
        // Another pod may have the address by now.
        if seconds <= 0.0 || load.requests < before.requests || load.busy_seconds < before.busy_seconds {
            return None;
        }
        let concurrency = (load.busy_seconds - before.busy_seconds) / seconds;
        // Exact up to 2⁵³ requests.
        #[expect(clippy::cast_precision_loss)]
        let requests = (load.requests - before.requests) as f64;
        Some(Asked { concurrency, rps: requests / seconds })
    }
}

/// The load of so many pods, by that of those that answered.
fn mean(loads: &[Asked], pods: usize) -> Option<Asked> {
    let [all, answered] = [pods, loads.len()].map(|count| u32::try_from(count).map_or(f64::INFINITY, f64::from));
    let sum = |of: fn(&Asked) -> f64| loads.iter().map(of).sum::<f64>() * all / answered;
    (!loads.is_empty()).then(|| Asked { concurrency: sum(|one| one.concurrency), rps: sum(|one| one.rps) })
}

async fn fetch(client: &reqwest::Client, address: &str) -> Option<Load> {
    pod_client::answer(client.get(format!("http://{address}{LOAD_PATH}")), ANSWER_MAX).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_load_of_a_pod_is_what_came_since_it_was_asked_before() {
        let (mut pods, start) = (Pods::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        let load = |requests, busy_seconds| Load { requests, busy_seconds };
        assert_eq!(pods.note("a", start, load(10, 1.0)), None);
        let told = pods.note("a", after(2), load(30, 4.0));
        assert_eq!(told, Some(Asked { concurrency: 1.5, rps: 10.0 }));
        // It was started anew.
        assert_eq!(pods.note("a", after(4), load(1, 0.0)), None);
        assert_eq!(pods.note("a", after(6), load(1, 0.0)), Some(Asked::default()));
    }

    #[test]
    fn pods_that_do_not_answer_count_as_the_others_do() {
        let load = Asked { concurrency: 3.0, rps: 10.0 };
        assert_eq!(mean(&[load, load], 4), Some(Asked { concurrency: 12.0, rps: 40.0 }));
        assert_eq!(mean(&[], 2), None);
    }
}
