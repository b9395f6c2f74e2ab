//! Why a command failed, what is printed of it, and the exit code.

use std::{error::Error, process::ExitCode};

use provost_api::client::ClientError;
use provost_domain::ErrorCode;

/// The exit codes, for the help.
pub(crate) const EXIT_CODES: &str = "Exit codes:
  0  done
  1  failed, or refused by the server
  2  the command line is wrong
  3  there is no such thing
  4  the server cannot be reached
  5  the time to wait is over";

/// A failure of a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The server refused or cannot be reached.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Waiting took too long.
    #[error("{0}")]
    Timeout(String),
    /// The command line asks for something that is not there.
    #[error("{0}")]
    Usage(String),
    /// Something else; the text says all.
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Failure {
    /// A failure with this text.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::Other(anyhow::anyhow!(text.into()))
    }

    /// Prints the failure and gives the exit code. A reader that is gone is no failure.
    pub(crate) fn report(&self) -> ExitCode {
        if self.is_broken_pipe() {
            return ExitCode::SUCCESS;
        }
        eprintln!("error: {}", self.text());
        ExitCode::from(self.code())
    }

    fn text(&self) -> String {
        let mut text = self.to_string();
        match self {
            Self::Client(ClientError::Refused(problem)) if problem.errors.len() > 1 => {
                text.extend(problem.errors.iter().map(|error| format!("\n  {error}")));
            }
            Self::Client(error @ ClientError::Unreachable { .. }) => {
                let mut cause = error.source();
                let mut last = None;
                while let Some(error) = cause {
                    last = Some(error.to_string());
                    cause = error.source();
                }
                text.push_str(&last.map(|cause| format!(": {cause}")).unwrap_or_default());
                text.push_str("\nStart one with `provost serve`, or name one with --server or PROVOST_SERVER.");
            }
            _ => {}
        }
        text
    }

    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Client(error) if error.code() == Some(ErrorCode::NotFound) => 3,
            Self::Client(ClientError::Unreachable { .. }) => 4,
            Self::Timeout(_) => 5,
            _ => 1,
        }
    }

    fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}
