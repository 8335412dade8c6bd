//! Learns what each feature weighs: logistic regression over windows, step by step (AdaGrad), always in the same order.
//!
//! Every window of an ordinary text is ordinary. In a text with orders those windows are learned where they stand, and
//! where that is not known, the window that looks worst so far.

use lockgate_detect::injection::model::weights::{FEATURES, LEAST, Table};

use crate::doc::Doc;
use crate::{Dice, Row};

/// Rounds over all texts, and how many of the last ones count.
const EPOCHS: usize = 8;
const AVERAGED: usize = 4;
const RATE: f32 = 0.06;
/// How much of a weight is forgotten at each step.
const FORGET: f32 = 2e-3;
/// What a bad text counts beside a window of an ordinary one.
const BAD: f32 = 4.0;

/// What the first windows of an ordinary text count together at least: short texts are not lost among long ones.
const GOOD: f32 = 3.0;

/// Weights that are being learned.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) weights: Vec<f32>,
    pub(crate) bias: f32,
    squares: Vec<f32>,
    bias_squares: f32,
}

impl Line {
    /// Learns from these texts.
    pub(crate) fn fit(texts: &[(&Row, &Doc)], seed: u64) -> Self {
        let mut line = Self {
            weights: vec![0.0; FEATURES],
            bias: -2.0,
            squares: vec![1e-2; FEATURES],
            bias_squares: 1.0,
        };
        let mut order: Vec<usize> = (0..texts.len()).filter(|at| texts[*at].0.weight > 0.0).collect();
        let mut dice = Dice::new(seed);
        let mut sum = vec![0.0; FEATURES];
        for epoch in 0..EPOCHS {
            dice.shuffle(&mut order);
            for at in &order {
                let (row, doc) = texts[*at];
                if row.bad { line.bad(row, doc, epoch) } else { line.good(row, doc) }
            }
            if epoch >= EPOCHS - AVERAGED {
                sum.iter_mut().zip(&line.weights).for_each(|(sum, weight)| *sum += weight);
            }
        }
        // The mean of the last rounds depends less on the order than the last does.
        line.weights = sum.iter().map(|sum| sum / AVERAGED as f32).collect();
        line
    }

    fn good(&mut self, row: &Row, doc: &Doc) {
        let all = doc.blocks.len() as f32;
        let weight = row.weight * (GOOD / all).max(1.0);
        for last in 0..doc.blocks.len() {
            self.step(doc.window(last), 0.0, weight);
        }
    }

    fn bad(&mut self, row: &Row, doc: &Doc, epoch: usize) {
        let all = doc.blocks.len();
        let mut windows: Vec<usize> = (0..all).collect();
        if let Some(orders) = &row.orders {
            windows.retain(|last| doc.overlap(*last, orders) > 0.7);
            // Whole windows say more than those that only touch.
            let most = windows.len().min(3);
            windows.sort_by(|one, other| self.of(doc.window(*other)).total_cmp(&self.of(doc.window(*one))));
            windows.truncate(most);
        } else {
            if epoch < 2 && all > 4 {
                return;
            }
            windows.sort_by(|one, other| self.of(doc.window(*other)).total_cmp(&self.of(doc.window(*one))));
            windows.truncate(1);
        }
        let weight = BAD * row.weight / windows.len().max(1) as f32;
        for last in windows {
            self.step(doc.window(last), 1.0, weight);
        }
    }

    /// The logit of a window.
    pub(crate) fn of(&self, window: &[Vec<u32>]) -> f32 {
        self.bias + window.iter().map(|block| self.block(block).max(LEAST)).sum::<f32>()
    }

    fn block(&self, block: &[u32]) -> f32 {
        block.iter().map(|feature| self.weights[*feature as usize]).sum()
    }

    fn step(&mut self, window: &[Vec<u32>], goal: f32, weight: f32) {
        let off = 1.0 / (1.0 + (-self.of(window)).exp()) - goal;
        if off.abs() < 0.01 {
            return;
        }
        let slope = off * weight;
        self.bias_squares += slope * slope;
        self.bias -= RATE * slope / self.bias_squares.sqrt();
        // A block that weighs the least there is would weigh the same with other weights.
        let open: Vec<&Vec<u32>> = window.iter().filter(|block| self.block(block) > LEAST).collect();
        for feature in open.into_iter().flatten() {
            let at = *feature as usize;
            let slope = slope + FORGET * self.weights[at];
            self.squares[at] += slope * slope;
            self.weights[at] -= RATE * slope / self.squares[at].sqrt();
        }
    }

    /// One step of the table, and the table.
    pub(crate) fn quantised(&self) -> (f32, Box<Table>) {
        let most = self.weights.iter().fold(0.5_f32, |most, weight| most.max(weight.abs())).min(2.5);
        let step = most / 127.0;
        let steps = self.weights.iter().map(|weight| (weight / step).round().clamp(-127.0, 127.0) as i8);
        let table: Box<[i8]> = steps.collect();
        (step, table.try_into().expect("a weight for each feature"))
    }
}
