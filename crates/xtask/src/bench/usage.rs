//! CPU time and memory of a process and its descendants, from `/proc`.

use std::{fs, time::Duration};

use crate::wait;

/// Length of the kernel's ticks, in which it tells CPU time.
const TICK: Duration = Duration::from_millis(10);
/// Over this time a server that has nothing to do uses no more than a tick.
const LOOK: Duration = Duration::from_millis(500);
/// Longest wait for work in the background.
const SETTLE_MAX: Duration = Duration::from_secs(30);

/// CPU time of user and kernel since the processes started.
pub(super) fn cpu(root: u32) -> Duration {
    let ticks: u32 = tree(root).into_iter().filter_map(|id| ticks(&stat(id)?)).sum();
    TICK * ticks
}

/// CPU time of those threads of the process whose name starts so.
pub(super) fn cpu_of_threads(id: u32, name: &str) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let stats = tasks.filter_map(|task| fs::read_to_string(task.path().join("stat")).ok());
    let is_named = |stat: &String| stat.split_once('(').is_some_and(|(_, rest)| rest.starts_with(name));
    TICK * stats.filter(is_named).filter_map(|stat| ticks(&stat)).sum::<u32>()
}

/// Waits until work in the background is done, which belongs to the requests that caused it: until next to
/// nothing was done for so long.
pub(super) fn settle(root: u32, quiet: Duration) {
    let mut before = cpu(root);
    let mut quiet_for = Duration::ZERO;
    // A server that never rests is measured as it is.
    let _settled = wait::until(SETTLE_MAX + quiet, || {
        wait::pause(LOOK);
        let now = cpu(root);
        let is_idle = now.saturating_sub(before) <= TICK;
        before = now;
        quiet_for = if is_idle { quiet_for + LOOK } else { Duration::ZERO };
        (quiet_for >= quiet.max(LOOK)).then_some(())
    });
}

/// Memory in MB, pages that processes share counted once.
pub(super) fn memory(root: u32) -> f64 {
    let kilobytes = tree(root)
        .into_iter()
        .filter_map(|id| proportional(&fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?));
    kilobytes.sum::<f64>() / 1024.0
}

/// The most memory in MB that one of the processes ever had.
pub(super) fn peak_memory(root: u32) -> Option<f64> {
    let status = tree(root).into_iter().filter_map(|id| fs::read_to_string(format!("/proc/{id}/status")).ok());
    let kilobytes = status.filter_map(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    });
    kilobytes.reduce(f64::max).map(|kilobytes| kilobytes / 1024.0)
}

fn stat(id: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{id}/stat")).ok()
}

/// The process and those it started, and so on.
fn tree(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(id) = found.get(next) {
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        found.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
        next += 1;
    }
    found
}

/// User and system ticks. The name, which may hold anything, ends at the last bracket.
fn ticks(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<_> = fields.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u32>().ok();
    Some(number(11)? + number(12)?)
}

fn proportional(rollup: &str) -> Option<f64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_after_the_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 3 4 20 0 8 0 100 1000 200";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("7 (a"), None);
    }

    #[test]
    fn shared_memory_is_counted_by_its_share() {
        assert_eq!(
            proportional("55d0-7ffe ---p 00000000 00:00 0 [rollup]\nRss:  9000 kB\nPss:  4096 kB\n"),
            Some(4096.0)
        );
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(memory(std::process::id()) > 0.1);
    }
}
