//! How long a program may take to answer, how many requests it gets at once, and how they are gathered.

use provost_domain::deployment::{
    BATCH_LATENCY_ANNOTATION, BATCH_SIZE_ANNOTATION, CONCURRENCY_ANNOTATION, GRPC_TIMEOUT_ANNOTATION,
    REST_TIMEOUT_ANNOTATION, TextMap,
};

use super::{Reader, Server, Source};

/// Longest time limit, in seconds: a day.
const TIMEOUT_MAX: i64 = 86_400;
/// Most instances of a batch, and what `KServe` has where nothing is said.
const SIZE_MAX: i64 = 1 << 20;
const SIZE: i64 = 32;
/// Milliseconds likewise.
const LATENCY: i64 = 5000;

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
        let of_batch = self.batcher(source, annotations);
        if matches!(server, Server::Native(_)) {
            return;
        }
        self.in_container.extend([timeout, concurrency, source.path.field("batcher").field("timeout")]);
        let shortest = seconds.into_iter().chain(of_batch).filter(|seconds| *seconds > 0).min();
        if let Some(seconds) = shortest {
            for annotation in [REST_TIMEOUT_ANNOTATION, GRPC_TIMEOUT_ANNOTATION] {
                annotations.insert(annotation.to_owned(), (seconds * 1000).to_string());
            }
        }
        if let Some(most) = most.filter(|most| *most > 0) {
            annotations.insert(CONCURRENCY_ANNOTATION.to_owned(), most.to_string());
        }
    }

    /// Notes how requests are gathered, and gives the seconds that a batch may take.
    fn batcher(&mut self, source: &Source, annotations: &mut TextMap) -> Option<i64> {
        let batcher = source.spec.get("batcher").filter(|batcher| batcher.is_object())?;
        let path = source.path.field("batcher");
        let number = |reader: &mut Self, name: &str, most: i64| {
            let number = batcher[name].as_i64().unwrap_or(0);
            if !(0..=most).contains(&number) {
                reader.invalid(path.field(name), number, format!("must be a number up to {most}"));
            }
            number
        };
        let size = number(self, "maxBatchSize", SIZE_MAX);
        let latency = number(self, "maxLatency", TIMEOUT_MAX * 1000);
        let seconds = number(self, "timeout", TIMEOUT_MAX);
        for (annotation, said, otherwise) in
            [(BATCH_SIZE_ANNOTATION, size, SIZE), (BATCH_LATENCY_ANNOTATION, latency, LATENCY)]
        {
            let number = if said > 0 { said } else { otherwise };
            annotations.insert(annotation.to_owned(), number.to_string());
        }
        Some(seconds)
    }
}
