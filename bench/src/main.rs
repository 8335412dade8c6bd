//! Measures Lockgate beside no gateway and beside a bare proxy, all in one run.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bench::client::Client;
use bench::floor::{self, Mode};
use bench::load::{self, Point};
use bench::report::{Report, Rest};
use bench::subject::Subject;
use bench::upstream::Upstream;
use bench::{process, text};
use clap::{Args, Parser, Subcommand};

#[derive(Parser)]
#[command(about, args_conflicts_with_subcommands = true)]
struct Options {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    measure: Measure,
}

#[derive(Subcommand)]
enum Part {
    /// Serve as the measured MCP server
    Upstream {
        #[arg(long, default_value = "127.0.0.1:9100")]
        listen: SocketAddr,
        /// Serve one client on standard input and output instead
        #[arg(long)]
        stdio: bool,
    },
    /// Serve as the bare proxy
    Floor {
        #[arg(long, default_value = "127.0.0.1:9101")]
        listen: SocketAddr,
        /// The server
        #[arg(long, default_value = "127.0.0.1:9100")]
        to: SocketAddr,
        #[arg(long, value_enum, default_value = "forward")]
        mode: Mode,
    },
}

#[derive(Args)]
struct Measure {
    /// The program that is measured [default: release/lockgate of this repository]
    #[arg(long, value_name = "FILE")]
    lockgate: Option<PathBuf>,
    /// How often everything is measured; the table shows medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// How long each point is measured
    #[arg(long, default_value_t = 1_000, value_name = "MILLIS", value_parser = clap::value_parser!(u64).range(100..=10_000))]
    length: u64,
    /// Bytes of text in the results
    #[arg(long, value_delimiter = ',', default_values_t = [1 << 10, 100 << 10, 1 << 20], value_name = "BYTES")]
    sizes: Vec<usize>,
    /// Clients at once
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    clients: Vec<usize>,
    /// Only rows whose label holds one of these words
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Write every measurement here, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match options.part {
        None => runtime.block_on(measure(&options.measure)),
        Some(Part::Upstream { stdio: true, .. }) => Upstream::default().serve_stdio(),
        Some(Part::Upstream { listen, .. }) => runtime.block_on(Upstream::default().serve_http(listen)),
        Some(Part::Floor { listen, to, mode }) => runtime.block_on(floor::serve(listen, to, mode)),
    }
}

async fn measure(options: &Measure) -> anyhow::Result<()> {
    let lockgate = match &options.lockgate {
        Some(file) => file.clone(),
        None => built()?,
    };
    ensure!(lockgate.is_file(), "{} is not there: build it with `cargo build --release`", lockgate.display());
    let chosen = |subject: &Subject| {
        options.only.is_empty() || options.only.iter().any(|word| subject.label().contains(word.as_str()))
    };
    let subjects: Vec<_> = Subject::ALL.into_iter().filter(chosen).collect();
    let mut report = Report::default();
    for round in 0..options.rounds as usize {
        for turn in 0..subjects.len() {
            // Nobody is always first.
            let subject = subjects[(turn + round) % subjects.len()];
            eprintln!("round {} of {}: {}", round + 1, options.rounds, subject.label());
            let begun = Instant::now();
            let started = subject.start(&lockgate).await.with_context(|| subject.label())?;
            let mut first = Client::open(&started.endpoint).await.with_context(|| subject.label())?;
            first.call(1 << 10, &text::blob(1 << 10)).await.with_context(|| subject.label())?;
            let first_call_ms = begun.elapsed().as_secs_f64() * 1e3;
            tokio::time::sleep(Duration::from_millis(300)).await;
            report.rest(
                subject,
                Rest {
                    listening_ms: started.listening.map(|time| time.as_secs_f64() * 1e3),
                    first_call_ms,
                    resident_kib: started.gateway.and_then(process::resident),
                },
            );
            if subject == Subject::Ten {
                continue;
            }
            for bytes in &options.sizes {
                for clients in &options.clients {
                    let point = Point { bytes: *bytes, clients: *clients };
                    let length = Duration::from_millis(options.length);
                    let outcome =
                        load::run(&started.endpoint, point, length, started.gateway, &started.others())
                            .await
                            .with_context(|| format!("{}, {point:?}", subject.label()))?;
                    if let Some(failure) = &outcome.first_failure {
                        eprintln!("  {point:?}: {} failures, the first: {failure}", outcome.failures);
                    }
                    report.point(subject, point, outcome);
                }
            }
        }
    }
    println!("{}\n{}", report.table(), report.budget());
    if let Some(others) = report.others().filter(|others| *others > 20.0) {
        println!(
            "{others:.0} % of the machine was busy with something else: times are not to be trusted (README.md)"
        );
    }
    if let Some(file) = &options.json {
        std::fs::write(file, report.json()?).with_context(|| format!("cannot write {}", file.display()))?;
    }
    ensure!(report.failures() == 0, "{} calls failed", report.failures());
    Ok(())
}

/// Where cargo puts the program.
fn built() -> anyhow::Result<PathBuf> {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = own.parent().context("this crate lies in the repository")?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/lockgate"))
}
