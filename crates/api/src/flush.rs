//! How the control plane asks a server in a pod to send what it has logged to the bucket.

/// Where it is asked, by an empty `POST`. The answer, once what was logged before is in the bucket, is an empty 204.
pub const PATH: &str = "/-/flush";
