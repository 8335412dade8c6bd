//! The process's own standard input and output, without a thread between.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

/// Standard input. A pipe or a socket is waited for like any other; what else it may be (a terminal, a file) is read
/// by a thread. Must be called within a tokio runtime.
pub fn stdin() -> Pin<Box<dyn AsyncRead + Send>> {
    let own = std::io::stdin();
    match kind(&own) {
        // Opened anew, so that the mode it is read in is nobody else's.
        Some(Kind::Pipe) => match pipe::OpenOptions::new().open_receiver("/dev/stdin") {
            Ok(pipe) => Box::pin(pipe),
            Err(_) => Box::pin(tokio::io::stdin()),
        },
        Some(Kind::Socket) => match socket(&own) {
            Ok(socket) => Box::pin(socket),
            Err(_) => Box::pin(tokio::io::stdin()),
        },
        None => Box::pin(tokio::io::stdin()),
    }
}

/// Standard output, like [`stdin`].
pub fn stdout() -> Pin<Box<dyn AsyncWrite + Send>> {
    let own = std::io::stdout();
    match kind(&own) {
        Some(Kind::Pipe) => match pipe::OpenOptions::new().open_sender("/dev/stdout") {
            Ok(pipe) => Box::pin(pipe),
            Err(_) => Box::pin(tokio::io::stdout()),
        },
        Some(Kind::Socket) => match socket(&own) {
            Ok(socket) => Box::pin(socket),
            Err(_) => Box::pin(tokio::io::stdout()),
        },
        None => Box::pin(tokio::io::stdout()),
    }
}

enum Kind {
    Pipe,
    Socket,
}

fn kind(stream: &impl AsFd) -> Option<Kind> {
    let file = File::from(stream.as_fd().try_clone_to_owned().ok()?);
    let kind = file.metadata().ok()?.file_type();
    if kind.is_fifo() {
        Some(Kind::Pipe)
    } else if kind.is_socket() {
        Some(Kind::Socket)
    } else {
        None
    }
}

fn socket(stream: &impl AsFd) -> std::io::Result<UnixStream> {
    let socket = std::os::unix::net::UnixStream::from(stream.as_fd().try_clone_to_owned()?);
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}
