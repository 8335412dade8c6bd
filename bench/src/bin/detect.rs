//! What it costs to look at a text: everything, and each finder alone; and what the finders need in memory. Times are
//! processor time of this thread, so that other work on the machine counts little. Every text is made here, but for one that
//! `--text FILE` names, or that comes from standard input with `--text -`: of that, parts from all over it are looked at.

use std::hint::black_box;
use std::io::Read;

use anyhow::{Context, bail, ensure};
use bench::process::resident;
use lockgate_core::ByClass;
use lockgate_core::Handling;
use lockgate_detect::attack::{Attacks, Input};
use lockgate_detect::class::Classes;
use lockgate_detect::injection::Injection;
use lockgate_detect::injection::model::Model;
use lockgate_detect::personal::Personal;
use lockgate_detect::secrets::Secrets;
use lockgate_detect::{Genre, Inspector, Judges, Report, hidden};
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

/// Most parts of a text that is given, of each size.
const PARTS: usize = 64;

/// Looks at some texts one after the other; seconds of the fastest of some runs over all of them.
type Look<'f> = Box<dyn Fn(&[String]) -> f64 + 'f>;

/// Texts of one sort: what they are called, and some of about so many bytes each.
type Texts<'t> = (&'t str, Box<dyn Fn(usize) -> Vec<String> + 't>);

fn main() -> anyhow::Result<()> {
    let mut only: Vec<String> = std::env::args().skip(1).collect();
    let given = match only.iter().position(|word| word == "--text") {
        Some(at) => {
            let words: Vec<String> = only.drain(at..only.len().min(at + 2)).collect();
            let [_, file] = words.as_slice() else { bail!("`--text` needs the name of a file, or `-`") };
            Some((file.clone(), read(file)?))
        }
        None => None,
    };
    let wanted = |what: &str| only.is_empty() || only.iter().any(|word| what == word);
    let ordinary = match &given {
        Some((file, text)) => vec![(file.as_str(), parts(text))],
        None => made(&ORDINARY),
    };
    let hostile = if given.is_some() { Vec::new() } else { made(&HOSTILE) };
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
        let all: Look<'_> = look(|text| spend(inspector.text(Genre::Result, "", text)));
        table(&ordinary, &all);
        table(&hostile, &all);
    }
    if wanted("arguments") {
        println!("\neverything, as an argument\n{}", header());
        let all: Look<'_> = look(|text| spend(inspector.text(Genre::Arguments, "", text)));
        table(&ordinary, &all);
        table(&hostile, &all);
    }
    if wanted("objects") && given.is_none() {
        println!("\neverything, in an object that is parsed\n{}", header());
        let all: Look<'_> = Box::new(|texts| {
            let each = texts.iter().map(|text| match Json::check(text.as_bytes(), 128) {
                Ok(json) => fastest(|| spend(inspector.object(Genre::Result, black_box(json)))),
                Err(reason) => unreachable!("{reason:?}: texts of objects are JSON"),
            });
            each.sum()
        });
        table(&made(&[("records", object)]), &all);
        table(&made(&HOSTILE_OBJECTS), &all);
    }
    if wanted("finders") {
        let finders = finders();
        for (size, length, _) in SIZES.iter().filter(|(_, length, _)| given.is_some() || *length == 100_000) {
            print!("\neach finder alone, {size}: ns a byte\n{:<34}", "");
            finders.iter().for_each(|(name, _)| print!(" {name:>10}"));
            println!();
            for (name, make) in ordinary.iter().chain(&hostile) {
                let texts = make(*length);
                print!("{:<34}", last(name));
                for (_, look) in &finders {
                    print!(" {:>10.2}", look(&texts) / bytes(&texts) as f64 * 1e9);
                }
                println!();
            }
        }
    }
    ensure!(after > before, "making the finders took no memory: the measurement is wrong");
    Ok(())
}

/// The text of a file, or of standard input.
fn read(file: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    match file {
        "-" => std::io::stdin().read_to_string(&mut text).map(|_| ()),
        file => std::fs::read_to_string(file).map(|read| text = read),
    }
    .with_context(|| format!("`{file}` cannot be read as text"))?;
    ensure!(!text.is_empty(), "`{file}` is empty");
    Ok(text)
}

/// Texts that are made, one of each size.
fn made(sorts: &[Sort]) -> Vec<Texts<'static>> {
    let made = |(name, make): &Sort| -> Texts<'static> {
        let make = *make;
        (name, Box::new(move |size| vec![make(size)]))
    };
    sorts.iter().map(made).collect()
}

/// Parts of a text that is given, from all over it.
fn parts(text: &str) -> Box<dyn Fn(usize) -> Vec<String> + '_> {
    Box::new(move |size| {
        let count = (text.len() / size).clamp(1, PARTS);
        let starts = (0..count).map(|part| text.floor_char_boundary(text.len() / count * part));
        starts.map(|start| text[start..text.ceil_char_boundary(start + size)].to_owned()).collect()
    })
}

/// The end of a name that is too long for a table.
fn last(name: &str) -> &str {
    &name[name.ceil_char_boundary(name.len().saturating_sub(33))..]
}

fn bytes(texts: &[String]) -> usize {
    texts.iter().map(String::len).sum()
}

fn look<'f>(one: impl Fn(&str) + 'f) -> Look<'f> {
    Box::new(move |texts| fastest(|| texts.iter().for_each(|text| one(black_box(text)))))
}

/// What is made at the start, each once more.
fn finders_made() -> Vec<(&'static str, Box<dyn Fn()>)> {
    vec![
        ("secrets", Box::new(|| keep(Secrets::new()))),
        ("personal", Box::new(|| keep(Personal::new()))),
        ("model", Box::new(|| keep(Model::built_in().is_ok()))),
        ("rules and model", Box::new(|| keep(Injection::new()))),
        ("attacks", Box::new(|| keep(Attacks::new()))),
        ("classes", Box::new(|| keep(Classes::new()))),
    ]
}

/// Each finder with a text of its own kind.
fn finders() -> Vec<(&'static str, Look<'static>)> {
    let (secrets, personal) = (Secrets::new(), Personal::new());
    let [rules, model] = [Judges::Rules, Judges::Model].map(|judges| {
        let injection = Injection::new().judged_by(judges);
        look(move |text| spend(injection.judge(Genre::Result, text)))
    });
    let attacks = [Input::Command, Input::Code].map(|input| {
        let attacks = Attacks::new();
        look(move |text| spend(attacks.find(input, text)))
    });
    let [command, code] = attacks;
    // What holds where the operator says nothing.
    let (classes, usual) = (Classes::new(), |class| ByClass::usual().of(class) != Handling::Off);
    vec![
        ("hidden", look(|text| spend(hidden::look(text)))),
        ("secrets", look(move |text| spend(secrets.find(text)))),
        ("personal", look(move |text| spend(personal.find("", text)))),
        ("rules", rules),
        ("model", model),
        ("classes", look(move |text| spend(classes.among(usual, &Report::default(), text)))),
        ("command", command),
        ("code", code),
    ]
}

fn header() -> String {
    let sizes = SIZES.iter().map(|(name, _, _)| format!(" {name:>16}"));
    format!("{:<34}{}    ns/byte", "", sizes.collect::<String>())
}

fn table(sorts: &[Texts<'_>], look: &Look<'_>) {
    for (name, make) in sorts {
        print!("{:<34}", last(name));
        let mut each = 0.0;
        for (_, size, allowed) in SIZES {
            let texts = make(size);
            let took = look(&texts) / texts.len() as f64;
            let length = bytes(&texts) as f64 / texts.len() as f64;
            each = took / length * 1e9;
            // Texts that are made are a little longer than asked for.
            let part = took * 1e6 / (allowed * length / size as f64);
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
