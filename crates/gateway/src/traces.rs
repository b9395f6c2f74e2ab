//! Traces of requests by W3C's trace context: a span for each request, and one for each call of a node within it. What
//! belongs together is known by the header `traceparent`, which is read where a request arrives and written where it
//! goes on.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context, KeyValue,
    global::BoxedTracer,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{SpanKind, Status, TraceContextExt as _, Tracer as _},
};

/// Where spans go.
#[derive(Clone)]
pub struct Traces(Arc<Tracing>);

struct Tracing {
    tracer: BoxedTracer,
    propagator: Box<dyn TextMapPropagator + Send + Sync>,
}

/// A span that goes on.
#[derive(Debug)]
pub(crate) struct Traced(Context);

impl Traces {
    /// To this tracer; `propagator` reads and writes the headers.
    pub fn new(tracer: BoxedTracer, propagator: Box<dyn TextMapPropagator + Send + Sync>) -> Self {
        Self(Arc::new(Tracing { tracer, propagator }))
    }

    /// Begins the span of a request that arrives, as a part of what its headers name; they name the span from now on.
    pub(crate) fn arrives(&self, headers: &mut HeaderMap, name: String, attributes: Vec<KeyValue>) -> Traced {
        self.begin(SpanKind::Server, headers, name, attributes)
    }

    /// Likewise of a request that goes on to a node.
    pub(crate) fn leaves(&self, headers: &mut HeaderMap, name: String, attributes: Vec<KeyValue>) -> Traced {
        self.begin(SpanKind::Client, headers, name, attributes)
    }

    fn begin(&self, kind: SpanKind, headers: &mut HeaderMap, name: String, attributes: Vec<KeyValue>) -> Traced {
        let Tracing { tracer, propagator } = &*self.0;
        let parent = propagator.extract_with_context(&Context::new(), &Read(headers));
        let span = tracer.span_builder(name).with_kind(kind).with_attributes(attributes);
        let context = parent.with_span(tracer.build_with_context(span, &parent));
        propagator.inject_context(&context, &mut Write(headers));
        Traced(context)
    }
}

impl std::fmt::Debug for Traces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Traces").finish_non_exhaustive()
    }
}

impl Traced {
    /// Adds what headers of the answer tell.
    pub(crate) fn is_of(&self, headers: &HeaderMap, names: &[HeaderName]) {
        for name in names {
            if let Some(text) = headers.get(name).and_then(|value| value.to_str().ok()) {
                self.0.span().set_attribute(KeyValue::new(name.to_string(), text.to_owned()));
            }
        }
    }

    /// Ends it with what came of it, by HTTP's status.
    pub(crate) fn answered(self, status: u16) {
        let span = self.0.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 500 {
            span.set_status(Status::error(""));
        }
        span.end();
    }

    /// Ends it with the reason why nothing came of it.
    pub(crate) fn failed(self, reason: &str) {
        let span = self.0.span();
        span.set_status(Status::error(reason.to_owned()));
        span.end();
    }
}

struct Read<'a>(&'a HeaderMap);

impl Extractor for Read<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Write<'a>(&'a mut HeaderMap);

impl Injector for Write<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            // No state is as good as an empty one.
            if value.is_empty() { drop(self.0.remove(name)) } else { drop(self.0.insert(name, value)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::{
        propagation::TraceContextPropagator,
        trace::{InMemorySpanExporter, SdkTracerProvider, SpanData},
    };

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn spans(work: impl FnOnce(&Traces)) -> Vec<SpanData> {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let tracer = BoxedTracer::new(Box::new(provider.tracer("test")));
        work(&Traces::new(tracer, Box::new(TraceContextPropagator::new())));
        exporter.get_finished_spans().unwrap()
    }

    #[test]
    fn a_request_and_its_calls_are_parts_of_what_the_caller_names() {
        let mut headers = HeaderMap::from_iter([("traceparent".parse().unwrap(), PARENT.parse().unwrap())]);
        let spans = spans(|traces| {
            let request = traces.arrives(&mut headers, "request".to_owned(), Vec::new());
            let mut sent = headers.clone();
            let call = traces.leaves(&mut sent, "call".to_owned(), Vec::new());
            assert_ne!(headers["traceparent"], sent["traceparent"]);
            call.answered(200);
            request.failed("no answer");
        });
        let [call, request] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!(request.span_context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(request.parent_span_id.to_string(), "b7ad6b7169203331");
        assert_eq!(call.parent_span_id, request.span_context.span_id());
        assert_eq!((&call.span_kind, &request.span_kind), (&SpanKind::Client, &SpanKind::Server));
        assert_eq!((&call.status, &request.status), (&Status::Unset, &Status::error("no answer")));
    }

    #[test]
    fn what_nobody_traced_before_begins_a_trace_and_what_cannot_be_read_counts_as_nothing() {
        for before in [None, Some("garbage")] {
            let mut headers = HeaderMap::new();
            headers.extend(before.map(|text| ("traceparent".parse::<HeaderName>().unwrap(), text.parse().unwrap())));
            let spans = spans(|traces| traces.arrives(&mut headers, "request".to_owned(), Vec::new()).answered(503));
            assert_eq!(spans[0].parent_span_id.to_string(), "0000000000000000");
            assert!(headers["traceparent"].to_str().unwrap().contains(&spans[0].span_context.trace_id().to_string()));
            assert!(matches!(spans[0].status, Status::Error { .. }));
        }
    }
}
