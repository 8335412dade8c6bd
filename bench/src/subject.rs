//! What is measured: each thing is started afresh, with a fresh server behind it, and stopped again.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::client::{Endpoint, Pipe};
use crate::process::Running;

const READY: Duration = Duration::from_secs(10);

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    Direct,
    Forward,
    Inspect,
    /// Lockgate in front of one server, at its own address.
    One,
    /// The same in the stateless revision.
    OneModern,
    /// Lockgate's endpoint for all servers, with one server behind it.
    All,
    /// The same with ten.
    Ten,
    DirectStdio,
    Wrap,
}

impl Subject {
    pub const ALL: [Self; 9] = [
        Self::Direct,
        Self::Forward,
        Self::Inspect,
        Self::One,
        Self::OneModern,
        Self::All,
        Self::Ten,
        Self::DirectStdio,
        Self::Wrap,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Forward => "floor forward",
            Self::Inspect => "floor inspect",
            Self::One => "lockgate /s/up/mcp",
            Self::OneModern => "lockgate, stateless",
            Self::All => "lockgate /mcp",
            Self::Ten => "lockgate /mcp, ten servers",
            Self::DirectStdio => "stdio, direct",
            Self::Wrap => "stdio, lockgate wrap",
        }
    }

    /// What it is compared with.
    pub fn yardstick(self) -> Self {
        match self {
            Self::DirectStdio | Self::Wrap => Self::DirectStdio,
            _ => Self::Inspect,
        }
    }

    /// Is it Lockgate?
    pub fn is_lockgate(self) -> bool {
        matches!(self, Self::One | Self::OneModern | Self::All | Self::Ten | Self::Wrap)
    }

    pub async fn start(self, lockgate: &Path) -> anyhow::Result<Started> {
        let own = std::env::current_exe()?.display().to_string();
        let command = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let lockgate = lockgate.display().to_string();
        match self {
            Self::DirectStdio => return Started::pipe(&command(&[&own, "upstream", "--stdio"]), false),
            Self::Wrap => {
                return Started::pipe(
                    &command(&[&lockgate, "wrap", "--", &own, "upstream", "--stdio"]),
                    true,
                );
            }
            _ => {}
        }
        let (up, at) = (free()?, free()?);
        let server = Running::start(&command(&[&own, "upstream", "--listen", &up.to_string()]))?;
        let mut started = Started {
            endpoint: http(up, "/mcp", false),
            running: vec![server],
            gateway: None,
            listening: None,
            folder: None,
        };
        listening(up, &mut started.running).await?;
        let begun = Instant::now();
        let path = match self {
            Self::Direct => return Ok(started),
            Self::Forward | Self::Inspect => {
                let mode = if self == Self::Forward { "forward" } else { "inspect" };
                let words =
                    [&own, "floor", "--mode", mode, "--listen", &at.to_string(), "--to", &up.to_string()];
                started.running.push(Running::start(&command(&words))?);
                "/mcp"
            }
            _ => {
                let names = if self == Self::Ten {
                    (0..10).map(|n| format!("up{n}")).collect()
                } else {
                    vec!["up".to_owned()]
                };
                let servers: String =
                    names.iter().map(|name| format!("  {name}: {{url: \"http://{up}/mcp\"}}\n")).collect();
                let folder = Folder::new(at.port())?;
                let file = folder.0.join("lockgate.yaml");
                fs::write(&file, format!("servers:\n{servers}"))?;
                started.folder = Some(folder);
                let words =
                    [&lockgate, "run", "-c", &file.display().to_string(), "--listen", &at.to_string()];
                started.running.push(Running::start(&command(&words))?);
                if matches!(self, Self::One | Self::OneModern) { "/s/up/mcp" } else { "/mcp" }
            }
        };
        listening(at, &mut started.running).await?;
        started.listening = Some(begun.elapsed());
        started.gateway = started.running.last().map(Running::pid);
        started.endpoint = http(at, path, self == Self::OneModern);
        Ok(started)
    }
}

fn http(address: SocketAddr, path: &str, modern: bool) -> Endpoint {
    Endpoint::Http { address, path: path.to_owned(), modern }
}

/// A subject that runs. It stops with this value.
pub struct Started {
    pub endpoint: Endpoint,
    /// The process whose time and memory are counted.
    pub gateway: Option<u32>,
    /// From its start until its port listened.
    pub listening: Option<Duration>,
    running: Vec<Running>,
    #[allow(dead_code, reason = "removed when dropped")]
    folder: Option<Folder>,
}

impl Started {
    fn pipe(command: &[String], counted: bool) -> anyhow::Result<Self> {
        let pipe = Pipe::start(command)?;
        let gateway = pipe.pid().filter(|_| counted);
        Ok(Self {
            endpoint: Endpoint::Pipe(pipe),
            gateway,
            listening: None,
            running: Vec::new(),
            folder: None,
        })
    }

    /// The other processes that take part.
    pub fn others(&self) -> Vec<u32> {
        self.running.iter().map(Running::pid).filter(|pid| Some(*pid) != self.gateway).collect()
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(port: u16) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("lockgate-bench-{}-{port}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is in the folder for such things.
        let _removed = fs::remove_dir_all(&self.0);
    }
}

fn free() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr())?)
}

async fn listening(address: SocketAddr, running: &mut [Running]) -> anyhow::Result<()> {
    let begun = Instant::now();
    while tokio::net::TcpStream::connect(address).await.is_err() {
        ensure!(!running.iter_mut().any(Running::has_ended), "a process ended at once");
        ensure!(begun.elapsed() < READY, "nothing listens on {address}");
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    Ok(())
}
