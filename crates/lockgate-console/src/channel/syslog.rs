use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UdpSocket, UnixDatagram, UnixStream};
use tokio::time::timeout;
use url::Url;

use super::wire::{Host, Roots, Stream};
use super::{BadRoots, Message, Unsent};

/// Longest time for one attempt.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long to wait for a daemon to close a connection after the message. It need not.
const GOODBYE: Duration = Duration::from_secs(1);
/// Facility 10, security and authorization messages (RFC 5424, 6.2.1).
const FACILITY: u8 = 10;

/// A log daemon that takes RFC 5424.
#[derive(Clone, Debug)]
pub struct Syslog(Place, Option<Roots>);

#[derive(Clone, Debug)]
enum Place {
    Udp(Host),
    Tcp(Host),
    Tls(Host),
    Unix(PathBuf),
}

/// Why a log daemon cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSyslog {
    /// It is not an address of a log daemon.
    #[error("the address is not `udp://`, `tcp://` or `tls://` with a host, or `unix://` with a path")]
    Address,
    /// Alerts would be readable on the way.
    #[error("the address must be `tls`, or on this machine")]
    NotEncrypted,
    /// No certificates to check it by.
    #[error(transparent)]
    Roots(#[from] BadRoots),
}

impl Syslog {
    /// A daemon at `udp://HOST:514`, `tcp://HOST:601`, `tls://HOST:6514` (the ports are the defaults of RFC 5426, RFC 6587
    /// and RFC 5425) or `unix:///PATH`. What is not `tls` must be on this machine, unless `unencrypted` allows it.
    pub fn new(address: &str, unencrypted: bool) -> Result<Self, BadSyslog> {
        Self::with_roots(address, unencrypted, Roots::of_the_system)
    }

    /// Could this be used, apart from certificates? Reads nothing.
    pub fn check(address: &str, unencrypted: bool) -> Result<(), BadSyslog> {
        place(address, unencrypted).map(drop)
    }

    pub(super) fn with_roots(
        address: &str,
        unencrypted: bool,
        roots: impl Fn() -> Result<Roots, BadRoots>,
    ) -> Result<Self, BadSyslog> {
        let place = place(address, unencrypted)?;
        let roots = if matches!(place, Place::Tls(_)) { Some(roots()?) } else { None };
        Ok(Self(place, roots))
    }

    /// Sends a message. Only TCP and TLS tell where nobody is; what UDP loses, nobody hears of.
    pub(super) async fn send(&self, message: &Message) -> Result<(), Unsent> {
        let line = line(message);
        let sending = async {
            match &self.0 {
                Place::Udp(host) => udp(host, &line).await,
                Place::Tcp(host) => framed(host.connect().await?, &line).await,
                Place::Tls(host) => {
                    let roots = self.1.as_ref().ok_or(Unsent::Certificate)?;
                    framed(host.connect().await?.encrypt(host, roots).await?, &line).await
                }
                Place::Unix(path) => unix(path, &line).await,
            }
        };
        timeout(ATTEMPT, sending).await.unwrap_or(Err(Unsent::Unreachable))
    }
}

fn place(address: &str, unencrypted: bool) -> Result<Place, BadSyslog> {
    let url = Url::parse(address).map_err(|_| BadSyslog::Address)?;
    let host = |port| Host::of(&url, port).ok_or(BadSyslog::Address);
    let place = match url.scheme() {
        "udp" => Place::Udp(host(514)?),
        "tcp" => Place::Tcp(host(601)?),
        "tls" => Place::Tls(host(6514)?),
        "unix" => {
            let path = address.strip_prefix("unix://").filter(|path| path.starts_with('/'));
            Place::Unix(path.ok_or(BadSyslog::Address)?.into())
        }
        _ => return Err(BadSyslog::Address),
    };
    match &place {
        Place::Udp(host) | Place::Tcp(host) if !unencrypted && !host.is_this_machine() => {
            Err(BadSyslog::NotEncrypted)
        }
        Place::Udp(_) | Place::Tcp(_) | Place::Tls(_) | Place::Unix(_) => Ok(place),
    }
}

/// A message of RFC 5424, without structured data: that needs a number that IANA gives. Everything in it is ASCII.
fn line(message: &Message) -> String {
    let priority = FACILITY * 8 + message.severity.min(7);
    let (time, process, name) = (&message.time, std::process::id(), &message.name);
    format!("<{priority}>1 {time} - lockgate {process} {name} - {}", message.json)
}

async fn udp(host: &Host, line: &str) -> Result<(), Unsent> {
    let found = tokio::net::lookup_host(host.pair()).await.map_err(|_| Unsent::Unreachable)?;
    for address in found {
        let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let Ok(socket) = UdpSocket::bind(any).await else { continue };
        if socket.connect(address).await.is_ok() && socket.send(line.as_bytes()).await.is_ok() {
            return Ok(());
        }
    }
    Err(Unsent::Unreachable)
}

/// RFC 6587, 3.4.1, and RFC 5425: the length first.
async fn framed(mut stream: Stream, line: &str) -> Result<(), Unsent> {
    let broken = |_| Unsent::Unreachable;
    stream.write_all(format!("{} {line}", line.len()).as_bytes()).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    stream.shutdown().await.map_err(broken)?;
    // A connection that was refused behind our back is reset now. Syslog itself confirms nothing.
    let mut rest = [0; 64];
    match timeout(GOODBYE, stream.read(&mut rest)).await {
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionReset => Err(Unsent::Unreachable),
        _ => Ok(()),
    }
}

/// As `syslog(3)` does it: datagrams, or a stream where the daemon wants one.
async fn unix(path: &PathBuf, line: &str) -> Result<(), Unsent> {
    let failed = |error: std::io::Error| Unsent::Io(error.kind());
    let socket = UnixDatagram::unbound().map_err(failed)?;
    if socket.connect(path).is_ok() {
        return socket.send(line.as_bytes()).await.map(drop).map_err(failed);
    }
    let mut stream = UnixStream::connect(path).await.map_err(failed)?;
    stream.write_all(format!("{line}\n").as_bytes()).await.map_err(failed)?;
    stream.shutdown().await.map_err(failed)
}
