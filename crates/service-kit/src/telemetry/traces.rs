//! Where spans go: to a collector, over HTTP by OTLP (the protocol of `OpenTelemetry`).

use std::time::Duration;

use opentelemetry::{Key, global::BoxedTracer, propagation::TextMapPropagator, trace::TracerProvider as _};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};

/// Where a collector takes spans, below its address.
const PATH: &str = "/v1/traces";
/// How long a collector may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What is traced, and where that goes.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceOptions {
    /// The collector's address, as `http://host:4318`, with or without the path `/v1/traces`.
    pub endpoint: String,
    /// The part of the requests, 0 to 1, of which there are spans where the caller has not decided.
    pub ratio: f64,
    /// The name of what sends them, unless `OTEL_SERVICE_NAME` tells another.
    pub service: &'static str,
}

/// Spans on their way. Those that are left are sent by [`Spans::finish`].
#[derive(Debug)]
pub struct Spans(SdkTracerProvider);

impl Spans {
    /// Sends spans from now on. The variables of the standard, such as `OTEL_EXPORTER_OTLP_HEADERS` and
    /// `OTEL_RESOURCE_ATTRIBUTES`, count as well.
    ///
    /// # Errors
    ///
    /// Where the address is none.
    pub fn start(options: &TraceOptions) -> Result<Self, String> {
        let address = options.endpoint.trim_end_matches('/');
        let whole = if address.ends_with(PATH) { address.to_owned() } else { format!("{address}{PATH}") };
        let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
        let exporter = exporter.with_endpoint(whole).with_timeout(TIMEOUT).build();
        let exporter =
            exporter.map_err(|error| format!("`{}` is no address of a collector: {error}", options.endpoint))?;
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(options.ratio)));
        let told = Resource::builder().build();
        let name = told.get(&Key::from_static_str("service.name")).map(|name| name.to_string());
        let is_named = name.is_some_and(|name| !name.starts_with("unknown_service"));
        let resource = if is_named { told } else { Resource::builder().with_service_name(options.service).build() };
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_sampler(sampler);
        Ok(Self(provider.with_resource(resource).build()))
    }

    /// Begins and ends spans.
    pub fn tracer(&self) -> BoxedTracer {
        BoxedTracer::new(Box::new(self.0.tracer("provost")))
    }

    /// Reads and writes the headers of W3C's trace context.
    pub fn propagator() -> Box<dyn TextMapPropagator + Send + Sync> {
        Box::new(TraceContextPropagator::new())
    }

    /// Sends what is left; call it outside of asynchronous code.
    pub fn finish(self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}
