//! Servers that end when nothing is asked, and are started when something is.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::routing_table::Sleeper;

/// Starts such servers.
#[async_trait]
pub trait Waker: Debug + Send + Sync {
    /// The address of one that can answer, as `host:port`: at once where one is there, else once one was started.
    ///
    /// # Errors
    ///
    /// Where none could be started, or none was ready in time, for the caller to read.
    async fn awake(&self, sleeper: &Sleeper) -> Result<String, String>;
}
