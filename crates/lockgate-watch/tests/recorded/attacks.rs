//! What is put into sessions, to be found.

use lockgate_watch::behaviour::Sign;
use serde_json::json;

use crate::play::Dice;
use crate::sessions::{Session, Turn, turn};

/// A sort of attack, with its strengths from weak to strong. Of what has no strength, nothing is promised.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// What the strength counts.
    pub(crate) unit: &'static str,
    /// The signs that say what it is.
    pub(crate) signs: &'static [Sign],
    pub(crate) strengths: &'static [(u64, u64)],
    /// The turns that are put in, of this strength. `all` are the turns of all sessions of the principal.
    pub(crate) turns: fn(u64, &Session, &[Turn], &mut Dice) -> Vec<Turn>,
}

const KIB: u64 = 1 << 10;

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "burst",
        unit: "calls in a minute",
        signs: &[Sign::Burst],
        strengths: &[(30, 50), (60, 100), (100, 200)],
        turns: burst,
    },
    Attack {
        name: "scan of tools",
        unit: "tools, half of them refused",
        signs: &[Sign::Scan, Sign::Probing],
        strengths: &[(10, 19), (20, 40), (40, 80)],
        turns: scan,
    },
    Attack {
        name: "scan of values",
        unit: "refused calls of one tool",
        signs: &[Sign::Probing],
        strengths: &[(5, 9), (10, 19), (20, 40)],
        turns: values,
    },
    Attack {
        name: "large argument",
        unit: "KiB sent out in one call",
        signs: &[Sign::LargeArguments, Sign::LargeExport],
        strengths: &[(4, 15), (16, 99), (100, 1_000)],
        turns: argument,
    },
    Attack {
        name: "large result",
        unit: "KiB read in one call",
        signs: &[Sign::LargeResult],
        strengths: &[(32, 99), (100, 999), (1_000, 8_000)],
        turns: result,
    },
    Attack {
        name: "export in pieces",
        unit: "pieces of 4 KiB sent out",
        signs: &[Sign::LargeExport],
        strengths: &[(4, 9), (10, 29), (30, 100)],
        turns: pieces,
    },
    Attack {
        name: "loop",
        unit: "same calls",
        signs: &[Sign::Loop],
        strengths: &[(5, 9), (10, 19), (20, 40)],
        turns: repeats,
    },
    Attack {
        name: "loop of two",
        unit: "rounds",
        signs: &[Sign::Loop],
        strengths: &[(5, 9), (10, 19), (20, 40)],
        turns: rounds,
    },
    Attack {
        name: "new host",
        unit: "a host nobody has named",
        signs: &[Sign::NewDestination],
        strengths: &[(1, 1)],
        turns: host,
    },
    Attack {
        name: "new tool",
        unit: "a tool nobody has called",
        signs: &[Sign::NewTool],
        strengths: &[(1, 1)],
        turns: new_tool,
    },
    Attack {
        name: "new arguments",
        unit: "other names of arguments",
        signs: &[Sign::UnknownShape],
        strengths: &[(1, 1)],
        turns: shape,
    },
];

fn pick<'t>(all: &'t [Turn], dice: &mut Dice) -> &'t Turn {
    &all[usize::try_from(dice.below(all.len() as u64)).unwrap()]
}

/// Calls that the principal makes anyway, with other values, within a minute.
fn burst(calls: u64, _: &Session, all: &[Turn], dice: &mut Dice) -> Vec<Turn> {
    let one = |number| {
        let turn = pick(all, dice).clone();
        Turn { arguments: format!("{number}"), gap: Some(55_000 / calls), failed: false, ..turn }
    };
    (0..calls).map(one).collect()
}

/// Tools that were never called by anybody, or that there are not.
fn scan(calls: u64, session: &Session, all: &[Turn], dice: &mut Dice) -> Vec<Turn> {
    let one = |number: u64| {
        let refused = number.is_multiple_of(2);
        let known = pick(all, dice);
        let tool = if refused { format!("admin_{number}") } else { known.tool.clone() };
        let server = if refused { session.turns[0].server.clone() } else { known.server.clone() };
        let turn = turn(server, tool, &json!({}), 100, false);
        Turn { refused, gap: Some(dice.between(500, 2_500)), ..turn }
    };
    (0..calls).map(one).collect()
}

/// One tool, tried with one value after the other.
fn values(calls: u64, _: &Session, all: &[Turn], dice: &mut Dice) -> Vec<Turn> {
    let tried = pick(all, dice).clone();
    let one = |number| Turn {
        arguments: format!("{number}"),
        refused: true,
        gap: Some(dice.between(2_000, 10_000)),
        ..tried.clone()
    };
    (0..calls).map(one).collect()
}

fn outward<'t>(all: &'t [Turn], dice: &mut Dice) -> &'t Turn {
    let sends: Vec<_> =
        all.iter().filter(|turn| turn.measure.effect != Some(lockgate_model::Effect::Read)).collect();
    sends.get(usize::try_from(dice.below(sends.len() as u64)).unwrap()).copied().unwrap_or(&all[0])
}

fn argument(kib: u64, _: &Session, all: &[Turn], dice: &mut Dice) -> Vec<Turn> {
    let mut turn = outward(all, dice).clone();
    turn.measure.arguments_bytes = Some(kib * KIB);
    turn.arguments = format!("{kib}");
    vec![turn]
}

fn result(kib: u64, _: &Session, all: &[Turn], dice: &mut Dice) -> Vec<Turn> {
    vec![Turn { result_bytes: kib * KIB, failed: false, ..pick(all, dice).clone() }]
}

/// Pieces that are each no larger than what is sent anyway now and then.
fn pieces(count: u64, _: &Session, all: &[Turn], dice: &mut Dice) -> Vec<Turn> {
    let mut turn = outward(all, dice).clone();
    turn.measure.arguments_bytes = Some(4 * KIB);
    let one = |number| Turn {
        arguments: format!("{number}"),
        gap: Some(dice.between(3_000, 6_000)),
        ..turn.clone()
    };
    (0..count).map(one).collect()
}

fn repeats(count: u64, session: &Session, _: &[Turn], dice: &mut Dice) -> Vec<Turn> {
    let turn = pick(&session.turns, dice).clone();
    (0..count).map(|_| Turn { gap: Some(dice.between(1_500, 10_000)), ..turn.clone() }).collect()
}

fn rounds(count: u64, session: &Session, all: &[Turn], dice: &mut Dice) -> Vec<Turn> {
    let two = [pick(&session.turns, dice).clone(), pick(all, dice).clone()];
    let one = |number: u64| Turn {
        gap: Some(dice.between(1_500, 10_000)),
        ..two[usize::from(number % 2 == 1)].clone()
    };
    (0..count * 2).map(one).collect()
}

fn host(_: u64, _: &Session, all: &[Turn], dice: &mut Dice) -> Vec<Turn> {
    let named: Vec<_> = all.iter().filter(|turn| !turn.measure.destinations.is_empty()).cloned().collect();
    let mut turn = pick(&named, dice).clone();
    turn.measure.destinations = vec!["collect.invalid".to_owned()];
    vec![turn]
}

fn new_tool(_: u64, session: &Session, _: &[Turn], _: &mut Dice) -> Vec<Turn> {
    vec![turn(session.turns[0].server.clone(), "export_all".to_owned(), &json!({}), 100, false)]
}

fn shape(_: u64, _: &Session, all: &[Turn], dice: &mut Dice) -> Vec<Turn> {
    let mut turn = pick(all, dice).clone();
    turn.measure.arguments_shape = Some("another".to_owned());
    vec![turn]
}
