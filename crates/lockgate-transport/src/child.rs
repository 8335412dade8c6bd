//! Servers as child processes.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use bytes::{Buf, Bytes};
use lockgate_core::Permit;
use lockgate_model::Reason;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncWriteExt};
use tokio::process::{ChildStdin, Command};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::timeout;

use crate::lines::{Line, LineReader, as_line};
use crate::said::Said;

/// Longest line of diagnostics that is kept whole.
const DIAGNOSTIC: usize = 8 << 10;
/// How long a child may leave its input unread before it counts as hung.
const WRITE: Duration = Duration::from_secs(30);
/// How long a child may take to end by itself once its input is closed, and again once it is asked to.
const FAREWELL: Duration = Duration::from_secs(1);
const TERMINATE: Duration = Duration::from_secs(3);
/// How much is still read once the child has ended: what the largest pipe may hold. Bytes.
const LEFT: usize = 1 << 20;

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

/// A running server. Killed with its whole process group when dropped, and what is left of that group is ended when the
/// server ends by itself: what it has started is asked to terminate, and killed once the pipes are silent.
#[derive(Debug)]
pub struct Child {
    input: Mutex<Option<Input>>,
    group: Option<Pid>,
    state: watch::Receiver<State>,
}

/// The pipe to a child, and what a sender that was dropped left unwritten: half a line must not be followed by another.
#[derive(Debug)]
struct Input {
    pipe: ChildStdin,
    rest: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    /// The child itself has ended.
    Ended,
    /// So has what it started.
    Over,
}

impl Child {
    /// Starts a server. What it says goes to `lines`; where nobody takes it, the server waits. Must be called within a
    /// tokio runtime.
    pub fn start(launch: &Launch, line_bytes: usize, lines: mpsc::Sender<Said>) -> std::io::Result<Self> {
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
        let input = child.stdin.take().map(|pipe| Input { pipe, rest: Bytes::new() });
        let output = child.stdout.take().ok_or_else(missing)?;
        let diagnostics = child.stderr.take().ok_or_else(missing)?;
        let (tell, state) = watch::channel(State::Running);
        let talk = tokio::spawn(relay(output, line_bytes, message, lines.clone(), state.clone()));
        let complain = tokio::spawn(relay(diagnostics, DIAGNOSTIC, diagnostic, lines.clone(), state.clone()));
        tokio::spawn(async move {
            let status = child.wait().await.ok();
            let orphans = group.filter(|group| kill_process_group(*group, Signal::TERM).is_ok());
            tell.send_replace(State::Ended);
            let mut read = tokio::spawn(async move {
                let _read = (talk.await, complain.await);
            });
            let in_time = timeout(FAREWELL, &mut read).await.is_ok();
            if let Some(group) = orphans {
                let _sent = kill_process_group(group, Signal::KILL);
            }
            tell.send_replace(State::Over);
            if !in_time {
                let _read = read.await;
            }
            let code = status.and_then(|status| status.code());
            let _told = lines.send(Said::Exited(code)).await;
        });
        Ok(Self { input: Mutex::new(input), group, state })
    }

    /// Writes a message. [`Reason::ServerExited`] where the server takes no more, [`Reason::ServerTimedOut`] where it
    /// has not read its input for 30 s; its input is closed then, for half a message may have been written. Messages are
    /// written in the order of the calls. Where the future is dropped, the message is either not written at all, or
    /// what is missing of it is written before the next one.
    pub async fn send(&self, permit: Permit) -> Result<(), Reason> {
        let line = as_line(permit.message());
        let mut input = self.input.lock().await;
        let Some(open) = input.as_mut() else { return Err(Reason::ServerExited) };
        let written = timeout(WRITE, open.write(line.into()));
        let outcome = match written.await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(_)) => Reason::ServerExited,
            Err(_) => Reason::ServerTimedOut,
        };
        *input = None;
        Err(outcome)
    }

    /// Ends the server: closes its input and waits 1 s, asks it to terminate and waits 3 s, then kills it. Returns once
    /// what it has started has ended too, or cannot be ended.
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
            let mut state = self.state.clone();
            if timeout(patience, state.wait_for(|state| *state != State::Running)).await.is_ok() {
                break;
            }
        }
        let mut state = self.state.clone();
        let _over = timeout(FAREWELL * 2, state.wait_for(|state| *state == State::Over)).await;
    }

    /// Ends the server and all it has started at once, without a farewell.
    pub fn kill(&self) {
        if let Some(group) = self.group
            && *self.state.borrow() == State::Running
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

impl Input {
    /// Writes a line, after what is left of the one before.
    async fn write(&mut self, line: Bytes) -> std::io::Result<()> {
        self.flush().await?;
        self.rest = line;
        self.flush().await
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        while !self.rest.is_empty() {
            let written = self.pipe.write(&self.rest).await?;
            if written == 0 {
                return Err(std::io::ErrorKind::WriteZero.into());
            }
            self.rest.advance(written);
        }
        Ok(())
    }
}

/// Reads a pipe to its end. Once the child has ended somebody else may hold the pipe open: then only until it is silent,
/// for what the child itself said is there by then.
async fn relay(
    pipe: impl AsyncRead + Unpin,
    line_bytes: usize,
    as_said: fn(Line) -> Said,
    lines: mpsc::Sender<Said>,
    mut state: watch::Receiver<State>,
) {
    let mut reader = LineReader::new(pipe, line_bytes);
    {
        let ended = state.wait_for(|state| *state != State::Running);
        tokio::pin!(ended);
        loop {
            let line = tokio::select! {
                biased;
                line = reader.next() => line,
                _ = &mut ended => break,
            };
            let Ok(Some(line)) = line else { return };
            if lines.send(as_said(line)).await.is_err() {
                return;
            }
        }
    }
    let mut left = LEFT;
    while left > 0 {
        let Ok(Ok(Some(line))) = timeout(FAREWELL, reader.next()).await else { return };
        let (Line::Whole(text) | Line::TooLong(text)) = &line;
        left = left.saturating_sub(text.len() + 1);
        if lines.send(as_said(line)).await.is_err() {
            return;
        }
    }
}

fn message(line: Line) -> Said {
    match line {
        Line::Whole(line) => Said::Message(line),
        Line::TooLong(beginning) => Said::TooLong(beginning),
    }
}

fn diagnostic(line: Line) -> Said {
    let (Line::Whole(line) | Line::TooLong(line)) = line;
    Said::Diagnostic(String::from_utf8_lossy(&line).into_owned())
}

#[cfg(test)]
mod tests;
