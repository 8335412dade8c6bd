//! Real servers that speak one era of MCP only, on pipes and over HTTP.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::peers::server;

/// The reference server of the conformance runs, which speaks both eras. Without it a test says `skipped:` and why, and
/// passes.
pub fn reference() -> Option<Vec<String>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = |folder: &Path| folder.join("shared/conformance/refserver.mjs");
    let found = here.ancestors().map(beside).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: there is no reference server beside the checkout");
    }
    Some(vec!["node".to_owned(), found?.to_string_lossy().into_owned()])
}

/// A command with further arguments.
pub fn with(command: &[String], more: &[&str]) -> Vec<String> {
    command.iter().cloned().chain(more.iter().map(|one| (*one).to_owned())).collect()
}

/// The command of a server on standard input and output, restricted to the `legacy` or the `modern` era.
pub fn only(era: &str, command: &[String]) -> Vec<String> {
    let restrict = ["node", &script("../xtask/one-era.mjs"), era, "stdio"].map(str::to_owned);
    restrict.into_iter().chain(command.iter().cloned()).collect()
}

/// A configuration with a server of each kind on a pipe: `every` of the handshake era, `ref` stateless, `git` of both.
pub fn of_all_eras(peers: &Path, reference: &[String], repository: &Path) -> Value {
    json!({ "servers": {
        "every": { "command": server(peers, "mcp-server-everything", &["stdio"]) },
        "ref": { "command": only("modern", &with(reference, &["--stdio"])) },
        "git": { "command": server(peers, "mcp-server-git", &["--repository", &repository.to_string_lossy()]) },
    } })
}

/// A file of this crate.
pub fn script(name: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name).to_string_lossy().into_owned()
}

/// A server on HTTP, ended when dropped.
pub struct Listening {
    child: Child,
    /// Where it is spoken to.
    pub url: String,
}

impl Listening {
    /// Starts a program of Node on a port that the system chooses, by the variable `PORT` or an argument of its own.
    pub fn start(command: &[String]) -> Self {
        let announce = format!("--import={}", script("peers/servers/announce.mjs"));
        let (program, arguments) = command.split_first().expect("a command");
        let mut command = Command::new(program);
        command.args(arguments).env("PORT", "0").env("NODE_OPTIONS", announce);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut lines = BufReader::new(child.stderr.take().expect("standard error")).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.strip_prefix("listens at ")?.to_owned()))
            .expect("it listens");
        // What else it says is read, so that it never waits for that.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { child, url: format!("{address}/mcp") }
    }

    /// The reference server's command over HTTP, or a proxy's before it, which restricts it to one era.
    pub fn only(era: &str, server: &Self) -> Self {
        let restrict = ["node", &script("../xtask/one-era.mjs"), era, "http", "0", &server.url];
        Self::start(&restrict.map(str::to_owned))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
