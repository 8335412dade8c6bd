//! Servers as child processes.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use lockgate_core::Permit;
use lockgate_model::Reason;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, Command};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::timeout;

use crate::lines::{Line, LineReader, as_line};

/// Longest line of diagnostics that is kept whole.
const DIAGNOSTIC: usize = 8 << 10;
/// How long a child may leave its input unread before it counts as hung.
const WRITE: Duration = Duration::from_secs(30);
/// How long a child may take to end by itself once its input is closed, and again once it is asked to.
const FAREWELL: Duration = Duration::from_secs(1);
const TERMINATE: Duration = Duration::from_secs(3);

/// What to start. The child sees exactly this environment and nothing else.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program and its arguments; never passed through a shell.
    pub command: Vec<String>,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
    /// The working directory; that of Lockgate where there is none.
    pub directory: Option<PathBuf>,
}

/// What a child says.
#[derive(Debug)]
pub enum ChildLine {
    /// A line of its output.
    Message(Bytes),
    /// The beginning of a line longer than allowed.
    TooLong(Bytes),
    /// A line of its diagnostics. Server text: escape it.
    Diagnostic(String),
    /// It has ended, with this code, or by a signal. Said once, last.
    Exited(Option<i32>),
}

/// A running server. Killed with its whole process group when dropped.
#[derive(Debug)]
pub struct Child {
    input: Mutex<Option<ChildStdin>>,
    group: Option<Pid>,
    ended: watch::Receiver<bool>,
}

impl Child {
    /// Starts a server. What it says goes to `lines`; where nobody takes it, the server waits. Must be called within a
    /// tokio runtime.
    pub fn start(
        launch: &Launch,
        line_bytes: usize,
        lines: mpsc::Sender<ChildLine>,
    ) -> std::io::Result<Self> {
        let (program, arguments) = launch.command.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(launch.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if let Some(directory) = &launch.directory {
            command.current_dir(directory);
        }
        let mut child = command.spawn()?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let missing = || std::io::Error::other("the child has no pipes");
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or_else(missing)?;
        let diagnostics = child.stderr.take().ok_or_else(missing)?;
        let (tell_ended, ended) = watch::channel(false);
        let talk = tokio::spawn(read_output(output, line_bytes, lines.clone()));
        let complain = tokio::spawn(read_diagnostics(diagnostics, lines.clone()));
        tokio::spawn(async move {
            let status = child.wait().await.ok();
            tell_ended.send_replace(true);
            // A grandchild may hold the pipes open: what the child itself said is there by now.
            let _talked = timeout(FAREWELL, talk).await;
            complain.abort();
            let code = status.and_then(|status| status.code());
            let _told = lines.send(ChildLine::Exited(code)).await;
        });
        Ok(Self { input: Mutex::new(input), group, ended })
    }

    /// Writes a message. [`Reason::ServerExited`] where the server takes no more, [`Reason::ServerTimedOut`] where it
    /// has not read its input for 30 s; its input is closed then, for half a message may have been written.
    pub async fn send(&self, permit: Permit) -> Result<(), Reason> {
        let line = as_line(permit.message());
        let mut input = self.input.lock().await;
        let Some(pipe) = input.as_mut() else { return Err(Reason::ServerExited) };
        let written = timeout(WRITE, async {
            pipe.write_all(&line).await?;
            pipe.flush().await
        });
        let outcome = match written.await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(_)) => Reason::ServerExited,
            Err(_) => Reason::ServerTimedOut,
        };
        *input = None;
        Err(outcome)
    }

    /// Ends the server: closes its input and waits 1 s, asks it to terminate and waits 3 s, then kills it.
    pub async fn stop(&self) {
        if let Ok(mut input) = timeout(FAREWELL, self.input.lock()).await {
            *input = None;
        }
        for (signal, patience) in
            [(None, FAREWELL), (Some(Signal::TERM), TERMINATE), (Some(Signal::KILL), FAREWELL)]
        {
            if let (Some(signal), Some(group)) = (signal, self.group) {
                let _sent = kill_process_group(group, signal);
            }
            let mut ended = self.ended.clone();
            if timeout(patience, ended.wait_for(|ended| *ended)).await.is_ok() {
                return;
            }
        }
    }
}

impl Child {
    /// Ends the server and all it has started at once, without a farewell.
    pub fn kill(&self) {
        if let Some(group) = self.group
            && !*self.ended.borrow()
        {
            let _sent = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn read_output(output: tokio::process::ChildStdout, line_bytes: usize, lines: mpsc::Sender<ChildLine>) {
    let mut reader = LineReader::new(output, line_bytes);
    while let Ok(Some(line)) = reader.next().await {
        let line = match line {
            Line::Whole(line) => ChildLine::Message(line),
            Line::TooLong(beginning) => ChildLine::TooLong(beginning),
        };
        if lines.send(line).await.is_err() {
            return;
        }
    }
}

async fn read_diagnostics(diagnostics: tokio::process::ChildStderr, lines: mpsc::Sender<ChildLine>) {
    let mut reader = LineReader::new(BufReader::new(diagnostics), DIAGNOSTIC);
    while let Ok(Some(Line::Whole(line) | Line::TooLong(line))) = reader.next().await {
        if lines.send(ChildLine::Diagnostic(String::from_utf8_lossy(&line).into_owned())).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                ChildLine::Message(text) => format!("out {}", String::from_utf8_lossy(&text)),
                ChildLine::TooLong(text) => format!("long {}", text.len()),
                ChildLine::Diagnostic(text) => format!("err {text}"),
                ChildLine::Exited(code) => format!("end {code:?}"),
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
        assert!(matches!(incoming.recv().await, Some(ChildLine::Message(_))));
        child.stop().await;
        let end = timeout(Duration::from_secs(5), incoming.recv()).await;
        assert!(matches!(end, Ok(Some(ChildLine::Exited(None)))));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_an_error() {
        let (lines, _incoming) = mpsc::channel(4);
        let launch = Launch { command: vec!["/no/such/program".to_owned()], ..shell("") };
        assert!(Child::start(&launch, 100, lines).is_err());
    }
}
