use std::fs::File;
use std::io::Write;

use lockgate_core::Wire;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

use super::*;
use crate::testing::greeting;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn shell(script: &str) -> Launch {
    Launch {
        command: vec!["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()],
        environment: vec![
            ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
            ("GIVEN".to_owned(), "yes".to_owned()),
        ],
        directory: None,
    }
}

async fn hear(script: &str) -> Vec<String> {
    let (lines, mut incoming) = mpsc::channel(4);
    let _child = Child::start(&shell(script), 100, lines).unwrap();
    let mut heard = Vec::new();
    while let Some(line) = incoming.recv().await {
        heard.push(match line {
            Said::Message(text) => format!("out {}", String::from_utf8_lossy(&text)),
            Said::TooLong(text) => format!("long {}", text.len()),
            Said::Diagnostic(text) => format!("err {text}"),
            Said::Exited(code) => format!("end {code:?}"),
            Said::Closed(ended) => panic!("{ended}"),
        });
    }
    heard
}

#[tokio::test]
async fn hears_lines_and_the_end() {
    let heard =
        hear("echo one; head -c 5000 /dev/zero | tr '\\0' x; echo; echo two; printf unfinished; exit 3")
            .await;
    assert_eq!(heard, ["out one", "long 4096", "out two", "end Some(3)"]);
}

#[tokio::test]
async fn sees_only_the_environment_it_is_given() {
    let heard = hear("echo $GIVEN; echo ${HOME:-none}").await;
    assert_eq!(heard, ["out yes", "out none", "end Some(0)"]);
}

#[tokio::test]
async fn a_child_that_ignores_everything_is_killed() {
    let (lines, mut incoming) = mpsc::channel(4);
    let child =
        Child::start(&shell("trap '' TERM; echo ready; while :; do sleep 1; done"), 100, lines).unwrap();
    assert!(matches!(incoming.recv().await, Some(Said::Message(_))));
    child.stop().await;
    assert!(matches!(next(&mut incoming).await, Some(Said::Exited(None))));
}

#[tokio::test]
async fn a_program_that_is_not_there_is_an_error() {
    let (lines, _incoming) = mpsc::channel(4);
    let launch = Launch { command: vec!["/no/such/program".to_owned()], ..shell("") };
    assert!(Child::start(&launch, 100, lines).is_err());
}

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(crate::unguessable().unwrap());
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// Starts a child within it.
    fn start(&self, script: &str, lines: mpsc::Sender<Said>) -> Child {
        let launch = Launch { directory: Some(self.0.clone()), ..shell(script) };
        Child::start(&launch, 1 << 20, lines).unwrap()
    }

    /// Makes a named pipe.
    fn pipe(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}

/// What comes next, diagnostics aside.
async fn next(incoming: &mut mpsc::Receiver<Said>) -> Option<Said> {
    loop {
        match timeout(PATIENCE, incoming.recv()).await.unwrap() {
            Some(Said::Diagnostic(_)) => {}
            other => return other,
        }
    }
}

#[tokio::test]
async fn the_last_diagnostics_are_heard() {
    let heard = hear("i=0; while [ $i -lt 300 ]; do echo noise $i >&2; i=$((i+1)); done; exit 1").await;
    assert_eq!(heard.len(), 301);
    assert_eq!(heard[299..], ["err noise 299", "end Some(1)"]);
}

#[tokio::test]
async fn a_slow_listener_hears_all_that_was_said() {
    let folder = Folder::new();
    let (lines, mut incoming) = mpsc::channel(1);
    let mut child =
        folder.start("i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done; exit 1", lines);
    child.state.wait_for(|state| *state != State::Running).await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(1)).await;
    for number in 0..300 {
        let line = incoming.recv().await;
        assert!(matches!(&line, Some(Said::Message(text)) if *text == format!("line {number}")), "{line:?}");
    }
    assert!(matches!(incoming.recv().await, Some(Said::Exited(Some(1)))));
    assert!(incoming.recv().await.is_none());
}

#[tokio::test]
async fn a_cancelled_send_leaves_no_half_message() {
    let folder = Folder::new();
    // Open at both ends, so that nobody waits for the other end to be opened.
    let mut gate = File::options().read(true).write(true).open(folder.pipe("gate")).unwrap();
    let (lines, mut incoming) = mpsc::channel(4);
    // It ends with its input, however long it takes to: it does not do as it is asked.
    let child = folder.start("trap '' TERM; read open < gate; exec cat", lines);
    // More than a pipe holds, to a child that does not read yet.
    let large = "x".repeat(300_000);
    tokio::select! {
        biased;
        sent = child.send(greeting(Wire::Lines, &large)) => panic!("it was read: {sent:?}"),
        () = std::future::ready(()) => {}
    }
    gate.write_all(b"\n").unwrap();
    child.send(greeting(Wire::Lines, "small")).await.unwrap();
    for version in [large.as_str(), "small"] {
        let Some(Said::Message(line)) = next(&mut incoming).await else { panic!("no line") };
        assert!(line.ends_with(format!("\"version\":\"{version}\"}}}}}}").as_bytes()), "{}", line.len());
    }
    child.stop().await;
    assert!(matches!(next(&mut incoming).await, Some(Said::Exited(Some(0)))));
}

#[tokio::test]
async fn messages_keep_their_order_and_their_lines() {
    let (lines, mut incoming) = mpsc::channel(4);
    let child = Child::start(&shell("exec cat"), 10_000, lines).unwrap();
    for number in 0..100 {
        child.send(greeting(Wire::Lines, &number.to_string())).await.unwrap();
        let Some(Said::Message(line)) = next(&mut incoming).await else { panic!("no line") };
        assert!(line.ends_with(format!("\"version\":\"{number}\"}}}}}}").as_bytes()));
    }
}

#[tokio::test]
async fn what_a_child_has_started_ends_with_it() {
    let folder = Folder::new();
    let mut alive = pipe::OpenOptions::new().open_receiver(folder.pipe("alive")).unwrap();
    let (lines, mut incoming) = mpsc::channel(4);
    let child = folder.start(
        // The first wakes at once. The last ends with its input, and not before, however long it takes to.
        "(trap 'echo bye; exit 0' TERM; echo polite; sleep 1000 & wait) &
         (exec 3> alive; trap '' TERM; echo stubborn; while :; do sleep 0.05; done) &
         trap '' TERM; read line; exit 0",
        lines,
    );
    for _ in 0..2 {
        assert!(matches!(next(&mut incoming).await, Some(Said::Message(_))));
    }
    child.stop().await;
    let Some(Said::Message(last)) = next(&mut incoming).await else { panic!("it was not asked") };
    assert_eq!(last, "bye");
    assert!(matches!(next(&mut incoming).await, Some(Said::Exited(Some(0)))));
    assert!(next(&mut incoming).await.is_none());
    // Its end of the pipe is closed: it has ended.
    let mut rest = Vec::new();
    timeout(PATIENCE, alive.read_to_end(&mut rest)).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_child_that_has_ended_takes_nothing() {
    let (lines, mut incoming) = mpsc::channel(4);
    let child = Child::start(&shell("exit 0"), 100, lines).unwrap();
    assert!(matches!(next(&mut incoming).await, Some(Said::Exited(Some(0)))));
    assert_eq!(child.send(greeting(Wire::Lines, "late")).await, Err(Reason::ServerExited));
    child.stop().await;
}

#[tokio::test]
async fn a_child_that_never_reads_is_given_up() {
    let (lines, mut incoming) = mpsc::channel(4);
    let child = Child::start(&shell("echo up; exec sleep 1000"), 100, lines).unwrap();
    assert!(matches!(next(&mut incoming).await, Some(Said::Message(_))));
    tokio::time::pause();
    let large = "x".repeat(300_000);
    assert_eq!(child.send(greeting(Wire::Lines, &large)).await, Err(Reason::ServerTimedOut));
    assert_eq!(child.send(greeting(Wire::Lines, "more")).await, Err(Reason::ServerExited));
}
