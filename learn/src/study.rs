//! The whole course: learn without a source, judge it, and so with every source; then learn from all.

use std::ops::Range;

use lockgate_detect::Genre;
use lockgate_detect::injection::model::concepts::Concepts;
use lockgate_detect::injection::model::weights::Weights;
use lockgate_detect::injection::model::{Thresholds, worst};

use crate::doc::Doc;
use crate::fit::Line;
use crate::{Row, ours};

/// Parts that are left out in turn. Texts of one origin are in one part.
const PARTS: usize = 6;
/// Of ordinary texts that were left out, so many in a thousand may be blocked, or be looked at.
const BLOCK: f64 = 4.0;
const REVIEW: f64 = 8.0;
/// And so many may have a score that is bad where rules are in doubt too.
const AGREE: f64 = 25.0;
/// Fewer texts than these say nothing about thousands.
const GROUP: usize = 100;
/// What texts of other genres count for a model.
const OTHER: f32 = 0.4;

/// What was learned.
pub struct Study {
    /// For definitions, and for everything else.
    pub models: [Weights; 2],
    /// For each row its calibrated score by the model that had not seen its source.
    pub held: Vec<f32>,
    /// For each row the passage of it that looked worst.
    pub spans: Vec<Range<usize>>,
}

/// The part in which a source is left out: whoever copied from whom is left out together.
pub fn splits(source: &str) -> usize {
    let begins = |all: &[&str]| all.iter().any(|one| source.starts_with(one));
    match source {
        _ if begins(&["asb", "injecagent", "bipia", "docker"]) => 0,
        _ if begins(&["accenture", "tau"]) => 1,
        _ if begins(&["atr-rule", "atr-adv", "mcp-universe", "mcp-official"]) => 2,
        _ if begins(&["garak"]) => 3,
        _ if begins(&["deepset", "atr-mcp-registry"]) => 4,
        _ if begins(&["damn", "vulnerable", "invariant"]) => 5,
        _ => {
            source.bytes().fold(7, |sum: usize, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % PARTS
        }
    }
}

/// Which of the two models judges a genre.
fn side(genre: Genre) -> usize {
    usize::from(genre != Genre::Definition)
}

/// Learns from all rows, and judges each without its source.
pub fn learn(rows: &[Row], concepts: &Concepts, log: &(dyn Fn(&str) + Sync)) -> Study {
    let docs: Vec<Doc> = rows.iter().map(|row| Doc::new(row, concepts)).collect();
    let parts: Vec<usize> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| match (ours::is(&row.source), row.class.as_str()) {
            (false, _) => splits(&row.source),
            (true, "") => at % PARTS,
            (true, from) => splits(from),
        })
        .collect();
    // Neither model needs the other.
    let [definition, result] = std::thread::scope(|both| {
        let (docs, parts) = (&docs, &parts);
        [0, 1]
            .map(|model| both.spawn(move || course(model, rows, docs, parts, concepts, log)))
            .map(|course| course.join().expect("no model panics"))
    });
    let mut held = definition.held;
    let mut spans = definition.spans;
    for at in (0..rows.len()).filter(|at| side(rows[*at].genre) == 1) {
        held[at] = result.held[at];
        spans[at] = result.spans[at].clone();
    }
    Study { models: [definition.model, result.model], held, spans }
}

/// What was learned for one model.
struct Course {
    model: Weights,
    held: Vec<f32>,
    spans: Vec<Range<usize>>,
}

fn course(
    model: usize,
    rows: &[Row],
    docs: &[Doc],
    parts: &[usize],
    concepts: &Concepts,
    log: &(dyn Fn(&str) + Sync),
) -> Course {
    let (mut held, mut spans) = (vec![0.0; rows.len()], vec![0..0; rows.len()]);
    let weighted: Vec<Row> = rows
        .iter()
        .map(|row| {
            let share = if side(row.genre) == model { 1.0 } else { OTHER };
            Row { weight: row.weight * share, ..row.clone() }
        })
        .collect();
    let mut logits = vec![0.0; rows.len()];
    for part in 0..PARTS {
        let kept: Vec<usize> = (0..rows.len()).filter(|at| parts[*at] != part).collect();
        let weights = one(&weighted, docs, &kept);
        for at in (0..rows.len()).filter(|at| parts[*at] == part && side(rows[*at].genre) == model) {
            let (logit, span) = worst(&rows[at].text, concepts, &weights).unwrap_or((-30.0, 0..0));
            spans[at] = span;
            logits[at] = logit.clamp(-30.0, 30.0);
        }
        log(&format!("model {model}: part {part} of {PARTS} left out"));
    }
    let all: Vec<usize> = (0..rows.len()).collect();
    let mut weights = one(&weighted, docs, &all);
    let mine: Vec<usize> = all.into_iter().filter(|at| side(rows[*at].genre) == model).collect();
    (weights.slope, weights.shift) = platt(rows, &logits, &mine);
    mine.iter().for_each(|at| held[*at] = weights.calibrated(logits[*at]));
    weights.thresholds = thresholds(rows, &held, &mine, false);
    weights.spoken = if model == 0 { weights.thresholds } else { thresholds(rows, &held, &mine, true) };
    log(&format!("model {model}: learned, {:?}", weights.thresholds));
    Course { model: weights, held, spans }
}

/// One model from these rows.
fn one(rows: &[Row], docs: &[Doc], kept: &[usize]) -> Weights {
    let texts: Vec<_> = kept.iter().map(|at| (&rows[*at], &docs[*at])).collect();
    let line = Line::fit(&texts, 5);
    let (step, table) = line.quantised();
    let thresholds = Thresholds { agree: 0.5, review: 0.5, block: 0.5 };
    Weights { table, step, bias: line.bias, slope: 1.0, shift: 0.0, thresholds, spoken: thresholds }
}

/// A slope and a shift that make probabilities of logits, where half of all texts are bad.
fn platt(rows: &[Row], logits: &[f32], mine: &[usize]) -> (f32, f32) {
    let bad = mine.iter().filter(|at| rows[**at].bad && rows[**at].weight > 0.0).count().max(1) as f64;
    let good = mine.iter().filter(|at| !rows[**at].bad).count().max(1) as f64;
    let (mut slope, mut shift) = (1.0_f64, 0.0_f64);
    for _ in 0..4_000 {
        let (mut by_slope, mut by_shift) = (0.0, 0.0);
        for at in mine.iter().filter(|at| rows[**at].weight > 0.0) {
            let logit = f64::from(logits[*at]);
            let (goal, weight) = if rows[*at].bad { (1.0, 0.5 / bad) } else { (0.0, 0.5 / good) };
            let off = 1.0 / (1.0 + (-(slope * logit + shift)).exp()) - goal;
            by_slope += weight * off * logit;
            by_shift += weight * off;
        }
        slope = (slope - 0.05 * by_slope).max(0.05);
        shift -= 0.2 * by_shift;
    }
    (slope as f32, shift as f32)
}

/// So that of real ordinary texts no more are stopped than may be: of all together, and a few times as many of any group. Of
/// what users write, or of what servers say.
fn thresholds(rows: &[Row], held: &[f32], mine: &[usize], spoken: bool) -> Thresholds {
    // How many times as many of each group may be.
    let groups: [(f64, &dyn Fn(&str) -> bool); 6] = [
        (1.0, &|source| spoken || !source.starts_with("atr-rule")),
        (2.0, &|source| source.starts_with("repo:")),
        (2.0, &|source| ["bipia", "tau", "damn", "vulnerable"].iter().any(|start| source.starts_with(start))),
        (2.0, &|source| ["docker", "accenture", "mcp-"].iter().any(|start| source.starts_with(start))),
        (2.0, &|source| source.starts_with("atr-mcp-registry")),
        // Texts that look like attacks and are none.
        (10.0, &|source| source.starts_with("atr-rule")),
    ];
    let at = |share: f64| {
        groups.iter().fold(0.05_f32, |most, (times, group)| {
            let share = share * times;
            let real = |at: &&usize| {
                let row = &rows[**at];
                !row.bad
                    && (row.genre == Genre::Prompt) == spoken
                    && !ours::is(&row.source)
                    && group(&row.source)
            };
            let mut scores: Vec<f32> = mine.iter().filter(real).map(|at| held[*at]).collect();
            if scores.len() < GROUP {
                return most;
            }
            scores.sort_by(|one, other| other.total_cmp(one));
            let allowed = (scores.len() as f64 * share / 1_000.0) as usize;
            // Above the first that may not pass.
            scores.get(allowed).map_or(most, |score| most.max(score + 1e-4))
        })
    };
    let block = at(BLOCK);
    let review = at(REVIEW).min(block);
    Thresholds { agree: at(AGREE).min(review), review, block }
}
