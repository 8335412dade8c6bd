//! What the log of records costs: the call that makes a record, the core that writes them, and who verifies ten million.
//!
//!     cargo run --release --bin log -- [--records 10000000] [--folder FOLDER]
//!
//! The folder needs about 550 bytes a record while it runs; it is removed at the end.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, anyhow, ensure};
use clap::Parser;
use lockgate_audit::log::{Checkpoint, Hash, NoteKey, Use, WIDTH, includes, inclusion, verify};
use lockgate_audit::{Happening, Record};
use lockgate_model::{ClientName, Label, Principal, ServerName, SessionId};
use lockgate_store::{Grown, LogFolder, Noted, RecordLog, RecordsTo, Signing, TreeLog};
use rustix::time::{ClockId, clock_gettime};

#[derive(Parser)]
struct Options {
    /// How many records are verified
    #[arg(long, default_value_t = 10_000_000)]
    records: u64,
    /// Where they are written; else where the system keeps what is temporary
    #[arg(long)]
    folder: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let at = options.folder.unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::tempdir_in(at)?;
    let made = record(0)?;
    println!("a record has {} bytes", made.to_json("2026-01-31T08:00:00.000000Z").len());
    call(&folder.path().join("call"), 20_000)?;
    call(&folder.path().join("often"), 1_000)?;
    flood(&folder.path().join("flood"), 400_000)?;
    long(&folder.path().join("long"), options.records)
}

/// What a call waits for its record, at so many records a second.
fn call(at: &Path, rate: u32) -> anyhow::Result<()> {
    let log = open(at)?;
    let many = rate * 5;
    let mut took = Vec::new();
    let start = Instant::now();
    let begun = [ClockId::ProcessCPUTime, ClockId::ThreadCPUTime].map(cpu);
    for number in 0..many {
        while start.elapsed() < Duration::from_secs(1) * number / rate {
            std::hint::spin_loop();
        }
        let record = Box::new(record(number.into())?);
        let before = Instant::now();
        log.write(SystemTime::now(), record);
        took.push(before.elapsed());
    }
    log.flush();
    // What was not taken by this thread, which makes the records and waits.
    let [all, own] = [ClockId::ProcessCPUTime, ClockId::ThreadCPUTime].map(cpu);
    let writer = (all - begun[0]).saturating_sub(own - begun[1]);
    took.sort_unstable();
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize].as_nanos();
    println!(
        "{rate} records a second: a call waits {} ns (p50), {} ns (p99), {} ns (most); the writer took {:.1} µs of a core each",
        at(0.5),
        at(0.99),
        at(1.0),
        writer.as_secs_f64() * 1e6 / f64::from(many)
    );
    Ok(())
}

/// How many a second, when all that is done is to make and write them.
fn flood(at: &Path, many: u64) -> anyhow::Result<()> {
    let log = open(at)?;
    let (start, begun) = (Instant::now(), cpu(ClockId::ProcessCPUTime));
    for number in 0..many {
        log.write(SystemTime::now(), Box::new(record(number)?));
    }
    log.flush();
    let (wall, core) = (start.elapsed().as_secs_f64(), (cpu(ClockId::ProcessCPUTime) - begun).as_secs_f64());
    println!(
        "{many} records as fast as they can be made: {:.0} a second, {:.0} a second of one core",
        many as f64 / wall,
        many as f64 / core
    );
    Ok(())
}

/// A long log: written, verified, proven from.
fn long(at: &Path, size: u64) -> anyhow::Result<()> {
    let mut log = tree(at)?;
    let start = Instant::now();
    let mut number = 0;
    while number < size {
        let end = (number + 100 * WIDTH).min(size);
        let mut batch: VecDeque<Noted> = (number..end)
            .map(|number| Ok(record(number)?.to_json("2026-01-31T08:00:00.000000Z").into_bytes().into()))
            .collect::<anyhow::Result<_>>()?;
        log.append(&mut batch)?;
        number = end;
    }
    log.sign()?;
    println!("{size} records written in {:.1} s", start.elapsed().as_secs_f64());
    drop(log);
    let start = Instant::now();
    drop(tree(at)?);
    println!("opened again in {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let folder = LogFolder::new(at);
    let note = folder.checkpoint()?.context("it is signed")?;
    let checkpoint = Checkpoint::parse(note.text()).context("it has a checkpoint")?;
    let timed = |ahead: bool| {
        let (start, begun) = (Instant::now(), cpu(ClockId::ProcessCPUTime));
        let verified =
            if ahead { verify(&folder.ahead(size), &checkpoint, 0) } else { verify(&folder, &checkpoint, 0) };
        let verified = verified?.map_err(|damage| anyhow!("{damage}"))?;
        ensure!(verified.records == size, "{verified:?}");
        let core = (cpu(ClockId::ProcessCPUTime) - begun).as_secs_f64();
        Ok((start.elapsed().as_secs_f64(), core))
    };
    // By turns, since others use the machine as well.
    let ((alone, one), (ahead, all)) = (timed(false)?, timed(true)?);
    println!(
        "verified on one core in {alone:.1} s ({one:.1} s of it), on all in {ahead:.1} s ({all:.1} s of cores)"
    );
    let (mut took, mut reads) = (Vec::new(), 0);
    for step in 0..1_000_u64 {
        let number = step.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size;
        let start = Instant::now();
        let tree = Grown::new(&folder, size);
        let path = inclusion(&tree, number, size)?.context("it is in the log")?;
        took.push(start.elapsed());
        reads = reads.max(tree.reads());
        let records = folder.records(number / WIDTH)?.context("it is kept")?;
        let leaf = Hash::of_leaf(&records[usize::try_from(number % WIDTH)?]);
        ensure!(includes(checkpoint.root, size, number, leaf, &path), "record {number} is not proven");
    }
    took.sort_unstable();
    println!(
        "a proof of inclusion in {:.2} ms (p50), {:.2} ms (p99), {:.2} ms (most), of at most {reads} tiles",
        took[500].as_secs_f64() * 1e3,
        took[990].as_secs_f64() * 1e3,
        took[999].as_secs_f64() * 1e3
    );
    Ok(())
}

fn open(at: &Path) -> anyhow::Result<RecordLog> {
    Ok(RecordLog::start(RecordsTo { tree: Some(tree(at)?), ..RecordsTo::default() })?)
}

fn tree(at: &Path) -> anyhow::Result<TreeLog> {
    let key = NoteKey::new("example.org/log", Use::Log, [7; 32]).context("a name")?;
    // A signature a second is not what costs.
    Ok(TreeLog::open(at, Signing { key, sign: Box::new(|_| [0; 64]) })?)
}

/// A record as a call makes it.
fn record(number: u64) -> anyhow::Result<Record> {
    let label = Label::clean();
    Ok(Record {
        session: SessionId::new("5f0c3a9be81d"),
        principal: Principal::new("ann"),
        client: Some(ClientName::new("assistant")),
        correlation: format!("5f0c3a9be81d-{number}"),
        method: Some("tools/call"),
        server: ServerName::parse("files"),
        target: Some("read_file".to_owned()),
        arguments: Some(format!("{number:064x}")),
        label_before: Some(label.clone()),
        label_after: Some(label),
        duration: number % 1_000,
        ..Record::of_gateway(Happening::Request)
    })
}

/// What the process, or the thread, has taken of all cores.
fn cpu(of: ClockId) -> Duration {
    let time = clock_gettime(of);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
