//! One entry of a client's file: how a server is started or reached.

use crate::tree::{Member, Node, Trouble};
use crate::{Place, Secret};

/// A server as a client has it.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its name, as it stands there: text of the file.
    pub name: String,
    /// How it is started or reached.
    pub launch: Launch,
    /// Does the client use it?
    pub enabled: bool,
    /// What the client calls without asking.
    pub approves: Approves,
    /// Where its entry begins.
    pub place: Place,
    /// The keys to its section, as they stand there.
    pub section: Vec<String>,
    /// Why nobody but the client can start it; `None` where somebody can.
    pub bound: Option<&'static str>,
}

/// How a server is started or reached. Any text may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Launch {
    /// A program that speaks over its standard input and output.
    Command {
        /// The program and its arguments; at least one.
        words: Vec<Secret>,
        /// Variables of its environment.
        env: Vec<Variable>,
        /// Variables that it gets from the client's environment, by name.
        inherits: Vec<String>,
        /// The folder it starts in.
        cwd: Option<Secret>,
    },
    /// A server elsewhere.
    Remote {
        /// The address.
        url: Secret,
        /// How it is spoken to.
        wire: Wire,
        /// Headers.
        headers: Vec<Variable>,
        /// Headers whose value is a variable of the client's environment: the header, what stands before it, its name.
        inherits: Vec<(String, &'static str, String)>,
    },
    /// A part of the client.
    Builtin,
}

/// How a server elsewhere is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Streamable HTTP.
    Http,
    /// HTTP+SSE.
    Sse,
    /// Web sockets, which are not in the protocol.
    WebSocket,
}

/// A variable or a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Secret,
    /// Where the value stands.
    pub place: Place,
}

/// What a client calls without asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Approves {
    /// Nothing that is written there.
    #[default]
    Nothing,
    /// So many tools.
    Some(usize),
    /// Every tool.
    Everything,
}

/// Reads an entry. An error is the trouble of this entry alone.
///
/// `plain` is how an address is spoken to of which nothing says it.
pub(crate) fn server(
    text: &str,
    member: &Member,
    section: &[String],
    plain: Wire,
) -> Result<Server, Trouble> {
    let node = &member.node;
    let wrong = |why| Trouble::NotAServer(lockgate_model::Untrusted::new(&member.key).escaped(64), why);
    if !node.is_map() {
        return Err(wrong("it must be a section with `command` or `url`"));
    }
    let (launch, mut bound) = launch(text, node, plain).map_err(wrong)?;
    for (key, why) in [
        ("envFile", "its environment is in a file that the client reads"),
        ("headersHelper", "its headers come from a program that the client runs"),
        ("oauth", "the client signs in for it"),
    ] {
        bound = bound.or(node.get(key).filter(|value| !value.is_null()).map(|_| why));
    }
    let off = node.get("disabled").and_then(Node::bool) == Some(true)
        || node.get("enabled").and_then(Node::bool) == Some(false);
    Ok(Server {
        name: member.key.clone(),
        launch,
        enabled: !off,
        approves: approves(node),
        place: Place::of(text, member.key_span.start),
        section: section.to_vec(),
        bound,
    })
}

type Bound = Option<&'static str>;

fn launch(text: &str, node: &Node, plain: Wire) -> Result<(Launch, Bound), &'static str> {
    let kind = ["type", "transport", "transportType"].iter().find_map(|key| node.get(key)?.text());
    let kind = kind.unwrap_or_default().to_ascii_lowercase().replace(['_', '-'], "");
    let address = ["httpUrl", "url", "serverUrl", "uri"].iter().find_map(|key| Some((*key, node.get(key)?)));
    let program = node.get("command").or_else(|| node.get("cmd")).filter(|value| !value.is_null());
    if ["builtin", "platform", "frontend", "inlinepython"].contains(&kind.as_str()) {
        return Ok((Launch::Builtin, Some("it is a part of the client")));
    }
    let remote = !["", "stdio", "local"].contains(&kind.as_str());
    match (program, address) {
        (Some(program), None) => command(text, node, program).map(|launch| (launch, None)),
        (Some(program), Some(_)) if !remote => command(text, node, program).map(|launch| (launch, None)),
        (_, Some((key, address))) => {
            let url = address.text().filter(|url| !url.trim().is_empty()).ok_or("its address is no text")?;
            let wire = match kind.as_str() {
                "sse" => Wire::Sse,
                "ws" | "websocket" => Wire::WebSocket,
                "" if key != "httpUrl" && url.trim_end_matches('/').ends_with("/sse") => Wire::Sse,
                _ if url.starts_with("ws:") || url.starts_with("wss:") => Wire::WebSocket,
                "" if key == "url" => plain,
                _ => Wire::Http,
            };
            let bound = (wire == Wire::WebSocket).then_some("web sockets are not spoken here");
            let launch = Launch::Remote {
                url: Secret::new(url),
                wire,
                headers: ["headers", "http_headers"]
                    .iter()
                    .flat_map(|key| variables(text, node.get(key)))
                    .collect(),
                inherits: inherited_headers(node),
            };
            Ok((launch, bound))
        }
        (None, None) => Err("it has neither `command` nor `url`"),
    }
}

fn command(text: &str, node: &Node, program: &Node) -> Result<Launch, &'static str> {
    let mut words: Vec<Secret> = Vec::new();
    // Zed had a section, opencode has a list.
    let (first, inner) = match program.get("path") {
        Some(path) => (path, program),
        None => (program, node),
    };
    match first.text() {
        Some(word) => words.push(Secret::new(word)),
        None if first.elements().is_empty() => return Err("its `command` is no text"),
        None => words.extend(first.elements().iter().filter_map(Node::scalar).map(Secret::new)),
    }
    if let Some(arguments) = inner.get("args").filter(|value| !value.is_null()) {
        if let Some(one) = arguments.text() {
            words.push(Secret::new(one));
        } else {
            let read: Vec<String> = arguments.elements().iter().filter_map(Node::scalar).collect();
            if read.len() != arguments.elements().len() || arguments.is_map() || arguments.scalar().is_some()
            {
                return Err("its `args` must be a list of texts");
            }
            words.extend(read.into_iter().map(Secret::new));
        }
    }
    if words.first().is_none_or(|word| word.reveal().trim().is_empty()) {
        return Err("its `command` is empty");
    }
    let env = ["env", "environment", "envs"].iter();
    let env = env.flat_map(|key| variables(text, inner.get(key).or_else(|| node.get(key)))).collect();
    let inherits = ["env_vars", "env_keys"].iter().filter_map(|key| node.get(key));
    let inherits = inherits.flat_map(Node::elements).filter_map(Node::scalar).collect();
    let cwd = node.get("cwd").and_then(Node::text).filter(|cwd| !cwd.is_empty()).map(Secret::new);
    Ok(Launch::Command { words, env, inherits, cwd })
}

fn variables(text: &str, node: Option<&Node>) -> Vec<Variable> {
    let members = node.map(Node::members).unwrap_or_default().iter();
    let one = |member: &Member| {
        Some(Variable {
            name: member.key.clone(),
            value: Secret::new(member.node.scalar()?),
            place: Place::of(text, member.node.span.start),
        })
    };
    members.filter_map(one).collect()
}

fn inherited_headers(node: &Node) -> Vec<(String, &'static str, String)> {
    let bearer = node.get("bearer_token_env_var").and_then(Node::text);
    let bearer = bearer.map(|name| ("Authorization".to_owned(), "Bearer ", name.to_owned()));
    let named = node.get("env_http_headers").map(Node::members).unwrap_or_default().iter();
    let named = named.filter_map(|member| Some((member.key.clone(), "", member.node.text()?.to_owned())));
    bearer.into_iter().chain(named).collect()
}

fn approves(node: &Node) -> Approves {
    if node.get("trust").and_then(Node::bool) == Some(true) {
        return Approves::Everything;
    }
    for key in ["autoApprove", "alwaysAllow", "auto_approve", "autoApproved"] {
        let Some(value) = node.get(key) else { continue };
        if value.bool() == Some(true) || value.elements().iter().any(|item| item.text() == Some("*")) {
            return Approves::Everything;
        }
        if !value.elements().is_empty() {
            return Approves::Some(value.elements().len());
        }
    }
    Approves::Nothing
}
