//! Sends spans to a collector, as OTLP over HTTP.
//!
//! A thread of its own sends what ended, in batches out of a queue that is bounded: where the collector
//! does not take them spans are lost, and nothing else. The environment variables that OpenTelemetry's
//! libraries know (`OTEL_…`) say nothing here: the config does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter,
    SpanLimits,
};
use prost::Message as _;
use secrecy::ExposeSecret as _;
use tokio::runtime::Handle;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::{Layer, Registry};

use super::TARGET;
use crate::config::TracesConfig;
use crate::web_call::{self, Destination, NoReply, trust};

/// Spans that wait to be sent; one that ends while so many wait is lost.
const QUEUE_MAX: usize = 4_096;
/// Spans in one request.
const BATCH_MAX: usize = 512;
/// How often what ended is sent, if there are not [`BATCH_MAX`] earlier.
const EVERY: Duration = Duration::from_secs(2);
/// How long a stop waits until what is left was taken: with everything else that a stop may take it
/// stays below seventy seconds.
const FLUSH_WITHIN: Duration = Duration::from_secs(3);
const A_LITTLE: Duration = Duration::from_millis(500);
/// What of an answer is read.
const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// Spans on their way to a collector.
pub struct Export {
    provider: SdkTracerProvider,
    complained: Arc<AtomicBool>,
}

impl Export {
    /// As the config says.
    ///
    /// # Errors
    /// A header's value can't be had or sent; TLS has nobody to trust. In words for the operator.
    pub fn of(wanted: &TracesConfig) -> anyhow::Result<Self> {
        let collector = Collector::of(wanted)?;
        let complained = collector.complained.clone();
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE_MAX)
            .with_max_export_batch_size(BATCH_MAX)
            .with_scheduled_delay(EVERY)
            .build();
        let resource = Resource::builder_empty()
            .with_detector(Box::new(TelemetryResourceDetector))
            .with_service_name("jitbot")
            .with_attribute(opentelemetry::KeyValue::new(
                "service.version",
                env!("CARGO_PKG_VERSION"),
            ))
            .build();
        let part = Sampler::TraceIdRatioBased(wanted.sample_ratio);
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(part)))
            .with_span_limits(SpanLimits::default())
            .with_resource(resource)
            .with_span_processor(
                BatchSpanProcessor::builder(collector)
                    .with_batch_config(batches)
                    .build(),
            )
            .build();
        Ok(Self {
            provider,
            complained,
        })
    }

    /// Whether they could be sent; nothing is.
    ///
    /// # Errors
    /// As [`Export::of`].
    pub fn look(wanted: &TracesConfig) -> anyhow::Result<()> {
        Collector::of(wanted).map(drop)
    }

    /// What listens to spans: to ours alone. Those of libraries hold addresses, and events hold what
    /// logs do.
    #[must_use]
    pub fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let ours = FilterFn::new(|metadata| metadata.is_span() && metadata.target() == TARGET)
            .with_max_level_hint(LevelFilter::INFO);
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("jitbot"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(ours)
            .boxed()
    }

    /// Sends what is left, for three seconds at most.
    pub async fn stop(self) {
        let Self {
            provider,
            complained,
        } = self;
        let flush = move || provider.shutdown_with_timeout(FLUSH_WITHIN).is_ok();
        // The limit is the library's; a little later it is ours.
        let flushed = tokio::task::spawn_blocking(flush);
        let flushed = tokio::time::timeout(FLUSH_WITHIN + A_LITTLE, flushed).await;
        if !matches!(flushed, Ok(Ok(true))) && !complained.swap(true, Ordering::AcqRel) {
            tracing::warn!(
                "the last traces were not taken within {} s; they are lost",
                FLUSH_WITHIN.as_secs()
            );
        }
    }
}

fn destination(wanted: &TracesConfig) -> anyhow::Result<Destination> {
    let tls = match wanted.endpoint.scheme() {
        "https" => Some(Arc::new(trust::tls(None).map_err(anyhow::Error::msg)?)),
        _ => None,
    };
    Ok(Destination {
        url: wanted.endpoint.clone(),
        allow_private: wanted.allow_private,
        tls,
    })
}

fn headers(wanted: &TracesConfig) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    let protobuf = HeaderValue::from_static("application/x-protobuf");
    headers.insert(CONTENT_TYPE, protobuf);
    for (name, value) in &wanted.headers {
        let key = format!("traces.headers.{name}");
        let secret = value.read().with_context(|| key.clone())?;
        let header = HeaderName::try_from(name).with_context(|| key.clone())?;
        let mut value = HeaderValue::from_str(secret.expose_secret())
            .map_err(|_| anyhow!("{key} holds what can't be sent in a header, like a line end"))?;
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    Ok(headers)
}

/// Takes batches.
#[derive(Debug)]
struct Collector {
    to: Arc<Destination>,
    headers: HeaderMap,
    within: Duration,
    /// Batches are sent from a thread that is none of it.
    runtime: Handle,
    resource: ResourceAttributesWithSchema,
    /// That it takes nothing was said, and it has taken nothing since.
    complained: Arc<AtomicBool>,
}

impl Collector {
    fn of(wanted: &TracesConfig) -> anyhow::Result<Self> {
        Ok(Self {
            to: Arc::new(destination(wanted)?),
            headers: headers(wanted)?,
            within: Duration::from_secs(u64::try_from(wanted.timeout_s).unwrap_or(u64::MAX)),
            runtime: Handle::current(),
            resource: ResourceAttributesWithSchema::default(),
            complained: Arc::default(),
        })
    }
}

impl SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let request = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(batch, &self.resource),
        };
        let (to, headers) = (self.to.clone(), self.headers.clone());
        let (body, within) = (request.encode_to_vec(), self.within);
        let sent = self.runtime.spawn(async move {
            let call = web_call::post(&to, headers, body.into(), ANSWER_MAX_BYTES);
            tokio::time::timeout(within, call).await
        });
        let why = match sent.await {
            Ok(Ok(Ok(reply))) if (200..300).contains(&reply.status) => {
                // An answer that is none says nothing against what it was sent.
                let answer = ExportTraceServiceResponse::decode(reply.body).unwrap_or_default();
                match answer.partial_success {
                    Some(partly) if partly.rejected_spans > 0 => {
                        Some(format!("{} of {spans} were refused", partly.rejected_spans))
                    }
                    _ => None,
                }
            }
            Ok(Ok(Ok(reply))) => Some(format!("answered with status {}", reply.status)),
            Ok(Ok(Err(NoReply::NotSent(why) | NoReply::Lost(why)))) => Some(why),
            Ok(Err(_)) => Some(format!("no answer within {} s", within.as_secs())),
            Err(_) => Some("jitbot is ending".to_owned()),
        };
        let Some(why) = why else {
            if self.complained.swap(false, Ordering::AcqRel) {
                tracing::info!("traces are taken again");
            }
            return Ok(());
        };
        if !self.complained.swap(true, Ordering::AcqRel) {
            tracing::warn!(
                "traces are not taken: {why}. They are lost until they are; nothing waits for it"
            );
        }
        Err(OTelSdkError::InternalFailure(why))
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}
