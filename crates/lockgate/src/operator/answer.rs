//! `lockgate approvals watch`: new calls as they come, and on a terminal a question for each.

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use lockgate_store::{Approvals, Ballot, Filter, Scope, Vote};

use super::{Problem, now, show};

/// How often the file is looked at.
const PAUSE: Duration = Duration::from_millis(250);
/// What is typed within this time after a question was for something before it.
const TOO_SOON: Duration = Duration::from_millis(400);

/// What a watcher does with what it sees.
pub(super) enum Way {
    /// Says it in words.
    Tell,
    /// One JSON object a line.
    Machine,
    /// Says it in words, and asks this approver.
    Ask(String),
}

impl Way {
    /// Asks where somebody can answer.
    pub(super) fn choose(json: bool, approver: String) -> Self {
        match (json, io::stdin().is_terminal() && io::stdout().is_terminal()) {
            (true, _) => Self::Machine,
            (false, true) => Self::Ask(approver),
            (false, false) => Self::Tell,
        }
    }
}

/// Runs until the process is ended, or the terminal is gone.
pub(super) fn watch(approvals: &Approvals, way: Way, out: &mut impl Write) -> Result<(), Problem> {
    let lines = match &way {
        Way::Ask(approver) => {
            writeln!(
                out,
                "Waiting for calls to answer as {}; Ctrl-C ends this.\n",
                show::plain(approver, 40)
            )?;
            Some(read_lines())
        }
        Way::Tell | Way::Machine => None,
    };
    let mut watcher = Watcher::new(way);
    let (mut version, mut looked) = (None, Instant::now());
    loop {
        // What expires changes nothing in the file.
        let current = approvals.version()?;
        if version != Some(current) || looked.elapsed() >= Duration::from_secs(1) {
            (version, looked) = (Some(current), Instant::now());
            watcher.look(approvals, now(), out)?;
            out.flush()?;
        }
        match &lines {
            None => std::thread::sleep(PAUSE),
            Some(lines) => match lines.recv_timeout(PAUSE) {
                Ok((line, at)) => {
                    watcher.hear(approvals, &line, at, now(), out)?;
                    out.flush()?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            },
        }
    }
}

fn read_lines() -> Receiver<(String, Instant)> {
    let (send, lines) = channel();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if send.send((line, Instant::now())).is_err() {
                return;
            }
        }
    });
    lines
}

/// What was seen and is asked.
pub(super) struct Watcher {
    way: Way,
    seen: BTreeSet<String>,
    /// To be asked about, in this order.
    queue: VecDeque<String>,
    asked: Option<Asked>,
}

struct Asked {
    id: String,
    since: Instant,
    /// A no was given, and its reason is asked for.
    denying: bool,
}

impl Watcher {
    pub(super) fn new(way: Way) -> Self {
        Self { way, seen: BTreeSet::new(), queue: VecDeque::new(), asked: None }
    }

    /// Says what is new, and asks about the next.
    pub(super) fn look(
        &mut self,
        approvals: &Approvals,
        now: u64,
        out: &mut impl Write,
    ) -> Result<(), Problem> {
        let waiting = approvals.list(Filter::Waiting, now)?;
        // What is over is forgotten, so that this does not grow; ids do not come back.
        self.seen.retain(|id| waiting.iter().any(|entry| entry.id == *id));
        for entry in waiting {
            if !self.seen.insert(entry.id.clone()) {
                continue;
            }
            match &self.way {
                Way::Tell => writeln!(out, "{}", show::full(&entry, now))?,
                Way::Machine => writeln!(out, "{}", show::object(&entry))?,
                Way::Ask(_) => self.queue.push_back(entry.id),
            }
        }
        if let Some(asked) = &self.asked {
            let entry = approvals.show(&asked.id, now)?;
            if let Some(entry) = entry.filter(|entry| !matches!(entry.ballot, Ballot::Waiting { .. })) {
                writeln!(out, "\nNo answer is needed any more: {}\n", show::standing(&entry, now))?;
                self.asked = None;
            }
        }
        self.ask(approvals, now, out)
    }

    /// Takes an answer in.
    pub(super) fn hear(
        &mut self,
        approvals: &Approvals,
        line: &str,
        at: Instant,
        now: u64,
        out: &mut impl Write,
    ) -> Result<(), Problem> {
        let (Way::Ask(approver), Some(asked)) = (&self.way, &mut self.asked) else { return Ok(()) };
        let line = line.trim();
        if !asked.denying && at.saturating_duration_since(asked.since) < TOO_SOON {
            writeln!(out, "That was typed before the question could be read.")?;
            asked.since = Instant::now();
            return question(asked, out);
        }
        let vote = |yes, why: &str| {
            let why = (!why.is_empty()).then(|| why.to_owned());
            Vote { approver: approver.clone(), yes, why, scope: Scope::Once }
        };
        let vote = match (asked.denying, line) {
            (true | false, "") => return question(asked, out),
            (true, why) => vote(false, why),
            (false, "a") => vote(true, ""),
            (false, "d") => {
                asked.denying = true;
                return question(asked, out);
            }
            (false, "s") => {
                writeln!(out, "Skipped: `lockgate approvals list` has it.\n")?;
                self.asked = None;
                return self.ask(approvals, now, out);
            }
            (false, _) => {
                writeln!(out, "Answer a, d or s.")?;
                return question(asked, out);
            }
        };
        let id = asked.id.clone();
        approvals.vote(&id, &vote, now)?;
        if let Some(entry) = approvals.show(&id, now)? {
            writeln!(out, "{}", show::headline(&entry, now))?;
        }
        self.asked = None;
        self.ask(approvals, now, out)
    }

    /// Asks about the next that still waits.
    fn ask(&mut self, approvals: &Approvals, now: u64, out: &mut impl Write) -> Result<(), Problem> {
        while self.asked.is_none() {
            let Some(id) = self.queue.pop_front() else { return Ok(()) };
            let entry = approvals.show(&id, now)?;
            let Some(entry) = entry.filter(|entry| matches!(entry.ballot, Ballot::Waiting { .. })) else {
                continue;
            };
            writeln!(out, "{}", show::full(&entry, now))?;
            let asked = Asked { id, since: Instant::now(), denying: false };
            question(&asked, out)?;
            self.asked = Some(asked);
        }
        Ok(())
    }
}

fn question(asked: &Asked, out: &mut impl Write) -> Result<(), Problem> {
    let question = if asked.denying { "Why not? " } else { "a approve once, d deny, s skip: " };
    Ok(write!(out, "{question}")?)
}
