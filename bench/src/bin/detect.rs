//! What it costs to look at a text: everything, and each finder alone; and what the finders need in memory. Times are
//! processor time of this thread, so that other work on the machine counts little. Every text is made here.

use std::hint::black_box;

use anyhow::{Context, ensure};
use bench::process::resident;
use lockgate_detect::attack::{Attacks, Input};
use lockgate_detect::injection::Injection;
use lockgate_detect::injection::model::Model;
use lockgate_detect::personal::Personal;
use lockgate_detect::secrets::Secrets;
use lockgate_detect::{Genre, Inspector, Judges, hidden};
use lockgate_model::Json;
use rustix::time::{ClockId, clock_gettime};

#[path = "../../../crates/lockgate-detect/tests/linear/texts.rs"]
mod texts;

use self::texts::{HOSTILE, HOSTILE_OBJECTS, ORDINARY, Sort, object};

/// Sizes of texts, in bytes, and what everything together may cost then, in microseconds.
const SIZES: [(&str, usize, f64); 4] = [
    ("1 KB", 1_000, 25.0),
    ("10 KB", 10_000, 150.0),
    ("100 KB", 100_000, 1_500.0),
    ("1 MB", 1_000_000, 15_000.0),
];
/// A measurement goes on until it has taken that long, in seconds, and then the fastest run counts.
const ENOUGH: f64 = 0.02;
const RUNS: usize = 5;

/// Looks at one text; seconds of the fastest of some runs.
type Look<'f> = Box<dyn Fn(&str) -> f64 + 'f>;

fn main() -> anyhow::Result<()> {
    let only: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |what: &str| only.is_empty() || only.iter().any(|word| what == word);
    let before = resident(std::process::id()).context("the system does not say how much memory is in use")?;
    let begun = processor_time();
    let inspector = Inspector::new();
    let took = processor_time() - begun;
    let after = resident(std::process::id()).unwrap_or_default();
    println!(
        "made in {:.1} ms, {:.1} MiB resident",
        took * 1e3,
        (after.saturating_sub(before)) as f64 / 1024.0
    );
    for (name, make) in finders_made() {
        let before = resident(std::process::id()).unwrap_or_default();
        let took = timed(|| make());
        let after = resident(std::process::id()).unwrap_or_default();
        println!(
            "  {name:<20} {:>6.1} ms {:>6.1} MiB",
            took * 1e3,
            after.saturating_sub(before) as f64 / 1024.0
        );
    }
    if wanted("all") {
        println!("\neverything, as a result: µs, of the allowed; and ns a byte of the longest\n{}", header());
        let all: Look<'_> =
            Box::new(|text| fastest(|| spend(inspector.text(Genre::Result, "", black_box(text)))));
        table(&ORDINARY, &all);
        table(&HOSTILE, &all);
    }
    if wanted("arguments") {
        println!("\neverything, as an argument\n{}", header());
        let all: Look<'_> =
            Box::new(|text| fastest(|| spend(inspector.text(Genre::Arguments, "", black_box(text)))));
        table(&ORDINARY, &all);
        table(&HOSTILE, &all);
    }
    if wanted("objects") {
        println!("\neverything, in an object that is parsed\n{}", header());
        let all: Look<'_> = Box::new(|text| match Json::check(text.as_bytes(), 128) {
            Ok(json) => fastest(|| spend(inspector.object(Genre::Result, black_box(json)))),
            Err(reason) => unreachable!("{reason:?}: texts of objects are JSON"),
        });
        table(&[("records", object)], &all);
        table(&HOSTILE_OBJECTS, &all);
    }
    if wanted("finders") {
        let finders = finders();
        print!("\neach finder alone, 100 KB: ns a byte\n{:<34}", "");
        finders.iter().for_each(|(name, _)| print!(" {name:>10}"));
        println!();
        for (name, make) in ORDINARY.iter().chain(&HOSTILE) {
            let text = make(100_000);
            print!("{name:<34}");
            for (_, look) in &finders {
                print!(" {:>10.2}", look(&text) / text.len() as f64 * 1e9);
            }
            println!();
        }
    }
    ensure!(after > before, "making the finders took no memory: the measurement is wrong");
    Ok(())
}

/// What is made at the start, each once more.
fn finders_made() -> Vec<(&'static str, Box<dyn Fn()>)> {
    vec![
        ("secrets", Box::new(|| keep(Secrets::new()))),
        ("personal", Box::new(|| keep(Personal::new()))),
        ("model", Box::new(|| keep(Model::built_in().is_ok()))),
        ("rules and model", Box::new(|| keep(Injection::new()))),
        ("attacks", Box::new(|| keep(Attacks::new()))),
    ]
}

/// Each finder with a text of its own kind.
fn finders() -> Vec<(&'static str, Look<'static>)> {
    let (secrets, personal) = (Secrets::new(), Personal::new());
    let [rules, model] = [Judges::Rules, Judges::Model].map(|judges| {
        let injection = Injection::new().judged_by(judges);
        move |text: &str| fastest(|| spend(injection.judge(Genre::Result, text)))
    });
    let attacks = [Input::Command, Input::Code].map(|input| {
        let attacks = Attacks::new();
        move |text: &str| fastest(|| spend(attacks.find(input, text)))
    });
    let [command, code] = attacks;
    vec![
        ("hidden", Box::new(|text| fastest(|| spend(hidden::look(text))))),
        ("secrets", Box::new(move |text| fastest(|| spend(secrets.find(text))))),
        ("personal", Box::new(move |text| fastest(|| spend(personal.find("", text))))),
        ("rules", Box::new(rules)),
        ("model", Box::new(model)),
        ("command", Box::new(command)),
        ("code", Box::new(code)),
    ]
}

fn header() -> String {
    let sizes = SIZES.iter().map(|(name, _, _)| format!(" {name:>16}"));
    format!("{:<34}{}    ns/byte", "", sizes.collect::<String>())
}

fn table(sorts: &[Sort], look: &Look<'_>) {
    for (name, make) in sorts {
        print!("{name:<34}");
        let mut each = 0.0;
        for (_, size, allowed) in SIZES {
            let text = make(size);
            let took = look(&text);
            each = took / text.len() as f64 * 1e9;
            // Texts are a little longer than asked for.
            let part = took * 1e6 / (allowed * text.len() as f64 / size as f64);
            print!(" {:>8.1} {:>5.0} %{}", took * 1e6, part * 100.0, if part > 1.0 { "!" } else { " " });
        }
        println!("  {each:>8.2}");
    }
}

/// Seconds of the fastest of some runs.
fn fastest(run: impl Fn()) -> f64 {
    let (mut best, mut all, mut runs) = (f64::MAX, 0.0, 0);
    // What is far too slow need not be measured five times.
    while (runs < RUNS || all < ENOUGH) && all < 2.0 {
        let took = timed(&run);
        best = best.min(took);
        all += took;
        runs += 1;
    }
    best
}

fn spend<Value>(value: Value) {
    drop(black_box(value));
}

fn keep<Value>(value: Value) {
    black_box(Box::leak(Box::new(value)));
}

fn timed(run: impl FnOnce()) -> f64 {
    let begun = processor_time();
    run();
    processor_time() - begun
}

/// Seconds that this thread ran.
fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
