//! `lockgate inspect`: what a gateway would find in texts and objects, without a gateway.
//!
//! It refuses to decide anything, and to repeat a credential that it found.
//!
//! Read [`run`] first.

mod answer;
mod crew;
mod row;
mod rows;
mod show;

use std::io::{IsTerminal, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use lockgate_detect::injection::atr::Imported;
use lockgate_detect::{Genre, Inspector, Judges, Level};
use lockgate_model::{Untrusted, quote};

use self::answer::Answer;
use self::rows::Rows;
use crate::command::{Told, complain};
use crate::config::{Process, Taken};

/// What to look at, and how.
#[derive(Args)]
#[command(
    after_help = "Each row of a FILE is a JSON object on a line of its own: `id`; `kind`, which is tool_description, tool_result, tool_args or prompt; and `text` or `object`. For each, one line is printed, in the same order: `id`, `tier` (none, review, block), `score`, `findings`, `secrets`, `personal`. A `span` counts bytes of the UTF-8 text; in an object, `at` points to the text.\n\nExits with 0, or 1 where something is as bad as `--fail-on`, or 2 where something could not be read; the other rows are looked at all the same.\n\nExample: lockgate inspect --text README.md"
)]
pub(crate) struct Options {
    /// Files of rows, plain or as gzip; `-` for standard input
    #[arg(value_name = "FILE", required_unless_present = "text")]
    rows: Vec<PathBuf>,
    /// Look at this file as one plain text instead, and show what was found; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "rows")]
    text: Option<PathBuf>,
    /// What the plain text is: `tool_description`, `tool_result`, `tool_args` or `prompt`
    #[arg(long, value_name = "KIND", value_parser = row::genre, default_value = "tool_result", conflicts_with = "rows")]
    kind: Genre,
    /// Print for the plain text the line that a row would have
    #[arg(long, conflicts_with = "rows")]
    json: bool,
    /// Judge by rules alone, without the trained model
    #[arg(long)]
    rules_only: bool,
    /// Judge by the trained model alone, without rules
    #[arg(long, conflicts_with = "rules_only")]
    model_only: bool,
    /// Hold rules of others against texts as well: a file with an Agent Threat Rule, or a folder of them. What of them cannot be
    /// taken is said on standard error
    #[arg(long, value_name = "PATH", conflicts_with = "model_only")]
    rules: Vec<PathBuf>,
    /// How many threads look at rows [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// The least tier that makes the exit code 1: review or block
    #[arg(long, value_name = "TIER", value_parser = level)]
    fail_on: Option<Level>,
}

/// Most threads.
const MOST_THREADS: usize = 64;

/// Longest plain text, in bytes.
const LONGEST: u64 = 64 << 20;

fn level(word: &str) -> Result<Level, String> {
    [Level::Review, Level::Block]
        .into_iter()
        .find(|level| level.word() == word)
        .ok_or_else(|| "write review or block".to_owned())
}

/// Looks, and says what there is.
pub(crate) fn run(options: &Options) -> Result<Told, String> {
    let mut inspector = Inspector::new().judged_by(match (options.rules_only, options.model_only) {
        (true, _) => Judges::Rules,
        (_, true) => Judges::Model,
        _ => Judges::Both,
    });
    if !options.rules.is_empty() {
        inspector = inspector.with_rules(imported(&options.rules)?);
    }
    let fails = |worst: Level| options.fail_on.is_some_and(|least| worst >= least);
    if let Some(path) = &options.text {
        let text = read(path)?;
        let report = inspector.text(options.kind, "", &text);
        let code = u8::from(fails(report.level));
        let text = if options.json {
            Answer::of_text(&quote(&shown(path)), report).line()
        } else {
            show::show(&shown(path), &text, &report, colour())
        };
        return Ok(Told { text, code });
    }
    let threads = options.threads.or_else(|| std::thread::available_parallelism().ok());
    let threads = threads.map_or(1, NonZeroUsize::get).min(MOST_THREADS);
    let told = Rows { inspector: &inspector, threads }.look(&options.rows, &mut std::io::stdout().lock())?;
    let code = if told.bad { 2 } else { u8::from(fails(told.worst)) };
    Ok(Told { text: String::new(), code })
}

/// Takes rules of others, and says what cannot be taken.
fn imported(paths: &[PathBuf]) -> Result<Imported, String> {
    let mut all = Vec::new();
    for path in paths {
        let taken = Taken::read(path, &Process)?;
        for (file, why) in &taken.refused {
            complain(&format!("{}: not taken: {why}", shown(file)));
        }
        for rule in &taken.rules {
            for (number, unfit) in &rule.refused {
                complain(&format!("{}: condition {} not taken: {unfit}", rule.id, number + 1));
            }
        }
        all.extend(taken.rules);
    }
    Ok(Imported::new(all, Level::Review))
}

fn colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// `-` is standard input.
fn is_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// How a file is called in what is said of it.
fn shown(path: &Path) -> String {
    if is_input(path) {
        "standard input".to_owned()
    } else {
        Untrusted::new(path.to_string_lossy()).escaped(200)
    }
}

/// The whole text; what is not UTF-8 in it is read as `U+FFFD`.
fn read(path: &Path) -> Result<String, String> {
    let wrong = |error: std::io::Error| format!("{}: {}", shown(path), crate::config::plain(&error));
    let mut bytes = Vec::new();
    let read = if is_input(path) {
        std::io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
    };
    read.map_err(wrong)?;
    if bytes.len() as u64 > LONGEST {
        return Err(format!("{}: it is longer than {LONGEST} bytes", shown(path)));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
