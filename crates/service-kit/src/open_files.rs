//! How many files a process may have open, of which each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files besides connections: data, logs, listeners.
const OTHERS: u64 = 512;

/// Lets this process have as many files open as it is allowed, and tells in the log where so many connections are more.
pub fn raise_open_files(connections: usize) {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if files < u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS) {
        tracing::warn!(
            files,
            connections,
            "server.connections-max asks for more open files than are allowed (ulimit -Hn)"
        );
    }
}
