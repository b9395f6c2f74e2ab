//! Mutates requests and answers, and feeds them to one of the readers of the gateway, as `provost-predictors` does with
//! model files and requests for models.
//!
//! ```text
//! cargo run --release -p provost-gateway --example fuzz_protocols -- infer|binary|bridge|serving|examples|condition|batch MINUTES [SEED]
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::exit,
    reason = "a tool of developers, which stops at what it cannot do"
)]

#[path = "../../predictors/examples/fuzz/run.rs"]
mod run;

use provost_gateway::fuzz;

fn main() {
    run::run(&fuzz::READERS, |_, _| false);
}
