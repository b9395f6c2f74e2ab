//! Stages: which one runs, how long it has taken, and how much time is left.
//!
//! How long a stage takes is learnt: the build directory keeps the last and the longest time of each,
//! and a first run goes by a guess for two cores.

mod history;

use std::{
    cell::RefCell,
    io::{IsTerminal as _, Write as _},
    process::Command,
    sync::{
        Mutex,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use self::history::History;
use crate::{
    duration::{about, exactly},
    process::{self, Finished},
    workspace::Workspace,
};

/// How often a line is written where there is no terminal to show the time on.
const HEARTBEAT: Duration = Duration::from_mins(1);

/// The stages of a command.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    workspace: &'a Workspace,
    title: &'static str,
    stages: Vec<(String, Duration)>,
    next: usize,
    history: History,
}

impl<'a> Progress<'a> {
    /// Stages with a first guess of how many seconds each takes.
    pub(crate) fn new(workspace: &'a Workspace, title: &'static str, stages: &[(&str, u64)]) -> Result<Self> {
        let stages = stages.iter().map(|(name, guess)| ((*name).to_owned(), Duration::from_secs(*guess))).collect();
        Ok(Self { workspace, title, stages, next: 0, history: History::load(workspace.kept("durations.json")?) })
    }

    /// Runs the next stage.
    pub(crate) fn stage<T>(&mut self, work: impl FnOnce(&Stage<'_>) -> Result<T>) -> Result<T> {
        let stage = self.begin();
        let result = stage.run(work);
        let took = stage.start.elapsed();
        let result_text = stage.result.take();
        stage.show_end(result.is_ok(), &result_text, took);
        if result.is_ok() {
            let key = format!("{}/{}", self.title, self.stages[self.next].0);
            self.history.record(&key, took);
        }
        self.next += 1;
        result
    }

    fn begin(&self) -> Stage<'a> {
        let (name, guess) = &self.stages[self.next];
        let later = self.stages[self.next + 1..].iter().map(|(name, guess)| self.known(name, *guess).last).sum();
        Stage {
            workspace: self.workspace,
            label: format!("[{}/{}] {name}", self.next + 1, self.stages.len()),
            log: format!("logs/{}-{name}", self.title),
            start: Instant::now(),
            known: self.known(name, *guess),
            later,
            status: Mutex::default(),
            result: RefCell::default(),
        }
    }

    fn known(&self, name: &str, guess: Duration) -> Known {
        self.history.get(&format!("{}/{name}", self.title)).unwrap_or(Known { last: guess, longest: guess })
    }
}

/// What earlier runs took.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Known {
    last: Duration,
    longest: Duration,
}

impl Known {
    /// What is left after some time; nothing once it takes longer than ever.
    fn left(self, elapsed: Duration) -> Option<Duration> {
        let expected = if elapsed < self.last { self.last } else { self.longest };
        expected.checked_sub(elapsed).filter(|left| !left.is_zero())
    }
}

/// A stage that runs.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    /// Where things are.
    pub(crate) workspace: &'a Workspace,
    label: String,
    log: String,
    start: Instant,
    known: Known,
    later: Duration,
    status: Mutex<String>,
    result: RefCell<String>,
}

impl Stage<'_> {
    /// Says what is being done now.
    pub(crate) fn says(&self, text: &str) {
        if let Ok(mut status) = self.status.lock() {
            text.clone_into(&mut status);
        }
    }

    /// Says what came of the stage, for its last line.
    pub(crate) fn results_in(&self, text: impl Into<String>) {
        self.result.replace(text.into());
    }

    /// Runs a program; what it writes goes to the log of this name.
    pub(crate) fn command(&self, name: &str, command: &mut Command) -> Result<Finished> {
        let log = self.workspace.kept(&format!("{}-{name}.log", self.log))?;
        process::run(command, &log, |line| self.says(line))
    }

    fn run<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let (finished, wait) = mpsc::channel();
        let shown = Shown { label: &self.label, known: self.known, later: self.later, status: &self.status };
        let start = self.start;
        thread::scope(|scope| {
            scope.spawn(move || shown.until(&wait, start));
            let result = work(self);
            drop(finished);
            result
        })
    }

    fn show_end(&self, is_ok: bool, result: &str, took: Duration) {
        let word = if is_ok { "" } else { "failed after " };
        let comma = if result.is_empty() { "" } else { ", " };
        println!("{}{}: {result}{comma}{word}{}", clear(), self.label, exactly(took));
    }
}

/// What a running stage shows.
#[derive(Debug)]
struct Shown<'a> {
    label: &'a str,
    known: Known,
    later: Duration,
    status: &'a Mutex<String>,
}

impl Shown<'_> {
    /// Shows the time until the stage ends.
    fn until(&self, finished: &Receiver<()>, start: Instant) {
        let is_terminal = std::io::stdout().is_terminal();
        let every = if is_terminal { Duration::from_millis(250) } else { HEARTBEAT };
        while finished.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            if is_terminal {
                print!("{}{}", clear(), self.line(start.elapsed()));
                // A terminal that has gone is no reason to stop.
                let _flushed = std::io::stdout().flush();
            } else {
                println!("{}: {} so far{}", self.label, exactly(start.elapsed()), self.left(start.elapsed()));
            }
        }
    }

    fn line(&self, elapsed: Duration) -> String {
        let status = self.status.lock().map(|status| status.clone()).unwrap_or_default();
        let line = format!("{}: {}{}  {status}", self.label, exactly(elapsed), self.left(elapsed));
        line.chars().take(100).collect()
    }

    fn left(&self, elapsed: Duration) -> String {
        match self.known.left(elapsed) {
            Some(left) => format!(", {} left", about(left + self.later)),
            None if self.later.is_zero() => ", longer than ever before".to_owned(),
            None => format!(", then {} more", about(self.later)),
        }
    }
}

/// What takes a line back that a terminal shows.
fn clear() -> &'static str {
    if std::io::stdout().is_terminal() { "\r\u{1b}[2K" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn time_left_goes_by_the_last_run_then_by_the_longest() {
        let known = Known { last: seconds(10), longest: seconds(100) };
        assert_eq!(known.left(seconds(4)), Some(seconds(6)));
        assert_eq!(known.left(seconds(40)), Some(seconds(60)));
        assert_eq!(known.left(seconds(100)), None);
    }

    #[test]
    fn the_line_of_a_stage_tells_time_and_what_is_left_of_all() {
        let status = Mutex::new("Compiling serde".to_owned());
        let known = Known { last: seconds(120), longest: seconds(120) };
        let shown = Shown { label: "[1/2] server", known, later: seconds(60), status: &status };
        assert_eq!(shown.line(seconds(60)), "[1/2] server: 1 min 0 s, about 2 min left  Compiling serde");
        assert_eq!(shown.left(seconds(500)), ", then about 1 min more");
    }

    #[test]
    fn stages_are_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace { root: folder.path().to_owned(), target: folder.path().to_owned() };
        let mut progress = Progress::new(&workspace, "demo", &[("tools", 7), ("console", 8)]).unwrap();
        assert_eq!(progress.known("tools", seconds(7)).last, seconds(7));
        assert_eq!(progress.stage(|_| Ok(3)).unwrap(), 3);
        assert!(progress.known("tools", seconds(7)).last < seconds(7));
        assert!(progress.stage(|_| anyhow::bail!("no") as Result<()>).is_err());
        let again = Progress::new(&workspace, "demo", &[("tools", 7), ("console", 8)]).unwrap();
        assert!(again.known("tools", seconds(7)).last < seconds(7));
        assert_eq!(again.known("console", seconds(8)).last, seconds(8));
    }
}
