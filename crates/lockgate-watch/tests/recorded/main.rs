//! How often recorded sessions that are as they should be are found unusual, and how often what was put into them is.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that fails here has found something, and prints what it measures"
)]

mod attacks;
mod play;
mod sessions;

use std::collections::{BTreeMap, BTreeSet};

use lockgate_audit::Record;
use lockgate_model::UnixMillis;
use lockgate_watch::behaviour::{Behaviour, Settings, Sign};

use attacks::{ATTACKS, Attack};
use play::{Dice, begins, records};
use sessions::{Session, Turn, benign};

/// One in so many sessions has the attacks put in.
const EVERY: usize = 4;

/// In what order the sessions come.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    /// Any: tasks come again and again, as at work.
    Mixed,
    /// All runs of one task, then all of the next: each task is new when it comes. Nobody works so; the worst there is.
    TaskByTask,
}

/// The records of all sessions in the order of their times, each with the number of its session.
fn timeline(sessions: &mut [Session], order: Order, seed: u64) -> Vec<(UnixMillis, usize, Record)> {
    let mut dice = Dice::new(seed);
    dice.shuffle(sessions);
    if order == Order::TaskByTask {
        sessions.sort_by(|one, other| one.task.cmp(&other.task));
    }
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut starts: Vec<u64> = Vec::new();
    for session in sessions.iter() {
        let count = counts.entry(&session.principal).or_default();
        starts.push(begins(*count, &mut dice));
        *count += 1;
    }
    let mut all = Vec::new();
    for (number, (session, start)) in sessions.iter().zip(starts).enumerate() {
        let records = records(session, &format!("s{number}"), start, &mut dice);
        all.extend(records.into_iter().map(|(at, record)| (at, number, record)));
    }
    all.sort_by_key(|(at, number, _)| (*at, *number));
    all
}

/// The signs in each session that has some, and the highest risk.
type Alerts = BTreeMap<usize, (BTreeSet<Sign>, u8)>;

fn observe(behaviour: &mut Behaviour, at: UnixMillis, number: usize, record: &Record, alerts: &mut Alerts) {
    for unusual in behaviour.observe(record, at) {
        let risk = behaviour.session_risk(&record.session, at);
        let (signs, most) = alerts.entry(number).or_default();
        signs.insert(unusual.sign);
        *most = risk.max(*most);
    }
}

#[test]
fn benign_sessions_are_seldom_unusual() {
    let Some(mut sessions) = benign() else { return };
    println!("\nbenign sessions    order         all  with a sign       in the second half   risk >= 40");
    for (order, name) in [(Order::Mixed, "mixed"), (Order::TaskByTask, "task by task")] {
        for seed in [1, 2, 3] {
            let all = timeline(&mut sessions, order, seed);
            let mut behaviour = Behaviour::new(Settings::default());
            let mut alerts = Alerts::new();
            let mut seen = BTreeSet::new();
            let mut late = BTreeSet::new();
            for (place, (at, number, record)) in all.iter().enumerate() {
                if seen.insert(*number) && place >= all.len() / 2 {
                    late.insert(*number);
                }
                observe(&mut behaviour, *at, *number, record, &mut alerts);
            }
            let percent = |part: usize, whole: usize| {
                let hundredths = part * 10_000 / whole;
                format!("{part} ({}.{:02} %)", hundredths / 100, hundredths % 100)
            };
            let in_late = alerts.keys().filter(|number| late.contains(number)).count();
            let risky = alerts.values().filter(|(_, risk)| *risk >= 40).count();
            let mut signs: BTreeMap<&str, usize> = BTreeMap::new();
            for sign in alerts.values().flat_map(|(signs, _)| signs) {
                *signs.entry(sign.word()).or_default() += 1;
            }
            println!(
                "seed {seed}             {name:12} {:4}  {:16}  of {:4}: {:14} {risky}   {signs:?}",
                sessions.len(),
                percent(alerts.len(), sessions.len()),
                late.len(),
                percent(in_late, late.len()),
            );
            assert!(alerts.len() * 100 < sessions.len(), "more than one in a hundred");
            assert!(in_late * 100 < late.len(), "more than one in a hundred after the warm-up");
        }
    }
}

/// Plays the second half of the sessions with each attack in them, each against what was learned until then, and counts
/// of each attack and strength: found by a sign that says what it is, found by any sign, put in.
fn put_in(attacks: &[Attack], sessions: &mut [Session]) -> Vec<[[u32; 3]; 3]> {
    let all = timeline(sessions, Order::Mixed, 7);
    let mut turns: BTreeMap<&str, Vec<Turn>> = BTreeMap::new();
    for session in sessions.iter() {
        turns.entry(&session.principal).or_default().extend(session.turns.iter().cloned());
    }
    let mut dice = Dice::new(11);
    let mut behaviour = Behaviour::new(Settings::default());
    let mut seen = BTreeSet::new();
    let mut found = vec![[[0; 3]; 3]; attacks.len()];
    for (place, (at, number, record)) in all.iter().enumerate() {
        let session = &sessions[*number];
        let begins = seen.insert(*number) && place >= all.len() / 2;
        if begins && session.source.starts_with("agentdyn") && seen.len() % EVERY == 0 {
            let turns = &turns[session.principal.as_str()];
            for (attack, found) in attacks.iter().zip(&mut found) {
                for ((first, last), found) in attack.strengths.iter().zip(found) {
                    let strength = dice.between(*first, *last);
                    let signs = attacked(
                        &behaviour,
                        session,
                        *at,
                        (attack.turns)(strength, session, turns, &mut dice),
                        &mut dice,
                    );
                    found[0] += u32::from(attack.signs.iter().any(|sign| signs.contains(sign)));
                    found[1] += u32::from(!signs.is_empty());
                    found[2] += 1;
                }
            }
        }
        behaviour.observe(record, *at);
    }
    found
}

/// The signs of a session with these turns put in somewhere.
fn attacked(
    known: &Behaviour,
    session: &Session,
    at: UnixMillis,
    put_in: Vec<Turn>,
    dice: &mut Dice,
) -> BTreeSet<Sign> {
    let mut session = session.clone();
    let place = usize::try_from(dice.below(session.turns.len() as u64 + 1)).unwrap();
    session.turns.splice(place..place, put_in);
    let (mut known, mut alerts) = (known.clone(), Alerts::new());
    for (at, record) in records(&session, "attacked", at.0, dice) {
        observe(&mut known, at, 0, &record, &mut alerts);
    }
    alerts.remove(&0).unwrap_or_default().0
}

#[test]
fn attacks_are_found() {
    let Some(mut sessions) = benign() else { return };
    let found = put_in(ATTACKS, &mut sessions);
    println!("\nput into a session  of this strength                           sessions     found  any sign");
    for (attack, found) in ATTACKS.iter().zip(&found) {
        for ((first, last), [named, any, all]) in attack.strengths.iter().zip(found) {
            let percent = |part: &u32| 100.0 * f64::from(*part) / f64::from(*all);
            let strength = match first {
                1 => attack.unit.to_owned(),
                _ => format!("{first} to {last} {}", attack.unit),
            };
            println!(
                "{:18}  {strength:42} {all:9} {:7.1} % {:7.1} %",
                attack.name,
                percent(named),
                percent(any)
            );
        }
    }
    for (attack, found) in ATTACKS.iter().zip(&found).filter(|(attack, _)| attack.strengths.len() > 1) {
        for [named, _, all] in &found[1..] {
            assert!(named * 10 >= all * 9, "{}: less than nine in ten", attack.name);
        }
    }
}
