//! Passwords in addresses: `scheme://user:password@host` (RFC 3986, 3.2.1).

use super::value::is_placeholder;
use super::{Secret, SecretClass, Sure};

/// Longest part of an address before its host. Bytes.
const USER: usize = 512;

/// Passwords of documentation.
const KNOWN: [&str; 22] = [
    "password",
    "passwd",
    "pass",
    "pwd",
    "secret",
    "token",
    "user",
    "username",
    "admin",
    "root",
    "postgres",
    "mysql",
    "guest",
    "test",
    "example",
    "changeme",
    "redacted",
    "key",
    "p",
    "pw",
    "pswd",
    "credentials",
];
/// Schemes of databases and queues.
const STORES: [&str; 16] = [
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "mongodb",
    "mongodb+srv",
    "redis",
    "rediss",
    "amqp",
    "amqps",
    "mssql",
    "sqlserver",
    "clickhouse",
    "cockroachdb",
    "oracle",
    "jdbc",
];

/// The password of the address whose `://` is here.
pub(super) fn read(text: &str, colon: usize) -> Option<Secret> {
    let before = text.get(..colon)?;
    let scheme = before.rsplit(|mark: char| !mark.is_ascii_alphanumeric() && !"+-.".contains(mark)).next()?;
    let start = colon + 3;
    let rest = text.get(start..text.ceil_char_boundary(start.saturating_add(USER)))?;
    let driver = scheme.split('+').next().unwrap_or_default();
    let store = STORES.contains(&scheme) || STORES.contains(&driver);
    // Who writes the address of a store by hand often leaves `#` and `?` in it as they are.
    let is_end = |mark: char| {
        mark.is_whitespace() || "/\"'`<>\\,(){}|".contains(mark) || !store && matches!(mark, '#' | '?')
    };
    let authority = rest.split(is_end).next()?;
    let (user, host) = authority.rsplit_once('@')?;
    let (name, password) = user.split_once(':')?;
    let lower = password.to_ascii_lowercase();
    let known = KNOWN.contains(&lower.as_str())
        || lower.strip_prefix("my").is_some_and(|word| KNOWN.contains(&word.trim_start_matches(['_', '-'])))
        || lower == name.to_ascii_lowercase();
    if host.is_empty() || password.len() < 3 || known || is_placeholder(password) {
        return None;
    }
    let (kind, class) = if store {
        ("url_connection", SecretClass::ConnectionString)
    } else {
        ("url_password", SecretClass::Password)
    };
    let at = start + name.len() + 1;
    Some(Secret { kind, class, span: at..at + password.len(), sure: Sure::Likely })
}
