//! `lockgate turn`: a host's hook tells the gateway what its user has written.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use lockgate_console::{SIGNATURE, Signer, TIMESTAMP};
use serde_json::{Value, json};

use crate::config::{Config, Process, Surroundings};

/// Most that is read of what the host says. Bytes.
const HOOK: u64 = 1 << 20;
/// Longest wait for the gateway: the user waits too.
const PATIENCE: Duration = Duration::from_secs(2);
/// Holds the principal's token.
const TOKEN: &str = "LOCKGATE_TOKEN";

/// Which turn, and where it goes.
#[derive(Args)]
#[command(after_help = "\
One hook line, for hosts whose hook gives {\"prompt\": …} on standard input when the user has written something:

  lockgate turn --context NAME --config /path/to/lockgate.yaml

NAME is what the client sends as `Lockgate-Context`. The configuration names the key: `flow: { hook: { key: \"${KEY}\" } }`. Where it \
has principals, `$LOCKGATE_TOKEN` holds the token that the agent uses. Nothing is printed when all went well; a turn that \
could not be told is one that endorses nothing, and the exit code is 1.")]
pub(crate) struct Options {
    /// The configuration that the gateway runs with
    #[arg(short, long, value_name = "FILE", default_value = "lockgate.yaml")]
    config: PathBuf,
    /// The agent's run, as its client names it in `Lockgate-Context`
    #[arg(long, value_name = "NAME", required_unless_present = "session")]
    context: Option<String>,
    /// A session of the handshake era, by its `Mcp-Session-Id`
    #[arg(long, value_name = "ID", conflicts_with = "context")]
    session: Option<String>,
    /// Where the gateway listens, where that is not what the configuration says
    #[arg(long, value_name = "ADDRESS:PORT")]
    to: Option<SocketAddr>,
}

/// Tells the turn on standard input. An error says what went wrong, without a word of the turn.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let mut hook = Vec::new();
    let read = std::io::stdin().lock().take(HOOK + 1).read_to_end(&mut hook);
    read.map_err(|error| format!("standard input cannot be read: {error}"))?;
    let config = Config::load(&options.config, &Process).map_err(|errors| errors.to_string())?;
    let key = config.hook.as_ref().ok_or_else(|| {
        let file = options.config.display();
        format!("{file} has no `flow.hook`\n  hint: write `flow: {{ hook: {{ key: \"${{NAME}}\" }} }}`")
    })?;
    let signer = Signer::new(key.reveal().as_bytes()).ok_or("the key of the hook is too short")?;
    let nonce = lockgate_transport::unguessable().ok_or("the system gives no randomness")?;
    let body = body(&hook, options, &nonce)?;
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let address = reachable(options.to.unwrap_or(config.listen));
    let token = Process.variable(TOKEN).filter(|token| !token.is_empty());
    let request = request(address, token.as_deref(), seconds, &signer.sign(seconds, body.as_bytes()), &body)?;
    match send(address, &request)
        .map_err(|error| format!("the gateway at {address} cannot be told: {error}"))?
    {
        204 => Ok(()),
        401 => Err(format!(
            "the gateway at {address} does not take the turn\n  hint: it must have the same `flow.hook.key`; with principals, `${TOKEN}` must hold a token"
        )),
        404 => Err(format!(
            "the gateway at {address} takes no turns, or has no such session\n  hint: it reads `flow.hook` when it starts"
        )),
        413 => Err("the turn is longer than 64 KiB".to_owned()),
        status => Err(format!("the gateway at {address} does not take the turn (status {status})")),
    }
}

/// What is sent for what the host says.
fn body(hook: &[u8], options: &Options, nonce: &str) -> Result<String, String> {
    let hook: Value = serde_json::from_slice(hook).map_err(|_| "standard input is not one JSON object")?;
    let text = hook.get("prompt").and_then(Value::as_str).filter(|text| !text.is_empty());
    let text = text.ok_or("standard input has no text `prompt`")?;
    let mut body = json!({ "text": text, "nonce": nonce });
    let (key, whose) = match (&options.session, &options.context) {
        (Some(session), _) => ("session", session),
        (None, Some(context)) => ("context", context),
        (None, None) => return Err("name the run with `--context`".to_owned()),
    };
    if let Value::Object(members) = &mut body {
        members.insert(key.to_owned(), json!(whose));
    }
    Ok(body.to_string())
}

/// A gateway that listens everywhere is reached on this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = if address.ip().is_unspecified() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { address.ip() };
    SocketAddr::new(ip, address.port())
}

fn request(
    address: SocketAddr,
    token: Option<&str>,
    seconds: u64,
    signature: &str,
    body: &str,
) -> Result<String, String> {
    let token = match token {
        Some(token) if token.bytes().all(|b| b.is_ascii_graphic()) => {
            format!("Authorization: Bearer {token}\r\n")
        }
        Some(_) => return Err(format!("`${TOKEN}` holds no token")),
        None => String::new(),
    };
    let length = body.len();
    Ok(format!(
        "POST /lockgate/user-turn HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n{TIMESTAMP}: {seconds}\r\n{SIGNATURE}: {signature}\r\n{token}\r\n{body}"
    ))
}

/// Sends a request and reads the status of its answer.
fn send(address: SocketAddr, request: &str) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(1 << 10).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    status.ok_or_else(|| std::io::Error::other("it does not speak HTTP"))
}
