//! Metadata: a row is a versioned JSON document with the columns that queries need beside it.

mod record;
mod sqlite;

pub use sqlite::{OpenError, SqliteRepository};

#[cfg(test)]
mod tests;
