//! The file of weights: how it is written, read and checked.
//!
//! All numbers are little-endian. First `LGIM`, the version, and the stamp of the lexicon; then for each of the two models
//! its scalars, and one signed byte for each feature; at the end a checksum of everything before.

use super::Thresholds;

/// Features that are told apart. A power of two.
pub const FEATURES: usize = 1 << 17;

const MAGIC: &[u8; 4] = b"LGIM";
const VERSION: u32 = 2;

/// The least that a block of words weighs, in logits.
pub const LEAST: f32 = -1.0;

/// What each feature weighs, in steps.
pub type Table = [i8; FEATURES];

/// What a feature weighs, in steps.
#[inline]
pub fn of(table: &Table, feature: u32) -> i32 {
    let place = usize::try_from(feature).unwrap_or_default() % FEATURES;
    table.get(place).copied().map_or(0, i32::from)
}

/// One trained model.
#[derive(Clone, Debug)]
pub struct Weights {
    /// For each feature what it weighs, in steps.
    pub table: Box<Table>,
    /// One step, in logits.
    pub step: f32,
    /// What every window starts with, in logits.
    pub bias: f32,
    /// From a logit to a probability: its slope and its shift.
    pub slope: f32,
    /// See [`Weights::slope`].
    pub shift: f32,
    /// From where on what a server says is suspicious.
    pub thresholds: Thresholds,
    /// From where on what a user or an agent writes is: they may give orders.
    pub spoken: Thresholds,
}

/// Why weights cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is no file of weights of this version.
    #[error("not a file of weights, or of another version")]
    Format,
    /// It was learned with other words: learn again.
    #[error("weights of another lexicon")]
    Lexicon,
    /// It is not what was written.
    #[error("the checksum does not match")]
    Checksum,
}

impl Weights {
    /// The least that a block of words weighs, in steps.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a few thousand at most: a step is no smaller than 1/255"
    )]
    pub fn least(&self) -> i32 {
        (LEAST / self.step) as i32
    }

    /// The logit of a window that weighs so many steps.
    pub fn logit(&self, steps: i32) -> f32 {
        f32::from(i16::try_from(steps.clamp(-32_000, 32_000)).unwrap_or_default()) * self.step + self.bias
    }

    /// The calibrated probability, of a logit.
    pub fn calibrated(&self, logit: f32) -> f32 {
        1.0 / (1.0 + (-(self.slope * logit + self.shift)).exp())
    }
}

/// Both models as a file, for the lexicon with that stamp.
pub fn write(models: &[Weights; 2], lexicon: u32) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    let mut put = |bytes: &[u8]| file.extend_from_slice(bytes);
    put(&VERSION.to_le_bytes());
    put(&lexicon.to_le_bytes());
    for model in models {
        let mut scalars = vec![model.step, model.bias, model.slope, model.shift];
        scalars
            .extend([model.thresholds, model.spoken].iter().flat_map(|at| [at.agree, at.review, at.block]));
        for number in scalars {
            put(&number.to_le_bytes());
        }
        model.table.iter().for_each(|weight| put(&weight.to_le_bytes()));
    }
    let sum = checksum(&file);
    file.extend_from_slice(&sum.to_le_bytes());
    file
}

/// Reads what [`write()`] wrote.
pub fn read(file: &[u8], lexicon: u32) -> Result<[Weights; 2], Broken> {
    let (mut rest, sum) = file.split_last_chunk::<8>().ok_or(Broken::Format)?;
    let whole = rest;
    let from = &mut rest;
    if take::<4>(from)? != *MAGIC || u32::from_le_bytes(take(from)?) != VERSION {
        return Err(Broken::Format);
    }
    if checksum(whole) != u64::from_le_bytes(*sum) {
        return Err(Broken::Checksum);
    }
    if u32::from_le_bytes(take(from)?) != lexicon {
        return Err(Broken::Lexicon);
    }
    let models = [one(from)?, one(from)?];
    if from.is_empty() { Ok(models) } else { Err(Broken::Format) }
}

fn one(from: &mut &[u8]) -> Result<Weights, Broken> {
    let [step, bias, slope, shift] = numbers(from)?;
    let [agree, review, block] = numbers(from)?;
    let thresholds = Thresholds { agree, review, block };
    let [agree, review, block] = numbers(from)?;
    let spoken = Thresholds { agree, review, block };
    let (table, behind) = from.split_at_checked(FEATURES).ok_or(Broken::Format)?;
    *from = behind;
    let table: Box<[i8]> = table.iter().map(|byte| i8::from_le_bytes([*byte])).collect();
    let table = table.try_into().map_err(|_| Broken::Format)?;
    Ok(Weights { table, step, bias, slope, shift, thresholds, spoken })
}

fn take<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], Broken> {
    let (taken, behind) = from.split_first_chunk().ok_or(Broken::Format)?;
    *from = behind;
    Ok(*taken)
}

fn numbers<const N: usize>(from: &mut &[u8]) -> Result<[f32; N], Broken> {
    let mut numbers = [0.0; N];
    for number in &mut numbers {
        *number = f32::from_le_bytes(take(from)?);
        if !number.is_finite() {
            return Err(Broken::Format);
        }
    }
    Ok(numbers)
}

/// FNV-1a over words of eight bytes: it finds what broke, and proves nothing.
fn checksum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let start =
        words.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, word| step(sum, u64::from_le_bytes(*word)));
    rest.iter().fold(start, |sum, byte| step(sum, u64::from(*byte)))
}

fn step(sum: u64, word: u64) -> u64 {
    let sum = (sum ^ word).wrapping_mul(0x0000_0100_0000_01b3);
    sum ^ sum >> 32
}
