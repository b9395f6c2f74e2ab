//! Makes plans real: loads predictors and swaps routes in this process.
//!
//! **Invariant**: no choices are made here; [`plan`](provost_domain::plan::plan) made them.

mod in_process;

pub use in_process::InProcessDeployer;
