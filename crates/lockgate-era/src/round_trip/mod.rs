//! Whatever two peers say to each other means the same where a bridge stands between them: the same results, in the
//! same order for each request, and the same answers heard by the server. Ids, tokens, `requestState` and the losses
//! that the bridges name are what may differ.

mod chain;
mod client;
mod script;
mod server;
mod stateless;

use std::collections::{BTreeMap, BTreeSet};

use lockgate_model::Era;
use proptest::prelude::*;

use crate::Bounds;
use chain::{Bridge, Chain};
use client::Client;
use script::{Heard, Script, Step, script};
use server::{CHANGES, Server};

/// Plays a script to its end, and compares what was heard with what it means.
fn play(script: &Script, agent: Era, bridges: Vec<Bridge>, server: Era) {
    let server = Server::new(server, script.pipe, script.calls.clone());
    let mut chain = Chain::new(Client::new(agent), bridges, server, script.pipe);
    chain.client.start();
    chain.settle();
    chain.client.started(script.logs);
    chain.settle();

    let mut turns = script.turns.iter().copied();
    let (mut next, mut cancelled) = (0, BTreeSet::new());
    let (mut watched, mut changes) = (BTreeSet::new(), Vec::new());
    for step in &script.steps {
        for choice in turns.by_ref().take(4) {
            chain.step(choice);
        }
        match *step {
            Step::Call => {
                if let Some(call) = script.calls.get(next) {
                    chain.client.call(next, call);
                    next += 1;
                }
            }
            Step::Cancel(number) => {
                if chain.client.cancel(number) {
                    cancelled.insert(number);
                }
            }
            Step::Ping => chain.client.ping(),
            Step::Subscribe(resource) => {
                watched.insert(resource);
                chain.client.watch(resource, true);
            }
            Step::Unsubscribe(resource) => {
                watched.remove(&resource);
                chain.client.watch(resource, false);
            }
            Step::Change(what) => {
                chain.settle();
                chain.server.change(what);
                chain.settle();
                match CHANGES.get(usize::from(what)) {
                    Some(method) => changes.push((*method).to_owned()),
                    None if watched.contains(&(what - 3)) => changes.push(format!("r{}", what - 3)),
                    None => {}
                }
            }
        }
    }
    while chain.step(turns.next().unwrap_or_default()) {}
    // A call that is taken back while a stateless agent would come back ends when it does not.
    chain.pass(Bounds::default().held);
    chain.settle();

    assert!(chain.client.is_done(), "a request has no answer");
    assert!(chain.server.open.is_empty(), "a call was taken back and the server was not told");
    assert_eq!(chain.client.changes, changes);
    assert!(chain.client.astray == 0 || !cancelled.is_empty(), "only late answers have no taker");
    let mut logs = BTreeMap::<u64, Vec<u64>>::new();
    for (call, at) in &chain.client.logs {
        logs.entry(*call).or_default().push(*at);
    }
    for (number, call) in script.calls.iter().enumerate().take(next) {
        let (mut meaning, answers) = call.meaning(number, script.logs, agent);
        let heard = &chain.client.heard[&number];
        if script.pipe {
            let said = logs.remove(&(number as u64)).unwrap_or_default();
            let meant: Vec<_> = meaning
                .iter()
                .filter_map(|heard| if let Heard::Log(at) = heard { Some(*at as u64) } else { None })
                .collect();
            meaning.retain(|heard| !matches!(heard, Heard::Log(_)));
            assert!(meant.starts_with(&said) && (cancelled.contains(&number) || said == meant));
        }
        let told = chain.server.answers.get(&number).cloned().unwrap_or_default();
        if cancelled.contains(&number) {
            assert!(meaning.starts_with(heard), "{meaning:?} {heard:?}");
            assert!(answers.starts_with(&told));
        } else {
            assert_eq!((heard, told), (&meaning, answers));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The two models agree without a bridge: else the others would prove nothing.
    #[test]
    fn a_handshake_agent_with_its_own_server(script in script()) {
        play(&script, Era::Legacy, Vec::new(), Era::Legacy);
    }

    #[test]
    fn a_handshake_agent_with_a_stateless_server(script in script()) {
        play(&script, Era::Legacy, vec![Bridge::stateless()], Era::Modern);
    }

    #[test]
    fn a_stateless_agent_with_its_own_server(script in script()) {
        play(&script.stateless(), Era::Modern, Vec::new(), Era::Modern);
    }

    #[test]
    fn a_stateless_agent_with_a_handshake_server(script in script()) {
        play(&script.stateless().apart(), Era::Modern, vec![Bridge::handshake()], Era::Legacy);
    }

    #[test]
    fn a_stateless_agent_there_and_back(script in script()) {
        let bridges = vec![Bridge::handshake(), Bridge::stateless()];
        play(&script.stateless().apart(), Era::Modern, bridges, Era::Modern);
    }

    #[test]
    fn a_handshake_agent_there_and_back(script in script()) {
        play(&script.in_turn().apart(), Era::Legacy, vec![Bridge::stateless(), Bridge::handshake()], Era::Legacy);
    }
}
