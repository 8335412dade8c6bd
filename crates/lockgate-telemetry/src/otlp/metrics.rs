//! `opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest`

use std::time::SystemTime;

use super::message::{Message, attribute, resource, scope};
use crate::registry::Histogram;
use crate::sample::{Point, Sample, Value};
use crate::span::nanos;
use crate::table::{BOUNDS, Kind};

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`
const CUMULATIVE: u64 = 2;

/// Everything as it stands `now`, counted since the process was `born`.
pub(crate) fn metrics(samples: &[Sample], born: SystemTime, now: SystemTime) -> Vec<u8> {
    let times = (nanos(born), nanos(now));
    let metrics = samples.iter().map(|sample| metric(sample, times));
    let scoped = Message::default().message(1, scope()).messages(2, metrics);
    let of_resource = Message::default().message(1, resource()).message(2, scoped);
    Message::default().message(1, of_resource).finish()
}

fn metric(sample: &Sample, times: (u64, u64)) -> Message {
    let points = sample.points.iter().map(|point| data(point, times));
    let data = Message::default().messages(1, points);
    let about = sample.metric;
    let message = Message::default().text(1, about.name).text(2, about.meaning).text(3, about.unit);
    match about.kind {
        Kind::Gauge => message.message(5, data),
        Kind::Counter => message.message(7, data.number(2, CUMULATIVE).number(3, 1)),
        Kind::Histogram => message.message(9, data.number(2, CUMULATIVE)),
    }
}

fn data(point: &Point, (born, now): (u64, u64)) -> Message {
    let attributes = point.labels.iter().map(|(label, value)| attribute(label.name, value));
    let timed = Message::default().fixed64(2, born).fixed64(3, now);
    match &point.value {
        // `as_int`, a signed number.
        Value::Number(number) => {
            timed.fixed64(6, (*number).min(i64::MAX.unsigned_abs())).messages(7, attributes)
        }
        Value::Histogram(histogram) => buckets(timed, histogram).messages(9, attributes),
    }
}

fn buckets(timed: Message, histogram: &Histogram) -> Message {
    timed
        .fixed64(4, histogram.count())
        .double(5, histogram.seconds())
        .packed64(6, histogram.buckets)
        .packed64(7, BOUNDS.iter().map(|(_, bound, _)| bound.to_bits()))
}
