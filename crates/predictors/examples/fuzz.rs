//! Mutates model files and requests, and feeds them to one of the readers.
//!
//! ```text
//! cargo run --release -p provost-predictors --example fuzz -- pickle|ubj|legacy|lightgbm|catboost|v1|v2|seldon|message|serving MINUTES [SEED]
//! ```
//!
//! Begins with the fixtures and the corpus. An input that brings out a message not seen before is
//! mutated further, and the small ones are kept in `target/fuzz/<reader>` for the corpus. An input
//! is a finding if it panics, takes longer than a limit, or allocates more than a constant and a
//! multiple of its length; findings go to `corpus/<reader>`, where `cargo test` replays them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::exit,
    reason = "a tool of developers, which stops at what it cannot do"
)]

#[path = "fuzz/run.rs"]
mod run;

use std::path::Path;

use provost_predictors::fuzz;

fn main() {
    let readers: [(&str, run::Reader); 10] = [
        ("pickle", fuzz::pickle),
        ("ubj", fuzz::ubj),
        ("legacy", fuzz::legacy),
        ("lightgbm", fuzz::lightgbm),
        ("catboost", fuzz::catboost),
        ("v1", fuzz::v1),
        ("v2", fuzz::v2),
        ("seldon", fuzz::seldon),
        ("message", fuzz::message),
        ("serving", fuzz::serving),
    ];
    run::run(&readers, is_fixture);
}

/// Whether a fixture is of a reader's format.
fn is_fixture(path: &Path, name: &str) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    match name {
        "pickle" => matches!(&*extension, "pkl" | "joblib" | "gz"),
        "ubj" => extension == "ubj",
        "legacy" => extension == "bst",
        "lightgbm" => extension == "txt",
        _ => false,
    }
}
