//! Chores. `cargo xtask help` lists them.

mod bench;
mod ci;
mod conformance;
mod examples;
mod layers;
mod peers;
mod reasons;
mod run;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask <chore>

  test          install what the tests need, then run all of them, or those chosen by arguments for the runner
  ci            everything that must hold: format, lints, tests, docs, layers, examples, conformance
  conformance   the official MCP conformance suite through Lockgate, where its harness is at hand (--quick: one leg)
  layers        check which crate may know which
  examples      run every folder in examples/
  reasons       write docs/reasons.md anew
  bench         measure against no gateway and a bare proxy (arguments are passed on)
  help          this text
";

fn main() -> ExitCode {
    match chore() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            run::complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn chore() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let chore = arguments.next();
    let rest: Vec<_> = arguments.collect();
    match chore.as_deref() {
        Some("test") => ci::test(&rest),
        Some("ci") => ci::all(),
        Some("conformance") => conformance::run(&rest),
        Some("layers") => layers::check(),
        Some("examples") => examples::run(),
        Some("reasons") => reasons::write(),
        Some("bench") => bench::run(&rest),
        None | Some("help" | "--help" | "-h") => {
            run::say(HELP.trim_end());
            Ok(())
        }
        Some(other) => bail!("there is no chore `{other}`\n\n{HELP}"),
    }
}
