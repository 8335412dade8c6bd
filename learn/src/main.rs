//! `learn FOLDER [--sessions FOLDER] [--texts FOLDER] [--write FILE] [--json FILE] [--check]`: see `README.md`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use learn::{Row, Study, Table, learn, ours, read, read_sessions, read_texts};
use lockgate_detect::injection::model::{Model, weights};
use lockgate_detect::injection::{Injection, Judges};
use lockgate_detect::{Genre, Level};
use lockgate_model::Json;

/// Where the weights are that ship.
const SHIPPED: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/lockgate-detect/src/injection/model/built_in.weights");

#[derive(Default)]
struct Asked {
    folder: PathBuf,
    sessions: Option<PathBuf>,
    write: Option<PathBuf>,
    json: Option<PathBuf>,
    texts: Vec<PathBuf>,
    worst: Option<usize>,
    check: bool,
}

fn main() -> Result<()> {
    let mut asked = Asked::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut next = || words.next().with_context(|| format!("{word} needs a value"));
        match word.as_str() {
            "--sessions" => asked.sessions = Some(next()?.into()),
            "--write" => asked.write = Some(next()?.into()),
            "--json" => asked.json = Some(next()?.into()),
            "--texts" => asked.texts.push(next()?.into()),
            "--worst" => asked.worst = Some(next()?.parse()?),
            "--check" => asked.check = true,
            _ if word.starts_with("--") => bail!("unknown: {word}"),
            _ => asked.folder = word.into(),
        }
    }
    let begun = Instant::now();
    let mut rows = read(&asked.folder)?;
    let real = rows.len();
    rows.extend(ours::make(&rows));
    eprintln!("{real} rows, and {} of our own", rows.len() - real);
    let concepts = lockgate_detect::injection::model::concepts::Concepts::built_in();
    let study =
        learn(&rows, &concepts, &|said| eprintln!("{:>5.1} s  {said}", begun.elapsed().as_secs_f32()));
    let file = weights::write(&study.models, concepts.stamp());
    if let Some(path) = &asked.write {
        std::fs::write(path, &file)?;
    }
    let held = held_out(&rows, &study);
    println!("## Each source judged by a model that never saw it\n\n{}", held.markdown());
    let rules = Injection::new().judged_by(Judges::Rules);
    println!("## Rules alone\n\n{}", by_rules(&rows, &rules).markdown());
    let joined = joined(&rows, &study, &rules);
    println!("## Rules and a model that never saw the source\n\n{}", table(&joined).markdown());
    let classes = by_class(&joined);
    println!(
        "## The same by sort of attack, where the sort says how orders are dressed\n\n{}",
        classes.markdown()
    );
    for (model, name) in study.models.iter().zip(["definitions", "results"]) {
        let (said, spoken) = (model.thresholds, model.spoken);
        println!(
            "Thresholds for {name}: agree {:.3}, review {:.3}, block {:.3}; for what users write: agree {:.3}, review {:.3}, \
             block {:.3}.\n",
            said.agree, said.review, said.block, spoken.agree, spoken.review, spoken.block
        );
    }
    let mut tables = vec![("held_out", held.json())];
    if let Some(folder) = &asked.sessions {
        let sessions = read_sessions(folder)?;
        if let Some(most) = asked.worst {
            let fine: Vec<Row> = sessions.iter().filter(|row| !row.bad).cloned().collect();
            highest(&fine, &Model::with(&file)?, most);
        }
        let outside = outside(&sessions, &file)?;
        println!("## Recorded sessions, never learned from\n\n{}", outside.markdown());
        println!("## The same, with rules\n\n{}", both(&sessions).markdown());
        tables.push(("sessions", outside.json()));
    }
    let mut texts = Vec::new();
    for folder in &asked.texts {
        texts.extend(read_texts(folder)?);
    }
    if !texts.is_empty() {
        if let Some(most) = asked.worst {
            highest(&texts, &Model::with(&file)?, most);
        }
        let outside = outside(&texts, &file)?;
        println!("## Documents, never learned from\n\n{}", outside.markdown());
        println!("## The same, with rules\n\n{}", both(&texts).markdown());
        tables.push(("texts", outside.json()));
    }
    if let Some(path) = &asked.json {
        let tables: serde_json::Map<String, serde_json::Value> =
            tables.into_iter().map(|(name, table)| (name.to_owned(), table)).collect();
        std::fs::write(path, serde_json::to_vec_pretty(&tables)?)?;
    }
    if let Some(most) = asked.worst {
        mistakes(&rows, &study, most);
    }
    if asked.check {
        check(&file)?;
    }
    Ok(())
}

/// The tier of a score.
fn tier(score: f32, thresholds: lockgate_detect::injection::model::Thresholds) -> u8 {
    u8::from(score >= thresholds.review) + u8::from(score >= thresholds.block)
}

/// The tier of each row by the model that never saw its source; rows of our own are left out.
fn held<'r>(rows: &'r [Row], study: &'r Study) -> impl Iterator<Item = (&'r Row, u8)> {
    let [definition, result] = &study.models;
    let real = rows.iter().zip(&study.held).filter(|(row, _)| !ours::is(&row.source));
    real.map(|(row, score)| {
        let thresholds = match row.genre {
            Genre::Definition => definition.thresholds,
            Genre::Result => result.thresholds,
            Genre::Arguments | Genre::Prompt => result.spoken,
        };
        (row, tier(*score, thresholds))
    })
}

fn held_out(rows: &[Row], study: &Study) -> Table {
    let tiers: Vec<_> = held(rows, study).collect();
    let mut next = tiers.iter();
    Table::of(tiers.iter().map(|(row, _)| *row), |_| next.next().map_or(0, |(_, tier)| *tier))
}

/// What rules say of a row.
fn level(row: &Row, rules: &Injection) -> Level {
    match &row.object {
        Some(object) => Json::check(object.as_bytes(), 128)
            .map_or(Level::None, |object| rules.judge_object(row.genre, object).level),
        None => rules.judge(row.genre, &row.text).level,
    }
}

fn real(rows: &[Row]) -> impl Iterator<Item = &Row> {
    rows.iter().filter(|row| !ours::is(&row.source))
}

fn by_rules(rows: &[Row], rules: &Injection) -> Table {
    Table::of(real(rows), |row| level(row, rules) as u8)
}

/// What ships, as it is.
fn both(rows: &[Row]) -> Table {
    let injection = Injection::new();
    Table::of(rows, |row| level(row, &injection) as u8)
}

/// The level of each row by rules and by the model that never saw its source.
fn joined<'r>(rows: &'r [Row], study: &Study, rules: &Injection) -> Vec<(&'r Row, Level)> {
    let [definition, result] = &study.models;
    let scored = rows.iter().zip(&study.held).filter(|(row, _)| !ours::is(&row.source));
    let judged = scored.map(|(row, score)| {
        let thresholds = match row.genre {
            Genre::Definition => definition.thresholds,
            Genre::Result => result.thresholds,
            Genre::Arguments | Genre::Prompt => result.spoken,
        };
        let by_rules = level(row, rules);
        (row, by_rules.max(thresholds.level(*score, by_rules)))
    });
    judged.collect()
}

fn table(levels: &[(&Row, Level)]) -> Table {
    let mut next = levels.iter();
    Table::of(levels.iter().map(|(row, _)| *row), |_| next.next().map_or(0, |(_, level)| *level as u8))
}

fn by_class(joined: &[(&Row, Level)]) -> Table {
    let named = joined.iter().filter(|(row, _)| {
        let dressed = row.source.ends_with("-injected") || row.source == "atr-rule-tests";
        row.bad && (row.genre <= Genre::Result && dressed || row.source == "atr-adversarial")
    });
    let rows: Vec<_> = named
        .map(|(row, level)| {
            (Row { source: format!("{}: {}", row.source, row.class), ..(*row).clone() }, *level)
        })
        .collect();
    table(&rows.iter().map(|(row, level)| (row, *level)).collect::<Vec<_>>())
}

fn outside(rows: &[Row], file: &[u8]) -> Result<Table> {
    let model = Model::with(file)?;
    Ok(Table::of(rows, |row| tier(model.score(row.genre, &row.text).score, model.thresholds(row.genre))))
}

/// The passages of texts that were never learned from that look worst.
fn highest(texts: &[Row], model: &Model, most: usize) {
    let mut scored: Vec<_> = texts.iter().map(|row| (row, model.score(row.genre, &row.text))).collect();
    scored.sort_by(|one, other| other.1.score.total_cmp(&one.1.score));
    for (row, scored) in scored.into_iter().take(most) {
        let text = row.text[scored.span].replace('\n', "\\n");
        eprintln!("{:.3} outside {} | {text}", scored.score, row.source);
    }
}

/// What was missed and what was not harmless, for whoever improves this: for each source the passages of ordinary
/// texts with the highest scores, and of bad ones with the lowest.
fn mistakes(rows: &[Row], study: &Study, most: usize) {
    let each = rows.iter().zip(&study.spans).zip(&study.held);
    let mut sorted: Vec<_> = each.filter(|((row, _), _)| row.weight > 0.0).collect();
    sorted.sort_by(|one, other| {
        let order = (one.0.0.bad, &one.0.0.source).cmp(&(other.0.0.bad, &other.0.0.source));
        order.then(if one.0.0.bad { one.1.total_cmp(other.1) } else { other.1.total_cmp(one.1) })
    });
    let (mut source, mut count) = (String::new(), 0);
    for ((row, span), score) in sorted {
        let name = format!("{} {}", row.bad, row.source);
        count = if name == source { count + 1 } else { 0 };
        source = name;
        if count < most {
            let text = row.text[span.clone()].replace('\n', "\\n");
            eprintln!("{score:.3} {source} {} {} | {text}", row.genre.word(), row.class);
        }
    }
}

/// Whether what ships is what was learned just now: the same numbers but for rounding.
fn check(file: &[u8]) -> Result<()> {
    let shipped = std::fs::read(SHIPPED)?;
    if shipped == file {
        println!("the weights that ship are these, bit for bit");
        return Ok(());
    }
    let concepts = lockgate_detect::injection::model::concepts::Concepts::built_in();
    let [old, new] = [&shipped[..], file].map(|file| weights::read(file, concepts.stamp()));
    for (old, new) in old?.iter().zip(&new?) {
        let far = old.table.iter().zip(&*new.table).filter(|(old, new)| old.abs_diff(**new) > 2).count();
        if far * 1_000 > old.table.len() || (old.step - new.step).abs() > 1e-3 * old.step {
            bail!("{far} of {} weights differ by more than two steps", old.table.len());
        }
    }
    println!("the weights that ship are these but for rounding");
    Ok(())
}
