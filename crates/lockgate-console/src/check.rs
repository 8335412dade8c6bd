//! What a request must be before anybody looks at what it asks.

use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, ORIGIN};

use crate::{Person, Refusal, Tokens};

/// How a request came in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Caller {
    /// On the Unix socket, from this user.
    Local(u32),
    /// On the loopback, from whatever runs on this machine.
    Loopback,
}

/// Host and Origin: a page in a browser must not reach the admin API by a name it controls. The Unix socket is held to
/// the same rule, since somebody may forward it to a port.
pub(crate) fn same_site<B>(request: &Request<B>) -> Result<(), Refusal> {
    // Two readers could take two of several names: the header given twice, or the authority of an absolute target.
    let host = single(request.headers(), &HOST).ok().flatten().ok_or(Refusal::HostNotAllowed)?;
    let target = request.uri().authority().map(hyper::http::uri::Authority::as_str);
    if !std::iter::once(host).chain(target).all(loopback) {
        return Err(Refusal::HostNotAllowed);
    }
    match single(request.headers(), &ORIGIN) {
        Ok(None) => Ok(()),
        Ok(Some(origin)) if same_origin(origin, host) => Ok(()),
        Ok(Some(_)) | Err(()) => Err(Refusal::OriginNotAllowed),
    }
}

/// Who asks.
pub(crate) fn person(headers: &HeaderMap, caller: Caller, tokens: &Tokens) -> Result<Person, Refusal> {
    let given = single(headers, &AUTHORIZATION).map_err(|()| Refusal::Unauthenticated)?;
    match (given, caller) {
        (Some(given), _) => {
            bearer(given).and_then(|token| tokens.owner(token)).ok_or(Refusal::Unauthenticated)
        }
        (None, Caller::Local(uid)) => Ok(Person::local(uid)),
        (None, Caller::Loopback) => Err(Refusal::Unauthenticated),
    }
}

/// Is the body said to be JSON? A page in a browser cannot say so without being asked first.
pub(crate) fn sends_json(headers: &HeaderMap) -> bool {
    let kind = single(headers, &CONTENT_TYPE).ok().flatten().unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Does a Host header name this machine's loopback? The port may be another: it may be forwarded.
fn loopback(host: &str) -> bool {
    let port = ["localhost", "127.0.0.1", "[::1]"].iter().find_map(|name| {
        let (start, rest) = host.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name).then_some(rest)
    });
    port.is_some_and(|port| {
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
    })
}

fn same_origin(origin: &str, host: &str) -> bool {
    origin.strip_prefix("http://").is_some_and(|origin| origin.eq_ignore_ascii_case(host))
}

/// A header that may come once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(());
    }
    value.to_str().map(|text| Some(text.trim())).map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn hosts_and_origins() {
        let host = |host| same_site(&request("/healthz", &[("host", host)]));
        for name in ["localhost", "LocalHost:80", "127.0.0.1:9090", "[::1]", "[::1]:65535"] {
            assert_eq!(host(name), Ok(()), "{name}");
        }
        for name in [
            "",
            "evil.example",
            "localhost.evil.example",
            "localhost:80:90",
            "localhost:",
            "localhost:65536",
            "127.0.0.1.evil.example",
            "127.0.0.2",
            "[::1",
            "[::1]x",
            "evil.example:80@localhost",
            "a@localhost",
        ] {
            assert_eq!(host(name), Err(Refusal::HostNotAllowed), "{name}");
        }
        let origin =
            |origin| same_site(&request("/healthz", &[("host", "localhost:8080"), ("origin", origin)]));
        assert_eq!(origin("http://localhost:8080"), Ok(()));
        for page in [
            "null",
            "http://localhost",
            "http://localhost:3000",
            "https://localhost:8080",
            "http://evil.example",
        ] {
            assert_eq!(origin(page), Err(Refusal::OriginNotAllowed), "{page}");
        }
    }

    #[test]
    fn a_request_has_one_host() {
        for (uri, hosts, outcome) in [
            ("http://localhost:80/healthz", &["localhost:80"][..], Ok(())),
            ("http://evil.example/healthz", &["localhost"], Err(Refusal::HostNotAllowed)),
            ("http://localhost@evil.example/healthz", &["localhost"], Err(Refusal::HostNotAllowed)),
            ("/healthz", &["localhost", "localhost"], Err(Refusal::HostNotAllowed)),
            ("/healthz", &[], Err(Refusal::HostNotAllowed)),
        ] {
            let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
            assert_eq!(same_site(&request(uri, &headers)), outcome, "{uri} {hosts:?}");
        }
    }

    #[test]
    fn who_asks() {
        let hash =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"t0ken").as_ref().try_into().unwrap();
        let tokens = Tokens::new(vec![("alice".to_owned(), hash)]).unwrap();
        let who = |caller, headers: &[(&str, &str)]| {
            let person = person(request("/", headers).headers(), caller, &tokens);
            person.map(|person| person.as_str().to_owned())
        };
        let (alice, nobody) = (Ok("alice".to_owned()), Err(Refusal::Unauthenticated));
        assert_eq!(who(Caller::Local(1000), &[]), Ok("local:1000".to_owned()));
        assert_eq!(who(Caller::Loopback, &[]), nobody);
        for caller in [Caller::Local(1000), Caller::Loopback] {
            assert_eq!(who(caller, &[("authorization", "Bearer t0ken")]), alice);
            assert_eq!(who(caller, &[("authorization", "bearer  t0ken ")]), alice);
            // A wrong token is not the same as none.
            for wrong in ["Bearer wrong", "Bearer", "Bearer ", "Basic t0ken", "t0ken", ""] {
                assert_eq!(who(caller, &[("authorization", wrong)]), nobody, "{wrong}");
            }
            let twice = [("authorization", "Bearer t0ken"), ("authorization", "Bearer t0ken")];
            assert_eq!(who(caller, &twice), nobody);
        }
    }
}
