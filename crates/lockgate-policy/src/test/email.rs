use super::host::{Host, Hosts};
use super::{BadTest, Doubt, Truth};

const NOT_PLAIN: Doubt = Doubt("the text is not one plain mail address");

/// One plain mail address at one of these domains.
#[derive(Clone, Debug)]
pub(super) struct EmailTest {
    domains: Hosts,
}

impl EmailTest {
    pub(super) fn new(domains: &[String]) -> Result<Self, BadTest> {
        Ok(Self { domains: Hosts::for_operator("email", domains)? })
    }

    pub(super) fn ask(&self, text: &str) -> Truth {
        match read(text) {
            Some(domain) => self.domains.has(&domain).into(),
            None => Truth::Unclear(NOT_PLAIN),
        }
    }
}

/// The domain of a plain address. `%` and `!` before the `@` are routes to old mailers, `=?` begins a coded word that
/// may hold an `@`, and a leading `-` is an option to `sendmail`.
fn read(text: &str) -> Option<Host> {
    let (local, domain) = text.split_once('@')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'+' | b'-' | b'\'' | b'=');
    let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
    if !(1..=64).contains(&local.len()) || !local.bytes().all(plain) || dots || local.starts_with('-') {
        return None;
    }
    match Host::read(domain) {
        Ok(Host::Name(name)) if text.len() <= 254 => Some(Host::Name(name)),
        _ => None,
    }
}
