//! The text format of Prometheus, version 0.0.4.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::fmt::Write;

use crate::sample::{Labels, Sample, Value};
use crate::table::{BOUNDS, underscored};

/// The media type.
pub(crate) const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything as text.
pub(crate) fn text(samples: &[Sample]) -> String {
    let mut page = String::new();
    for sample in samples {
        let (name, kind) = (sample.metric.prometheus(), sample.metric.kind.word());
        line(&mut page, format_args!("# HELP {name} {}", sample.metric.meaning));
        line(&mut page, format_args!("# TYPE {name} {kind}"));
        for point in &sample.points {
            let labels = &point.labels;
            match &point.value {
                Value::Number(number) => {
                    line(&mut page, format_args!("{name}{} {number}", braced(labels, None)));
                }
                Value::Histogram(histogram) => {
                    let bounds = BOUNDS.iter().map(|(text, _, _)| *text).chain(["+Inf"]);
                    let mut below = 0;
                    for (bound, count) in bounds.zip(histogram.buckets) {
                        below += count;
                        line(&mut page, format_args!("{name}_bucket{} {below}", braced(labels, Some(bound))));
                    }
                    let labels = braced(labels, None);
                    line(&mut page, format_args!("{name}_sum{labels} {}", histogram.seconds()));
                    line(&mut page, format_args!("{name}_count{labels} {below}"));
                }
            }
        }
    }
    page
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    let written = writeln!(page, "{text}");
    debug_assert!(written.is_ok(), "writing to a String does not fail");
}

fn braced(labels: &Labels, bound: Option<&str>) -> String {
    let own = labels.iter().map(|(label, value)| (underscored(label.name), escaped(value)));
    let all = own.chain(bound.map(|bound| ("le".to_owned(), bound.to_owned())));
    let all: Vec<_> = all.map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    if all.is_empty() { String::new() } else { format!("{{{}}}", all.join(",")) }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
