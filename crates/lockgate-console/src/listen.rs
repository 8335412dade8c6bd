use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, os::unix::ffi::OsStrExt};

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::Tokens;
use crate::check::Caller;

/// Longest path of a Unix socket: what the system's address has room for, less the end mark. Bytes.
const PATH: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// Longest wait for another process that is about to listen in the same folder.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why the admin API cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BadListener {
    /// The path has no room in a socket's address.
    #[error("the socket's path has {0} bytes; at most {PATH} are possible")]
    PathTooLong(usize),
    /// Something that is not a socket has the path. It is left alone.
    #[error("something that is not a socket has the socket's path")]
    NotASocket,
    /// Somebody listens there.
    #[error("another process listens on the socket")]
    InUse,
    /// Everybody may put another socket in this one's place.
    #[error("everybody may write to the socket's folder")]
    OpenFolder,
    /// The address can be reached from other machines.
    #[error("the address is not this machine's loopback")]
    NotLoopback,
    /// On the loopback every program of this machine may connect, so people are known by tokens only.
    #[error("a loopback address needs tokens")]
    NoTokens,
    /// The system does not allow it.
    #[error("the system does not allow to listen there")]
    Io(#[from] io::Error),
}

/// Where the admin API listens: a Unix socket for this user, or a loopback address for whoever has a token.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    pub(crate) tokens: Tokens,
}

#[derive(Debug)]
enum Socket {
    Unix { listener: UnixListener, _file: SocketFile },
    Tcp(TcpListener),
}

/// A connection.
pub(crate) enum Accepted {
    Unix(UnixStream, Caller),
    Tcp(TcpStream, Caller),
}

impl Listener {
    /// Listens on a Unix socket that only this user may use, and root. Replaces a socket that nobody listens on any
    /// more. Who asks is the other end's user, or the owner of the token where one is sent.
    pub async fn unix(path: &Path, tokens: Tokens) -> Result<Self, BadListener> {
        let length = path.as_os_str().as_bytes().len();
        if length > PATH {
            return Err(BadListener::PathTooLong(length));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Where all may write, the sticky bit keeps them from each other's files.
        if fs::metadata(folder)?.mode() & 0o1002 == 0o0002 {
            return Err(BadListener::OpenFolder);
        }
        let _turn = turn(folder).await?;
        make_room(path).await?;
        let listener = UnixListener::bind(path)?;
        // Others may connect until here; `accept` turns them away.
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        Ok(Self { socket: Socket::Unix { listener, _file: SocketFile::at(path)? }, tokens })
    }

    /// Listens on a loopback address. Who asks is the owner of the token.
    pub async fn tcp(address: SocketAddr, tokens: Tokens) -> Result<Self, BadListener> {
        if !address.ip().is_loopback() {
            return Err(BadListener::NotLoopback);
        }
        if tokens.is_empty() {
            return Err(BadListener::NoTokens);
        }
        Ok(Self { socket: Socket::Tcp(TcpListener::bind(address).await?), tokens })
    }

    /// The address, where it is one.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Unix { .. } => None,
            Socket::Tcp(listener) => listener.local_addr().ok(),
        }
    }

    /// The next connection; none where it is from somebody who may not connect.
    pub(crate) async fn accept(&self) -> io::Result<Option<Accepted>> {
        match &self.socket {
            Socket::Unix { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                // Who has gone already is nobody.
                let Ok(uid) = stream.peer_cred().map(|peer| peer.uid()) else { return Ok(None) };
                let own = rustix::process::geteuid().as_raw();
                Ok(may_connect(uid, own).then_some(Accepted::Unix(stream, Caller::Local(uid))))
            }
            Socket::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                let usable = stream.set_nodelay(true).is_ok();
                Ok(usable.then_some(Accepted::Tcp(stream, Caller::Loopback)))
            }
        }
    }
}

/// Only this user, and root, who may do everything anyway. The file's mode says the same, from when it is set.
fn may_connect(uid: u32, own: u32) -> bool {
    uid == own || uid == 0
}

/// Waits for others that are about to listen in this folder: else two could find the same socket left behind, and the
/// second take away what the first has just put in its place.
async fn turn(folder: &Path) -> Result<File, BadListener> {
    let folder = File::open(folder)?;
    let end = Instant::now() + PATIENCE;
    loop {
        match folder.try_lock() {
            Ok(()) => return Ok(folder),
            Err(TryLockError::WouldBlock) if Instant::now() < end => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(TryLockError::WouldBlock) => return Err(BadListener::InUse),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}

/// Takes away a socket that a process left behind.
async fn make_room(path: &Path) -> Result<(), BadListener> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
        Ok(found) if !found.file_type().is_socket() => return Err(BadListener::NotASocket),
        Ok(_) => {}
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(fs::remove_file(path)?),
        // It listens, but has no place for another connection.
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(BadListener::InUse),
        Err(error) => Err(error.into()),
        Ok(_) => Err(BadListener::InUse),
    }
}

/// The file of a socket. Removed when dropped, where it is still the same.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<Self> {
        let found = fs::symlink_metadata(path)?;
        Ok(Self { path: std::path::absolute(path)?, identity: (found.dev(), found.ino()) })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let same = |found: fs::Metadata| (found.dev(), found.ino()) == self.identity;
        if fs::symlink_metadata(&self.path).is_ok_and(same) {
            // Whoever comes next replaces it.
            let _removed = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without turns, some of them take away the socket that another has just made, and both believe they are alone.
    #[test]
    fn of_many_that_find_an_old_socket_one_listens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        for _ in 0..20 {
            drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
            let together = std::sync::Barrier::new(8);
            let listens = || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                together.wait();
                let listener = runtime.block_on(Listener::unix(&path, Tokens::none()));
                together.wait();
                match listener {
                    Ok(_) => true,
                    Err(BadListener::InUse) => false,
                    Err(error) => panic!("{error}"),
                }
            };
            let listening = std::thread::scope(|scope| {
                let all: Vec<_> = (0..8).map(|_| scope.spawn(listens)).collect();
                all.into_iter().map(|one| one.join().unwrap()).filter(|it| *it).count()
            });
            assert_eq!(listening, 1);
        }
    }

    #[test]
    fn the_socket_is_for_one_user() {
        for (uid, own, may) in
            [(1000, 1000, true), (0, 1000, true), (0, 0, true), (1001, 1000, false), (1000, 0, false)]
        {
            assert_eq!(may_connect(uid, own), may, "{uid} {own}");
        }
    }
}
