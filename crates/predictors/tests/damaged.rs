//! Model files of which some bytes were changed: each ends in a model that answers, or in an error.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what is not as it should be")]

mod support;

use std::{fs, io::Read as _, time::Instant};

use provost_predictors::fuzz;
use support::{entries, file_name, fixtures, models::Sequence};

/// How often each file is damaged. `PROVOST_DAMAGES` asks for more.
const DAMAGES: usize = 12;
/// Far beyond what a file takes in a build without optimisation.
const PATIENCE_SECONDS: f64 = 60.0;

/// The file as a plain pickle.
fn pickle(bytes: Vec<u8>) -> Vec<u8> {
    let mut plain = Vec::new();
    match flate2::read::ZlibDecoder::new(&*bytes).read_to_end(&mut plain) {
        Ok(_) => plain,
        Err(_) => bytes,
    }
}

/// Changes a few bytes: to others, to the extremes, or to what stands elsewhere in the file.
fn damage(bytes: &mut [u8], sequence: &mut Sequence) {
    for _ in 0..=sequence.below(3) {
        let (at, from) = (sequence.below(bytes.len()), sequence.below(bytes.len()));
        match sequence.below(5) {
            0 => bytes[at] ^= 1 << sequence.below(8),
            1 => bytes[at] = 0xff,
            2 => bytes[at] = 0,
            3 => bytes[at] = bytes[from],
            _ => {
                let count = 8.min(bytes.len() - at).min(bytes.len() - from);
                bytes.copy_within(from..from + count, at);
            }
        }
    }
}

fn check(version: &str) {
    let damages = std::env::var_os("PROVOST_DAMAGES").map_or(DAMAGES, |count| count.to_str().unwrap().parse().unwrap());
    let files = entries(&fixtures().join("sklearn").join(version)).into_iter();
    for path in files.filter(|path| file_name(path).ends_with(".joblib")) {
        let whole = pickle(fs::read(&path).unwrap());
        let mut sequence = Sequence::new(whole.len() as u64);
        for number in 0..damages {
            let mut bytes = whole.clone();
            damage(&mut bytes, &mut sequence);
            let start = Instant::now();
            let outcome = std::panic::catch_unwind(|| fuzz::pickle(&bytes));
            let seconds = start.elapsed().as_secs_f64();
            assert!(seconds < PATIENCE_SECONDS, "{} number {number} took {seconds} s", path.display());
            let outcome = outcome.unwrap_or_else(|_| panic!("{} number {number} panicked", path.display()));
            let message = outcome.err().unwrap_or_default();
            assert!(message.chars().all(|c| !c.is_control()), "{}: {message:?}", path.display());
        }
    }
}

#[test]
fn a_damaged_file_of_the_oldest_version_is_a_model_or_an_error() {
    check("0.20");
}

#[test]
fn a_damaged_file_of_the_newest_version_is_a_model_or_an_error() {
    check("1.9");
}
