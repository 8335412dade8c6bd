//! What a request must be before anybody looks at its message.

use hyper::Request;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, ORIGIN};
use lockgate_core::Headers;
use lockgate_model::{Principal, Reason, ServerName};
use sha2::{Digest, Sha256};

use super::{FrontSettings, Route};
use crate::http::{METHOD, NAME, VERSION, decoded};

/// Which trace the request belongs to. <https://www.w3.org/TR/trace-context/>
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The server or servers a path stands for, and the agent's run where it names one: `/c/<context>/…` says what the header
/// `Lockgate-Context` says, for clients that cannot set headers.
pub(super) fn route(path: &str) -> Option<(Route, Option<&str>)> {
    let (context, path) = match path.strip_prefix("/c/") {
        Some(rest) => {
            let (context, rest) = rest.split_at_checked(rest.find('/')?)?;
            (Some(context), rest)
        }
        None => (None, path),
    };
    let route = match path {
        "/mcp" => Route::All,
        _ => Route::One(ServerName::parse(path.strip_prefix("/s/")?.strip_suffix("/mcp")?)?),
    };
    context.is_none_or(names_run).then_some((route, context))
}

/// The agent's run, by what path and header say: they must not differ.
pub(super) fn context(path: Option<&str>, header: Option<String>) -> Result<Option<String>, Reason> {
    let usable = header.as_deref().is_none_or(names_run);
    let alike = path.is_none() || header.is_none() || path == header.as_deref();
    if !usable || !alike {
        return Err(Reason::HeaderMismatch);
    }
    Ok(header.or_else(|| path.map(str::to_owned)))
}

/// Is it 1 to 64 of `A-Z a-z 0-9 - _`?
fn names_run(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Host and Origin: a page in a browser must not reach a gateway on the loopback by a name it controls.
pub(super) fn same_site<B>(request: &Request<B>, settings: &FrontSettings) -> Result<(), Reason> {
    // Two readers could take two of several names: the header given twice, or the authority of an absolute target.
    let header = single(request.headers(), &HOST).map_err(|()| Reason::HostNotAllowed)?;
    let target = request.uri().authority().map(|authority| authority.as_str().to_owned());
    if header.is_none() && target.is_none() {
        return Err(Reason::HostNotAllowed);
    }
    for host in header.into_iter().chain(target) {
        let host = host_name(&host).ok_or(Reason::HostNotAllowed)?;
        if !named_here(&host, settings) {
            return Err(Reason::HostNotAllowed);
        }
    }
    let mut origins = request.headers().get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    let origin = origin.to_str().map_err(|_| Reason::OriginNotAllowed)?;
    if origins.next().is_some() {
        return Err(Reason::OriginNotAllowed);
    }
    if settings.allowed_origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
        return Ok(());
    }
    let page = url::Url::parse(origin).map_err(|_| Reason::OriginNotAllowed)?;
    let local = matches!(page.scheme(), "http" | "https")
        && page.host_str().is_some_and(|host| loopback(host.trim_matches(['[', ']'])));
    if local && settings.listens_on.is_loopback() { Ok(()) } else { Err(Reason::OriginNotAllowed) }
}

/// May Lockgate be called by this name?
fn named_here(host: &str, settings: &FrontSettings) -> bool {
    let listens_on = settings.listens_on;
    let own = host == listens_on.to_string();
    let local = loopback(host) && (listens_on.is_loopback() || listens_on.is_unspecified());
    own || local || settings.allowed_hosts.iter().any(|name| name.eq_ignore_ascii_case(host))
}

/// The name in a Host header, without port and brackets.
fn host_name(host: &str) -> Option<String> {
    let host = host.trim();
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => host.find(':').map_or((host, ""), |at| host.split_at(at)),
    };
    let port_ok = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    (port_ok && !name.is_empty()).then(|| name.to_ascii_lowercase())
}

fn loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1")
}

/// Who the request comes from.
pub(super) fn principal(headers: &HeaderMap, settings: &FrontSettings) -> Result<Principal, Reason> {
    if settings.tokens.is_empty() {
        return Ok(Principal::new("local"));
    }
    let given = single(headers, &AUTHORIZATION).ok().flatten();
    let token = given.as_deref().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    let digest: [u8; 32] = Sha256::digest(token.as_deref().unwrap_or_default().as_bytes()).into();
    let mut found = None;
    // Every token is compared in full: the time tells nothing of which one is near.
    for (principal, known) in &settings.tokens {
        let differs = known.iter().zip(digest).fold(0, |differs, (a, b)| differs | (a ^ b));
        if differs == 0 {
            found = Some(principal.clone());
        }
    }
    found.filter(|_| token.is_some()).ok_or(Reason::Unauthenticated)
}

/// Is the body said to be JSON?
pub(super) fn sends_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Does the agent take this type?
pub(super) fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let family = kind.split('/').next().unwrap_or_default();
    let all = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(',')).any(|entry| {
        let entry = entry.split(';').next().unwrap_or_default().trim();
        let of_family = |entry: &str| entry.eq_ignore_ascii_case(family);
        entry.eq_ignore_ascii_case(kind) || entry == "*/*" || entry.strip_suffix("/*").is_some_and(of_family)
    })
}

/// The headers that repeat what the message says.
pub(super) fn mcp_headers(headers: &HeaderMap) -> Headers {
    let mut said = Headers::default();
    let mut take = |name: &HeaderName| {
        let mut values = headers.get_all(name).iter();
        let text = decoded(values.next()?).filter(|_| values.next().is_none());
        said.broken |= text.is_none();
        text
    };
    let version = take(&VERSION);
    let method = take(&METHOD);
    let name = take(&NAME);
    let mut parameters = Vec::new();
    for key in headers.keys() {
        if let Some(parameter) = key.as_str().strip_prefix("mcp-param-")
            && let Some(value) = take(key)
        {
            parameters.push((parameter.to_owned(), value));
        }
    }
    let traceparent = single(headers, &TRACEPARENT).ok().flatten();
    Headers { version, method, name, parameters, traceparent, ..said }
}

/// A header that may come once.
pub(super) fn single(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, ()> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(());
    }
    value.to_str().map(|text| Some(text.trim().to_owned())).map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;
    use std::time::Duration;

    fn settings() -> FrontSettings {
        FrontSettings {
            listens_on: IpAddr::from([127, 0, 0, 1]),
            allowed_hosts: vec!["gate.example".to_owned()],
            allowed_origins: vec!["https://app.example".to_owned()],
            tokens: Vec::new(),
            request_bytes: 100,
            patience: Duration::from_secs(1),
            connections: 10,
        }
    }

    fn request(headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().uri("/mcp");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn hosts_and_origins() {
        for (host, origin, outcome) in [
            ("localhost:8080", None, Ok(())),
            ("127.0.0.1", Some("http://localhost:3000"), Ok(())),
            ("[::1]:80", Some("http://[::1]:9"), Ok(())),
            ("gate.example", Some("https://app.example"), Ok(())),
            ("evil.example", None, Err(Reason::HostNotAllowed)),
            ("localhost.evil.example", None, Err(Reason::HostNotAllowed)),
            ("localhost:80:90", None, Err(Reason::HostNotAllowed)),
            ("", None, Err(Reason::HostNotAllowed)),
            ("localhost", Some("http://evil.example"), Err(Reason::OriginNotAllowed)),
            ("localhost", Some("null"), Err(Reason::OriginNotAllowed)),
            ("localhost", Some("http://localhost.evil.example"), Err(Reason::OriginNotAllowed)),
            ("localhost", Some("file:///localhost"), Err(Reason::OriginNotAllowed)),
            ("localhost", Some("https://app.example:444"), Err(Reason::OriginNotAllowed)),
        ] {
            let mut headers = vec![("host", host)];
            headers.extend(origin.map(|origin| ("origin", origin)));
            assert_eq!(same_site(&request(&headers), &settings()), outcome, "{host} {origin:?}");
        }
    }

    #[test]
    fn a_request_has_one_host() {
        let outcome = |uri: &str, hosts: &[&str]| {
            let mut request = Request::builder().uri(uri);
            for host in hosts {
                request = request.header("host", *host);
            }
            same_site(&request.body(()).unwrap(), &settings())
        };
        assert_eq!(outcome("http://localhost:80/mcp", &["localhost:80"]), Ok(()));
        assert_eq!(outcome("http://localhost/mcp", &[]), Ok(()));
        for (uri, hosts) in [
            ("/mcp", &[][..]),
            ("/mcp", &["localhost", "localhost"]),
            ("/mcp", &["localhost", "evil.example"]),
            ("http://evil.example/mcp", &["localhost"]),
            ("http://localhost/mcp", &["evil.example"]),
            ("http://localhost@evil.example/mcp", &["localhost"]),
        ] {
            assert_eq!(outcome(uri, hosts), Err(Reason::HostNotAllowed), "{uri} {hosts:?}");
        }
    }

    #[test]
    fn the_address_listened_on_is_a_host() {
        for (listens_on, host, outcome) in [
            ("127.0.0.2", "127.0.0.2:80", true),
            ("127.0.0.2", "localhost", true),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "localhost", false),
            ("2001:db8::1", "[2001:DB8::1]:80", true),
            ("0.0.0.0", "localhost", true),
            ("0.0.0.0", "192.0.2.1", false),
            ("0.0.0.0", "gate.example", true),
        ] {
            let settings = FrontSettings { listens_on: listens_on.parse().unwrap(), ..settings() };
            let allowed = same_site(&request(&[("host", host)]), &settings).is_ok();
            assert_eq!(allowed, outcome, "{host} on {listens_on}");
        }
    }

    #[test]
    fn tokens_name_principals() {
        let mut settings = settings();
        settings.tokens = vec![(Principal::new("alice"), Sha256::digest(b"secret-of-alice").into())];
        for (header, outcome) in [
            (Some("Bearer secret-of-alice"), Some("alice")),
            (Some("bearer   secret-of-alice"), Some("alice")),
            (Some("Bearer secret-of-bob"), None),
            (Some("Basic secret-of-alice"), None),
            (Some("Bearer"), None),
            (None, None),
        ] {
            let headers: Vec<_> = header.map(|header| ("authorization", header)).into_iter().collect();
            let found = principal(request(&headers).headers(), &settings).ok();
            assert_eq!(found.as_ref().map(Principal::as_str), outcome, "{header:?}");
        }
    }

    #[test]
    fn paths_types_and_repeated_headers() {
        let db = || Route::One(ServerName::parse("db").unwrap());
        let long = |letters: usize| format!("/c/{}/mcp", "x".repeat(letters));
        assert_eq!(route("/mcp"), Some((Route::All, None)));
        assert_eq!(route("/s/db/mcp"), Some((db(), None)));
        assert_eq!(route("/c/run-7_A/mcp"), Some((Route::All, Some("run-7_A"))));
        assert_eq!(route("/c/s/s/db/mcp"), Some((db(), Some("s"))));
        assert!(route(&long(64)).is_some());
        for path in [
            "/",
            "/mcp/",
            "/s//mcp",
            "/s/DB/mcp",
            "/s/db",
            "/s/a/b/mcp",
            "/s/..%2f/mcp",
            "/c//mcp",
            "/c/run",
            "/c/run/",
            "/c/a.b/mcp",
            "/c/a%20b/mcp",
            "/c/a/c/b/mcp",
            "/s/db/c/run/mcp",
            &long(65),
        ] {
            assert_eq!(route(path), None, "{path}");
        }
        for (path, header, outcome) in [
            (None, None, Ok(None)),
            (Some("a"), None, Ok(Some("a"))),
            (None, Some("a"), Ok(Some("a"))),
            (Some("a"), Some("a"), Ok(Some("a"))),
            (Some("a"), Some("b"), Err(Reason::HeaderMismatch)),
            (Some("a"), Some("A"), Err(Reason::HeaderMismatch)),
            (None, Some("a b"), Err(Reason::HeaderMismatch)),
            (None, Some(""), Err(Reason::HeaderMismatch)),
        ] {
            let found = context(path, header.map(str::to_owned));
            assert_eq!(found, outcome.map(|outcome| outcome.map(str::to_owned)), "{path:?} {header:?}");
        }
        let both = request(&[("accept", "application/json;q=0, text/event-stream")]);
        assert!(accepts(both.headers(), "application/json") && accepts(both.headers(), "text/event-stream"));
        assert!(!accepts(request(&[("accept", "application/json")]).headers(), "text/event-stream"));
        assert!(accepts(request(&[("accept", "*/*")]).headers(), "text/event-stream"));
        let twice = request(&[("mcp-method", "a"), ("mcp-method", "b")]);
        assert!(mcp_headers(twice.headers()).broken);
        let coded =
            mcp_headers(request(&[("mcp-name", "=?base64?w6Q=?="), ("mcp-param-x", " 1 ")]).headers());
        assert_eq!((coded.name.as_deref(), coded.broken), (Some("ä"), false));
        assert_eq!(coded.parameters, [("x".to_owned(), "1".to_owned())]);
        assert!(mcp_headers(request(&[("mcp-name", "=?base64?*?=")]).headers()).broken);
    }
}
