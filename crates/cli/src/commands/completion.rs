//! `provost completion`.

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use crate::{failure::Failure, output::print};

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut crate::Arguments::command(), "provost", &mut script);
    print(&String::from_utf8_lossy(&script))
}
