//! Rows, medians, the table and the budget.

use std::fmt::Write;

use serde::Serialize;

use crate::load::{Outcome, Point};
use crate::subject::Subject;

/// How a subject is before anything is measured.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Rest {
    pub listening_ms: Option<f64>,
    /// From its start to the answer to the first call.
    pub first_call_ms: f64,
    pub resident_kib: Option<u64>,
}

/// Everything measured, in the order it was measured.
#[derive(Default)]
pub struct Report {
    rests: Vec<(Subject, Rest)>,
    points: Vec<(Subject, Point, Outcome)>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Row<'r> {
    Rest {
        subject: &'static str,
        #[serde(flatten)]
        rest: &'r Rest,
    },
    Point {
        subject: &'static str,
        #[serde(flatten)]
        point: &'r Point,
        #[serde(flatten)]
        outcome: &'r Outcome,
    },
}

impl Report {
    pub fn rest(&mut self, subject: Subject, rest: Rest) {
        self.rests.push((subject, rest));
    }

    pub fn point(&mut self, subject: Subject, point: Point, outcome: Outcome) {
        self.points.push((subject, point, outcome));
    }

    /// Every measurement as an array of JSON objects.
    pub fn json(&self) -> anyhow::Result<String> {
        let rests = self.rests.iter().map(|(subject, rest)| Row::Rest { subject: subject.label(), rest });
        let points = self.points.iter().map(|(subject, point, outcome)| Row::Point {
            subject: subject.label(),
            point,
            outcome,
        });
        Ok(serde_json::to_string_pretty(&rests.chain(points).collect::<Vec<_>>())?)
    }

    /// Calls that failed, of all.
    pub fn failures(&self) -> u64 {
        self.points.iter().map(|(_, _, outcome)| outcome.failures).sum()
    }

    /// How much of the machine was busy with something else: the median over all points but those on stdio, where the
    /// server itself counts as something else. Percent.
    pub fn others(&self) -> Option<f64> {
        let counted = self.points.iter().filter(|(subject, ..)| subject.yardstick() == Subject::Inspect);
        middle(counted.map(|(_, _, outcome)| outcome.others_percent))
    }

    /// The median over the rounds.
    fn median(&self, subject: Subject, point: Point, what: impl Fn(&Outcome) -> Option<f64>) -> Option<f64> {
        let all = self.points.iter().filter(|(other, at, _)| *other == subject && *at == point);
        middle(all.filter_map(|(_, _, outcome)| what(outcome)))
    }

    fn at_rest(&self, subject: Subject, what: impl Fn(&Rest) -> Option<f64>) -> Option<f64> {
        middle(self.rests.iter().filter(|(other, _)| *other == subject).filter_map(|(_, rest)| what(rest)))
    }

    /// The tables, as Markdown.
    pub fn table(&self) -> String {
        let mut out =
            String::from("| | listening ms | first call ms | resident at rest MiB |\n|---|--:|--:|--:|\n");
        let subjects = |subject: &Subject| self.rests.iter().any(|(other, _)| other == subject);
        for subject in Subject::ALL.into_iter().filter(subjects) {
            let cells = [
                shown(self.at_rest(subject, |rest| rest.listening_ms), 1),
                shown(self.at_rest(subject, |rest| Some(rest.first_call_ms)), 1),
                shown(self.at_rest(subject, |rest| Some(rest.resident_kib? as f64 / 1024.0)), 1),
            ];
            line(&mut out, subject, &cells);
        }
        let mut points: Vec<Point> = Vec::new();
        for (_, point, _) in &self.points {
            if !points.contains(point) {
                points.push(*point);
            }
        }
        for point in points {
            let _written = write!(
                out,
                "\n{} KiB, {} at once\n\n| | p50 µs | p99 µs | calls/s | CPU µs/call | resident MiB | p50 × | p99 × | calls/s × | others % |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
                point.bytes / 1024,
                point.clients
            );
            let measured =
                |subject: &Subject| self.points.iter().any(|(other, at, _)| other == subject && *at == point);
            for subject in Subject::ALL.into_iter().filter(measured) {
                let cells = [
                    shown(self.median(subject, point, |outcome| Some(outcome.p50_us)), 0),
                    shown(self.median(subject, point, |outcome| Some(outcome.p99_us)), 0),
                    shown(self.median(subject, point, |outcome| Some(outcome.calls_per_s)), 0),
                    shown(self.median(subject, point, |outcome| outcome.cpu_us), 1),
                    shown(
                        self.median(subject, point, |outcome| Some(outcome.resident_kib? as f64 / 1024.0)),
                        1,
                    ),
                    shown(self.ratio(subject, point, |outcome| outcome.p50_us), 2),
                    shown(self.ratio(subject, point, |outcome| outcome.p99_us), 2),
                    shown(self.ratio(subject, point, |outcome| outcome.calls_per_s), 2),
                    shown(self.median(subject, point, |outcome| Some(outcome.others_percent)), 0),
                ];
                line(&mut out, subject, &cells);
            }
        }
        out
    }

    /// The measured value beside its yardstick's.
    fn ratio(&self, subject: Subject, point: Point, what: impl Fn(&Outcome) -> f64 + Copy) -> Option<f64> {
        let own = self.median(subject, point, |outcome| Some(what(outcome)))?;
        Some(own / self.median(subject.yardstick(), point, |outcome| Some(what(outcome)))?)
    }

    /// The budget, line by line: what is promised, what was measured.
    pub fn budget(&self) -> String {
        let mut out = String::from("| budget | at most | measured | |\n|---|--:|--:|---|\n");
        let mut promise = |name: &str, most: f64, measured: Option<f64>| {
            let Some(measured) = measured else { return };
            let word = if measured <= most { "kept" } else { "broken" };
            let _written = writeln!(out, "| {name} | {most:.2} | {measured:.2} | {word} |");
        };
        for subject in [Subject::One, Subject::All] {
            let name = |what: &str| format!("{}: {what}", subject.label());
            let alone = Point { bytes: 1 << 10, clients: 1 };
            let busy = Point { bytes: 1 << 10, clients: 16 };
            promise(
                &name("p50 × floor, one call"),
                1.4,
                self.ratio(subject, alone, |outcome| outcome.p50_us),
            );
            promise(
                &name("p99 × floor, one call"),
                2.0,
                self.ratio(subject, alone, |outcome| outcome.p99_us),
            );
            promise(&name("CPU µs a call at 16"), 45.0, self.median(subject, busy, |outcome| outcome.cpu_us));
            promise(
                &name("floor's calls/s × at 16"),
                1.0 / 0.55,
                self.ratio(subject, busy, |outcome| 1.0 / outcome.calls_per_s),
            );
            for (size, bytes) in [("100 KiB", 100 << 10), ("1 MiB", 1 << 20)] {
                let point = Point { bytes, clients: 1 };
                promise(
                    &name(&format!("{size} p50 × floor")),
                    2.0,
                    self.ratio(subject, point, |outcome| outcome.p50_us),
                );
            }
            promise(&name("listening, ms"), 50.0, self.at_rest(subject, |rest| rest.listening_ms));
        }
        let idle = self.at_rest(Subject::Ten, |rest| Some(rest.resident_kib? as f64 / 1024.0));
        promise("resident with ten idle servers, MiB", 20.0, idle);
        out
    }
}

fn line(out: &mut String, subject: Subject, cells: &[String]) {
    let name =
        if subject.is_lockgate() { format!("**{}**", subject.label()) } else { subject.label().to_owned() };
    let _written = writeln!(out, "| {name} | {} |", cells.join(" | "));
}

fn shown(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.digits$}"))
}

fn middle(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 {
        values.get(half).copied()
    } else {
        Some((values.get(half)? + values.get(half.checked_sub(1)?)?) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_middle_of_few_values() {
        assert_eq!(super::middle([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(super::middle([4.0, 1.0].into_iter()), Some(2.5));
        assert_eq!(super::middle([].into_iter()), None);
    }
}
