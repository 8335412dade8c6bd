//! What many rules cost: loading a configuration with 10,000 of them, and one decision among 1,000.

use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use lockgate::config::{Config, Process};
use lockgate_model::{Json, Principal, UnixMillis};
use lockgate_policy::{Asked, Rules, Subject};

const LOADED: usize = 10_000;
const ASKED: usize = 1_000;
const LOADS: usize = 7;
/// Decisions that are timed one by one.
const DECISIONS: usize = 200_000;

fn main() -> anyhow::Result<()> {
    println!("{:<40} {:>8} {:>10} {:>10}", format!("load {LOADED} rules"), "MiB", "p50 ms", "worst ms");
    for kind in Kind::ALL {
        let text = kind.text(LOADED);
        let mut took = Vec::new();
        for _ in 0..LOADS {
            let begun = Instant::now();
            black_box(load(&text)?);
            took.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let (p50, worst) = (quantile(&mut took, 0.5), quantile(&mut took, 1.0));
        println!(
            "{:<40} {:>8.2} {p50:>10.0} {worst:>10.0}",
            kind.name(),
            text.len() as f64 / (1 << 20) as f64
        );
    }
    println!("\n{:<40} {:>8} {:>10} {:>10}", format!("decide among {ASKED} rules"), "", "p50 ns", "p99 ns");
    for kind in Kind::ALL {
        let rules = load(&kind.text(ASKED))?;
        let (p50, p99) = decide(kind, &rules)?;
        println!("{:<40} {:>8} {p50:>10.0} {p99:>10.0}", kind.name(), "");
    }
    Ok(())
}

/// What the rules stand under, and what they say.
#[derive(Clone, Copy)]
enum Kind {
    Exact,
    Prefix,
    Suffix,
    Inside,
    Long,
    Matching,
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Exact, Self::Prefix, Self::Suffix, Self::Inside, Self::Long, Self::Matching];

    fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact names",
            Self::Prefix => "patterns `tool_17_*`",
            Self::Suffix => "patterns `*_tool_17`",
            Self::Inside => "patterns `*_17_*`",
            Self::Long => "long forms, half under patterns",
            Self::Matching => "a regular expression each",
        }
    }

    /// The pattern of a rule, and a name that it matches.
    fn pattern(self, number: usize) -> (String, String) {
        match self {
            Self::Exact | Self::Matching => (format!("tool_{number:05}"), format!("tool_{number:05}")),
            Self::Prefix => (format!("tool_{number:05}_*"), format!("tool_{number:05}_read")),
            Self::Suffix => (format!("*_tool_{number:05}"), format!("read_tool_{number:05}")),
            Self::Inside => (format!("*_{number:05}_*"), format!("tool_{number:05}_read")),
            Self::Long if number.is_multiple_of(2) => Self::Exact.pattern(number),
            Self::Long => Self::Prefix.pattern(number),
        }
    }

    fn text(self, count: usize) -> String {
        let mut text = "servers:\n  s:\n    command: [s]\n    default: deny\n    tools:\n".to_owned();
        for number in 0..count {
            let (pattern, _) = self.pattern(number);
            let rule = match self {
                Self::Long => format!(
                    "{{ require: {{ branch: main, limit: {{ at_most: {number} }} }}, deny_if: [{{ mode: [raw, fast] }}], \
                     limits: [100/hour], on_deny: \"Ask on another branch.\" }}"
                ),
                Self::Matching => "{ require: { branch: { matches: \"main|dev-[0-9]+\" } } }".to_owned(),
                Self::Exact | Self::Prefix | Self::Suffix | Self::Inside => "allow".to_owned(),
            };
            // Writing to a text cannot fail.
            let _written = writeln!(text, "      \"{pattern}\": {rule}");
        }
        text
    }
}

fn load(text: &str) -> anyhow::Result<Rules> {
    let config = Config::parse(text, "rules.yaml", Path::new(""), &Process)?;
    let server = config.boundary.servers.values().next().context("no server")?;
    Ok(server.rules.clone())
}

/// Half and 99 of 100 decisions take at most so long, in nanoseconds.
fn decide(kind: Kind, rules: &Rules) -> anyhow::Result<(f64, f64)> {
    let principal = Principal::new("local");
    let arguments = Json::check(br#"{"branch":"main","limit":0,"mode":"slow"}"#, 8).ok();
    let asked = Asked { principal: &principal, at: UnixMillis(0), arguments, class: None };
    let names: Vec<String> = (0..ASKED).map(|number| kind.pattern(number).1).collect();
    ensure!(rules.decide(Subject::Tool, &names[ASKED / 2], &asked).by.is_some(), "no rule decided");
    let mut took = Vec::with_capacity(DECISIONS);
    for count in 0..DECISIONS {
        let name = &names[count * 7_919 % ASKED];
        let begun = Instant::now();
        black_box(rules.decide(Subject::Tool, black_box(name), black_box(&asked)));
        took.push(begun.elapsed().as_secs_f64() * 1e9);
    }
    Ok((quantile(&mut took, 0.5), quantile(&mut took, 0.99)))
}

fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share) as usize]
}
