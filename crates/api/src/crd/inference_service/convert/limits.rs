//! How long a program may take to answer, and how many requests it gets at once.

use provost_domain::deployment::{CONCURRENCY_ANNOTATION, GRPC_TIMEOUT_ANNOTATION, REST_TIMEOUT_ANNOTATION, TextMap};

use super::{Reader, Server, Source};

/// Longest time limit, in seconds: a day.
const TIMEOUT_MAX: i64 = 86_400;

impl Reader<'_> {
    /// Notes the limits as the annotations by which pods know them. A model that the platform serves itself is not called.
    pub(super) fn limits(&mut self, source: &Source, server: &Server, annotations: &mut TextMap) {
        let [timeout, concurrency] = ["timeout", "containerConcurrency"].map(|name| source.path.field(name));
        let seconds = source.spec["timeout"].as_i64();
        let most = source.spec["containerConcurrency"].as_i64();
        if let Some(seconds) = seconds.filter(|seconds| !(0..=TIMEOUT_MAX).contains(seconds)) {
            self.invalid(timeout.clone(), seconds, format!("must be a number of seconds, up to {TIMEOUT_MAX}"));
        }
        if let Some(most) = most.filter(|most| *most < 0) {
            self.invalid(concurrency.clone(), most, "must be a number of requests, or 0 for no limit");
        }
        if matches!(server, Server::Native(_)) {
            return;
        }
        self.in_container.extend([timeout, concurrency]);
        if let Some(seconds) = seconds.filter(|seconds| *seconds > 0) {
            for annotation in [REST_TIMEOUT_ANNOTATION, GRPC_TIMEOUT_ANNOTATION] {
                annotations.insert(annotation.to_owned(), (seconds * 1000).to_string());
            }
        }
        if let Some(most) = most.filter(|most| *most > 0) {
            annotations.insert(CONCURRENCY_ANNOTATION.to_owned(), most.to_string());
        }
    }
}
