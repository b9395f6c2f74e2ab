//! Replays what fuzzing has found: each input is read or refused, and soon.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test")]

use std::{fs, path::Path, time::Instant};

use provost_gateway::fuzz;

/// Far beyond what an input takes in a build without optimisation.
const PATIENCE_SECONDS: f64 = 60.0;

#[test]
fn requests_and_answers_are_read_or_refused() {
    for (name, reader) in fuzz::READERS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let inputs: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(inputs.len() >= 10, "only {} inputs in {}", inputs.len(), folder.display());
        for path in inputs {
            let start = Instant::now();
            if let Err(message) = reader(&fs::read(&path).unwrap()) {
                assert!(message.chars().all(|c| !c.is_control()), "{}: {message:?}", path.display());
            }
            let seconds = start.elapsed().as_secs_f64();
            assert!(seconds < PATIENCE_SECONDS, "{} took {seconds} s", path.display());
        }
    }
}
