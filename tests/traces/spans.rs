//! What a collector received, as spans.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message as _;

use super::support::collector::Collector;

#[derive(Debug, Clone)]
pub struct Seen {
    pub name: String,
    pub trace: Vec<u8>,
    pub id: Vec<u8>,
    /// Empty for the first span of a trace.
    pub parent: Vec<u8>,
    pub kind: SpanKind,
    pub failed: bool,
    pub took_ns: u64,
    pub says: BTreeMap<String, String>,
}

impl Seen {
    pub fn says(&self, key: &str) -> &str {
        self.says.get(key).map_or("", String::as_str)
    }
}

/// Every span that came, as it ended.
pub struct Spans(pub Vec<Seen>);

impl Spans {
    pub fn of(collector: &Collector) -> Self {
        let mut spans = Vec::new();
        for (_, body) in collector.received() {
            let request = ExportTraceServiceRequest::decode(body).unwrap();
            for of_one in request.resource_spans {
                let resource = texts(&of_one.resource.unwrap().attributes);
                assert_eq!(resource["service.name"], "jitbot");
                assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
                for span in of_one.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                    assert!(span.events.is_empty(), "events hold what logs do: {span:?}");
                    assert!(span.links.is_empty());
                    let status = span.status.as_ref().map(|status| {
                        assert_eq!(status.message, "", "words of others may stand there");
                        status.code()
                    });
                    spans.push(Seen {
                        kind: span.kind(),
                        failed: status == Some(StatusCode::Error),
                        took_ns: span.end_time_unix_nano - span.start_time_unix_nano,
                        says: texts(&span.attributes),
                        name: span.name,
                        trace: span.trace_id,
                        id: span.span_id,
                        parent: span.parent_span_id,
                    });
                }
            }
        }
        Self(spans)
    }

    pub fn named(&self, name: &str) -> Vec<&Seen> {
        self.0.iter().filter(|span| span.name == name).collect()
    }

    /// The only one of that name.
    pub fn one(&self, name: &str) -> &Seen {
        let named = self.named(name);
        let names: Vec<&str> = self.0.iter().map(|span| span.name.as_str()).collect();
        assert_eq!(named.len(), 1, "{name} in {names:?}");
        named[0]
    }

    pub fn below(&self, parent: &Seen) -> Vec<&Seen> {
        let below = |span: &&Seen| span.parent == parent.id && span.trace == parent.trace;
        self.0.iter().filter(below).collect()
    }

    /// The only one below that has the name.
    pub fn child(&self, parent: &Seen, name: &str) -> &Seen {
        let below = self.below(parent);
        let mut named = below.iter().filter(|span| span.name == name);
        let child = named
            .next()
            .unwrap_or_else(|| panic!("{name} in {below:?}"));
        assert!(named.next().is_none(), "{name} in {below:?}");
        child
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |one: &KeyValue| {
        let value = one.value.as_ref().and_then(|any| any.value.as_ref());
        let text = match value {
            Some(Value::StringValue(text)) => text.clone(),
            Some(Value::IntValue(number)) => number.to_string(),
            other => panic!("{}: {other:?}", one.key),
        };
        (one.key.clone(), text)
    };
    let texts: BTreeMap<String, String> = attributes.iter().map(text).collect();
    assert_eq!(texts.len(), attributes.len(), "said twice: {attributes:?}");
    texts
}
