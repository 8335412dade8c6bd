//! Approvals that several processes use at once.
#![allow(clippy::unwrap_used, reason = "a test that fails here has found something")]

mod processes;

use std::path::Path;
use std::process::Child;

use lockgate_store::{Approvals, Ballot, Filter, Request, Scope, Vote};
use processes::{AT, JOB, say, start};

const NOW: u64 = 1_800_000_000_000;
const CALLS: usize = 15;

fn call(number: usize) -> Request {
    Request {
        session: "s-1".to_owned(),
        principal: "ann".to_owned(),
        server: "db".to_owned(),
        tool: "write_row".to_owned(),
        arguments: "{}".to_owned(),
        fingerprint: format!("f-{number}"),
        rule: "r".to_owned(),
        reason: "approval_required".to_owned(),
        origin: None,
        effect: "write".to_owned(),
        approvers: 2,
        created: NOW,
        expires: NOW + 60_000,
    }
}

/// Not a test of its own: what the children of the others do. Each uses, or says yes, as often as it can.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(AT) else { return };
    let approvals = Approvals::open(Path::new(&folder)).unwrap();
    let job = std::env::var(JOB).unwrap();
    let ids: Vec<String> = approvals.list(Filter::All, NOW).unwrap().into_iter().map(|e| e.id).collect();
    assert_eq!(ids.len(), CALLS);
    loop {
        let mut open = 0;
        for id in &ids {
            let ballot = if job == "use" {
                approvals.standing(id, NOW).unwrap()
            } else {
                let vote = Vote { approver: job.clone(), yes: true, why: None, scope: Scope::Once };
                approvals.vote(id, &vote, NOW).unwrap()
            };
            match ballot {
                Ballot::Waiting { .. } => open += 1,
                Ballot::Approved { by, .. } if job == "use" => {
                    assert_eq!(by.len(), 2);
                    say(&format!("used {id}\n"));
                }
                Ballot::Approved { .. } | Ballot::Used => {}
                Ballot::Denied { .. } | Ballot::Expired => unreachable!("{ballot:?}"),
            }
        }
        if open == 0 {
            return;
        }
    }
}

#[test]
fn processes_together_use_every_yes_exactly_once() {
    let folder = tempfile::tempdir().unwrap();
    let approvals = Approvals::open(folder.path()).unwrap();
    let mut ids: Vec<String> =
        (0..CALLS).map(|number| approvals.file(&call(number), NOW).unwrap().id).collect();
    let children: Vec<Child> =
        ["use", "use", "use", "bob", "carol"].iter().map(|job| start(folder.path(), job)).collect();
    let mut used: Vec<String> = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let said = String::from_utf8(output.stdout).unwrap();
        used.extend(
            said.split("used ").skip(1).map(|rest| rest.split_whitespace().next().unwrap().to_owned()),
        );
    }
    ids.sort();
    used.sort();
    assert_eq!(used, ids, "each yes was used, and none twice");
    for entry in approvals.list(Filter::All, NOW).unwrap() {
        assert_eq!((entry.ballot, entry.uses, entry.votes.len()), (Ballot::Used, 1, 2));
    }
}
