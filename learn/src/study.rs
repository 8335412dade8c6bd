//! The whole course: learn without a source, judge it, and so with every source; then learn from all.

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
const REVIEW: f64 = 20.0;
/// What texts of other genres count for a model.
const OTHER: f32 = 0.4;

/// What was learned.
pub struct Study {
    /// For definitions, and for everything else.
    pub models: [Weights; 2],
    /// For each row its calibrated score by the model that had not seen its source.
    pub held: Vec<f32>,
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
pub fn learn(rows: &[Row], concepts: &Concepts, log: &mut dyn FnMut(&str)) -> Study {
    let docs: Vec<Doc> = rows.iter().map(|row| Doc::new(row, concepts)).collect();
    let parts: Vec<usize> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| if ours::is(&row.source) { at % PARTS } else { splits(&row.source) })
        .collect();
    let mut held = vec![0.0; rows.len()];
    let models = [0, 1].map(|model| {
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
            let weights = one(&weighted, &docs, &kept);
            for at in (0..rows.len()).filter(|at| parts[*at] == part && side(rows[*at].genre) == model) {
                let logit = worst(&rows[at].text, concepts, &weights).map_or(-30.0, |(logit, _)| logit);
                logits[at] = logit.clamp(-30.0, 30.0);
            }
            log(&format!("model {model}: part {part} of {PARTS} left out"));
        }
        let all: Vec<usize> = (0..rows.len()).collect();
        let mut weights = one(&weighted, &docs, &all);
        let mine: Vec<usize> = all.into_iter().filter(|at| side(rows[*at].genre) == model).collect();
        (weights.slope, weights.shift) = platt(rows, &logits, &mine);
        mine.iter().for_each(|at| held[*at] = weights.calibrated(logits[*at]));
        weights.thresholds = thresholds(rows, &held, &mine, false);
        weights.spoken = if model == 0 { weights.thresholds } else { thresholds(rows, &held, &mine, true) };
        log(&format!("model {model}: learned, {:?}", weights.thresholds));
        weights
    });
    Study { models, held }
}

/// One model from these rows.
fn one(rows: &[Row], docs: &[Doc], kept: &[usize]) -> Weights {
    let texts: Vec<_> = kept.iter().map(|at| (&rows[*at], &docs[*at])).collect();
    let line = Line::fit(&texts, 5);
    let (step, table) = line.quantised();
    let thresholds = Thresholds { review: 0.5, block: 0.5 };
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

/// So that of real ordinary texts no more are stopped than may be: of all together, and twice as many of any group. Of what
/// users write, or of what servers say.
fn thresholds(rows: &[Row], held: &[f32], mine: &[usize], spoken: bool) -> Thresholds {
    let groups: [&dyn Fn(&str) -> bool; 5] = [
        &|source| spoken || !source.starts_with("atr-rule"),
        &|source| source.starts_with("repo:"),
        &|source| ["bipia", "tau", "damn", "vulnerable"].iter().any(|start| source.starts_with(start)),
        &|source| ["docker", "accenture", "mcp-"].iter().any(|start| source.starts_with(start)),
        &|source| source.starts_with("atr-mcp-registry"),
    ];
    let at = |share: f64| {
        groups.iter().enumerate().fold(0.05_f32, |most, (number, group)| {
            let share = if number == 0 { share } else { share * 2.0 };
            let real = |at: &&usize| {
                let row = &rows[**at];
                !row.bad
                    && (row.genre == Genre::Prompt) == spoken
                    && !ours::is(&row.source)
                    && group(&row.source)
            };
            let mut scores: Vec<f32> = mine.iter().filter(real).map(|at| held[*at]).collect();
            scores.sort_by(|one, other| other.total_cmp(one));
            let allowed = (scores.len() as f64 * share / 1_000.0) as usize;
            // Above the first that may not pass.
            scores.get(allowed).map_or(most, |score| most.max(score + 1e-4))
        })
    };
    let block = at(BLOCK);
    Thresholds { review: at(REVIEW).min(block), block }
}
