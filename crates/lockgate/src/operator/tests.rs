use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use lockgate_store::{Approvals, Ballot, Request, Scope, Vote};

use super::answer::{Watcher, Way};
use super::approvals::{Choice, choice};
use super::*;
use crate::config::Config;

const NOW: u64 = 1_785_231_000_000;

struct Fake(BTreeMap<&'static str, &'static str>);

impl Surroundings for Fake {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| (*value).to_owned())
    }

    fn file(&self, _: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn folder(&self) -> PathBuf {
        PathBuf::from("/elsewhere")
    }
}

#[test]
fn the_state_folder_is_where_it_was_said_to_be() {
    let (state, xdg, home) = ("LOCKGATE_STATE", "XDG_STATE_HOME", "HOME");
    let all = [(state, "/s"), (xdg, "/x"), (home, "/h")];
    for (given, variables, expected) in [
        (Some("/g"), &all[..], Some("/g")),
        (Some("g"), &all[..], Some("/elsewhere/g")),
        (Some(""), &all[..], Some("/s")),
        (None, &all[..], Some("/s")),
        (None, &[(state, "s")], Some("/elsewhere/s")),
        (None, &[(state, ""), (xdg, "/x"), (home, "/h")], Some("/x/lockgate")),
        (None, &[(xdg, "x"), (home, "/h")], Some("/h/.local/state/lockgate")),
        (None, &[(home, "/h")], Some("/h/.local/state/lockgate")),
        (None, &[(home, "")], None),
        (None, &[], None),
    ] {
        let fake = Fake(variables.iter().copied().collect());
        let folder = state_folder(given.map(PathBuf::from), &fake);
        assert_eq!(folder.ok(), expected.map(PathBuf::from), "{given:?} {variables:?}");
    }
}

#[test]
fn scopes_are_read_or_refused() {
    for (text, expected) in [
        ("once", Some(Choice::Once)),
        ("session", Some(Choice::Session)),
        ("value:10m", Some(Choice::Value(Duration::from_mins(10)))),
        ("value:30s", Some(Choice::Value(Duration::from_secs(30)))),
        ("value:2h", Some(Choice::Value(Duration::from_hours(2)))),
        ("value:0m", None),
        ("value:+1m", None),
        ("value:-1m", None),
        ("value:1é", None),
        ("value:m", None),
        ("value:", None),
        ("value:99999999999999999h", None),
        ("value", None),
        ("Once", None),
        ("", None),
    ] {
        assert_eq!(choice(text).ok(), expected, "{text}");
    }
}

#[test]
fn the_user_is_named_as_the_system_has_it() {
    let users = "root:x:0:0::/root:/bin/sh\nbroken\n:x:7:7\nann:x:1000:1000:Ann:/home/ann:/bin/sh\n";
    for (user, name) in [(0, Some("root")), (1_000, Some("ann")), (7, None), (8, None)] {
        assert_eq!(who::named(users, user), name);
    }
    assert!(who::local().len() > "local:".len());
}

#[test]
fn who_names_a_principal_proves_it_with_its_own_token() {
    let text = "servers: { s: { command: [s] } }
principals: { ann: { token: '${ANN}' }, bob: { token: '${BOB}' } }";
    let fake = Fake(BTreeMap::from([("ANN", "ann-ann-ann-ann-ann"), ("BOB", "bob-bob-bob-bob-bob")]));
    let config = Config::parse(text, "f", Path::new(""), &fake).unwrap();
    for (name, proof, good) in [
        ("ann", "ann-ann-ann-ann-ann", true),
        ("ann", "bob-bob-bob-bob-bob", false),
        ("Ann", "ann-ann-ann-ann-ann", false),
        ("carol", "ann-ann-ann-ann-ann", false),
        ("ann", "ann-ann-ann-ann", false),
        ("ann", "", false),
        ("local:root", "", false),
    ] {
        let proven = who::prove(&config, name, proof);
        assert_eq!(proven.is_ok(), good, "{name} {proof}");
        if let Err(Problem::Refused(message)) = proven {
            assert!(!message.contains("bob-bob") && !message.contains("ann-ann"), "{message}");
        }
    }
}

#[test]
fn times_are_rounded_down() {
    for (seconds, text) in [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (3_600, "1 h 0 min"),
        (172_799, "47 h 59 min"),
        (172_800, "2 days"),
    ] {
        assert_eq!(show::left(NOW + seconds * 1_000 + 999, NOW), text);
    }
    assert_eq!(show::left(NOW, NOW + 1), "0 s");
    assert_eq!(show::moment(NOW + 999), "2026-07-28T09:30:00Z");
}

#[test]
fn what_operators_write_can_be_read_and_moves_nothing() {
    assert_eq!(show::words("Grüße, 日本 \"ok\""), "Grüße, 日本 \"ok\"");
    assert_eq!(show::words("a\u{1b}[2J\u{202e}\n\u{9b}"), "a\\u{1b}[2J\\u{202e}\\n\\u{9b}");
}

fn call(number: u32) -> Request {
    Request {
        session: "s-1".to_owned(),
        principal: "ann".to_owned(),
        server: "db".to_owned(),
        tool: format!("write_{number}"),
        arguments: "{}".to_owned(),
        fingerprint: format!("f-{number}"),
        rule: "servers.db.tools".to_owned(),
        reason: "approval_required".to_owned(),
        origin: None,
        effect: "write".to_owned(),
        approvers: 1,
        created: NOW,
        expires: NOW + 60_000,
    }
}

/// Nothing from outside moves a cursor or makes a line of its own, wherever it stands.
#[test]
fn nothing_from_outside_leaves_its_place() {
    let hostile = "x\u{1b}[2Jy\u{202e}z\u{9b}1m";
    let approvals = Approvals::in_memory().unwrap();
    let request = Request {
        arguments: format!("{hostile}\nvote       2026-07-28T09:30:00Z carol: yes").repeat(20),
        reason: format!("{hostile}\n"),
        origin: Some(format!("{hostile}\n")),
        ..call(1)
    };
    let id = approvals.file(&request, NOW).unwrap().id;
    let vote =
        Vote { approver: "bob".to_owned(), yes: true, why: Some(format!("{hostile}\n")), scope: Scope::Once };
    approvals.vote(&id, &vote, NOW).unwrap();
    let entry = approvals.show(&id, NOW).unwrap().unwrap();
    for text in [show::full(&entry, NOW), show::brief(&entry, NOW)] {
        for line in text.lines() {
            assert!(line.chars().all(|c| c == '…' || c == ' ' || c.is_ascii_graphic()), "{line:?}");
            assert!(line.chars().count() <= 80, "{line:?}");
        }
        assert!(text.matches("\nvote ").count() <= 1);
    }
}

struct Terminal {
    approvals: Approvals,
    watcher: Watcher,
    out: Vec<u8>,
}

impl Terminal {
    fn new() -> Self {
        let watcher = Watcher::new(Way::Ask("bob".to_owned()));
        Self { approvals: Approvals::in_memory().unwrap(), watcher, out: Vec::new() }
    }

    fn file(&mut self, number: u32) -> String {
        let id = self.approvals.file(&call(number), NOW).unwrap().id;
        self.watcher.look(&self.approvals, NOW, &mut self.out).unwrap();
        id
    }

    /// What is shown after a line that was typed with care.
    fn types(&mut self, line: &str) -> String {
        self.types_at(line, Instant::now() + Duration::from_secs(1))
    }

    fn types_at(&mut self, line: &str, at: Instant) -> String {
        self.out.clear();
        self.watcher.hear(&self.approvals, line, at, NOW, &mut self.out).unwrap();
        String::from_utf8_lossy(&self.out).into_owned()
    }

    fn ballot(&self, id: &str) -> Ballot {
        self.approvals.show(id, NOW).unwrap().unwrap().ballot
    }
}

const WAITS: Ballot = Ballot::Waiting { have: 0, need: 1 };

#[test]
fn a_terminal_is_asked_about_one_after_the_other() {
    let mut terminal = Terminal::new();
    let ids: Vec<String> = (0..4).map(|number| terminal.file(number)).collect();
    let shown = String::from_utf8(terminal.out.clone()).unwrap();
    assert!(shown.contains("write_0") && !shown.contains("write_1"), "{shown}");
    assert!(shown.ends_with("a approve once, d deny, s skip: "), "{shown}");

    for nonsense in ["", "y", "approve", "A"] {
        assert!(terminal.types(nonsense).ends_with("s skip: "), "{nonsense}");
        assert_eq!(terminal.ballot(&ids[0]), WAITS);
    }
    let shown = terminal.types("a");
    assert_eq!(terminal.ballot(&ids[0]), Ballot::Approved { by: vec!["bob".to_owned()], scope: Scope::Once });
    assert!(shown.contains("write_1"), "{shown}");

    assert_eq!(terminal.types("d"), "Why not? ");
    assert_eq!(terminal.types(" "), "Why not? ");
    assert_eq!(terminal.ballot(&ids[1]), WAITS);
    let shown = terminal.types("a");
    let denied = Ballot::Denied { by: "bob".to_owned(), why: Some("a".to_owned()) };
    assert_eq!(terminal.ballot(&ids[1]), denied);
    assert!(shown.contains("write_2"), "{shown}");

    assert!(terminal.types("s").contains("write_3"));
    assert_eq!(terminal.ballot(&ids[2]), WAITS);
    terminal.types("a");
    assert_eq!(terminal.types("a"), "", "nothing is asked");
    assert_eq!(terminal.ballot(&ids[2]), WAITS);
}

/// An `a` that was meant for the question before must not approve the next.
#[test]
fn what_was_typed_before_the_question_is_no_answer() {
    let mut terminal = Terminal::new();
    let id = terminal.file(1);
    let shown = terminal.types_at("a", Instant::now());
    assert!(shown.starts_with("That was typed before the question could be read."), "{shown}");
    assert_eq!(terminal.ballot(&id), WAITS);
    terminal.types("a");
    assert_ne!(terminal.ballot(&id), WAITS);
}

#[test]
fn a_question_that_somebody_else_answered_is_taken_back() {
    let mut terminal = Terminal::new();
    let (first, second) = (terminal.file(1), terminal.file(2));
    let vote = Vote { approver: "carol".to_owned(), yes: false, why: None, scope: Scope::Once };
    terminal.approvals.vote(&first, &vote, NOW).unwrap();
    terminal.out.clear();
    terminal.watcher.look(&terminal.approvals, NOW, &mut terminal.out).unwrap();
    let shown = String::from_utf8(terminal.out.clone()).unwrap();
    assert!(shown.starts_with("\nNo answer is needed any more: denied by carol\n\n"), "{shown}");
    assert!(shown.contains(&second), "{shown}");
    terminal.out.clear();
    terminal.watcher.look(&terminal.approvals, NOW + 60_000, &mut terminal.out).unwrap();
    let shown = String::from_utf8(terminal.out.clone()).unwrap();
    assert_eq!(shown, "\nNo answer is needed any more: expired\n\n");
}
