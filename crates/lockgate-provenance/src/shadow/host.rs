//! Hosts that pass for others.

use super::name::is_slip;
use lockgate_detect::injection::rules::reading;

/// Words that go with a well-known name to make a host that looks as if it belonged to it.
const COMPANY: &[&str] = &[
    "api",
    "apis",
    "mcp",
    "login",
    "auth",
    "secure",
    "security",
    "app",
    "apps",
    "server",
    "www",
    "ai",
    "cloud",
    "oauth",
    "sso",
    "account",
    "accounts",
    "support",
    "dev",
    "developer",
    "official",
    "mail",
    "cdn",
    "static",
    "gateway",
    "connect",
];
/// Shorter names are in others by chance. Characters.
const SHORTEST: usize = 5;

/// How a host passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resemblance {
    /// It looks the same and is written with other characters.
    Look,
    /// It differs by one slip of a finger.
    Slip,
    /// The other one is a part of it, and it belongs to somebody else: `github.com.evil.io`.
    Part,
    /// The other one's name, with a word that suggests that it is theirs: `api-github.com`.
    Company,
}

/// Which host does this one pass for: one of `trusted`, else a well-known one? None for a trusted host itself and what is
/// below it. Hosts are names without port, in any case, international ones in either form. Linear in the hosts given.
pub fn resembles<'h>(
    host: &str,
    trusted: impl IntoIterator<Item = &'h str>,
) -> Option<(String, Resemblance)> {
    let known = include_str!("hosts.rules").lines().filter(|line| !line.starts_with('#'));
    let others: Vec<Host> = trusted.into_iter().chain(known).map(Host::of).collect();
    let host = Host::of(host);
    if host.labels.len() < 2 || host.is_address() || others.iter().any(|other| host.is_below(other)) {
        return None;
    }
    others.iter().find_map(|other| Some((other.labels.join("."), host.passes_for(other)?)))
}

/// A host, label by label, international ones decoded.
struct Host {
    labels: Vec<String>,
}

impl Host {
    fn of(text: &str) -> Self {
        let text = text.trim_end_matches('.').to_lowercase();
        let label =
            |label: &str| label.strip_prefix("xn--").and_then(decode).unwrap_or_else(|| label.to_owned());
        Self { labels: text.split('.').map(label).collect() }
    }

    fn is_address(&self) -> bool {
        self.labels.iter().all(|label| label.bytes().all(|b| b.is_ascii_digit() || b == b':' || b == b'['))
            || self.labels.iter().any(|label| label.contains(':'))
    }

    /// What somebody registered: two labels, three below `co.uk` and its like.
    fn registered(&self) -> &[String] {
        let count = match self.labels.as_slice() {
            [.., second, top]
                if top.len() == 2
                    && matches!(&**second, "co" | "com" | "org" | "net" | "ac" | "gov" | "edu") =>
            {
                3
            }
            _ => 2,
        };
        self.labels.get(self.labels.len().saturating_sub(count)..).unwrap_or_default()
    }

    /// The label that people know it by.
    fn brand(&self) -> &str {
        self.registered().first().map_or("", String::as_str)
    }

    fn is_below(&self, other: &Self) -> bool {
        self.registered() == other.registered() && other.labels.len() > 1
    }

    fn passes_for(&self, other: &Self) -> Option<Resemblance> {
        let (own, theirs) = (self.registered(), other.registered());
        if other.labels.len() < 2 || other.is_address() {
            return None;
        }
        if look(own) == look(theirs) {
            return Some(Resemblance::Look);
        }
        let (brand, known) = (self.brand(), other.brand());
        if self.labels.windows(theirs.len()).any(|part| part == theirs) {
            return Some(Resemblance::Part);
        }
        if known.chars().count() < SHORTEST {
            return None;
        }
        let top = |labels: &[String]| labels.get(1..).unwrap_or_default().join(".");
        if top(own) == top(theirs) && brand != known && is_slip(&pad(brand), &pad(known)) {
            return Some(Resemblance::Slip);
        }
        let brand = look(std::slice::from_ref(&brand.to_owned()));
        let known = look(std::slice::from_ref(&known.to_owned()));
        let rest = match brand.split_once(known.as_str()) {
            Some((before, after)) if brand != known => {
                (before.trim_end_matches('-'), after.trim_start_matches('-'))
            }
            _ => return None,
        };
        let word = |part: &str| part.is_empty() || part.split('-').all(|word| COMPANY.contains(&word));
        (word(rest.0) && word(rest.1)).then_some(Resemblance::Company)
    }
}

/// Hosts are compared whole, so that short ones are long enough for a slip.
fn pad(brand: &str) -> String {
    format!("{brand}--------")
}

fn look(labels: &[String]) -> String {
    let seen = reading(&labels.join(".")).to_lowercase();
    seen.replace('1', "l").replace('0', "o").replace("rn", "m").replace("vv", "w")
}

/// Punycode (RFC 3492) of one label. None where it is none.
fn decode(label: &str) -> Option<String> {
    const BASE: u32 = 36;
    let (mut out, digits): (Vec<char>, &str) = match label.rsplit_once('-') {
        Some((plain, digits)) => (plain.chars().collect(), digits),
        None => (Vec::new(), label),
    };
    let (mut code, mut at, mut bias) = (128_u32, 0_u32, 72_u32);
    let mut first = true;
    let mut digits = digits.chars();
    while !digits.as_str().is_empty() {
        let (before, mut weight, mut step) = (at, 1_u32, BASE);
        loop {
            let digit = digits.next()?;
            let value = if digit.is_ascii_digit() {
                u32::from(digit) - 22
            } else {
                digit.to_digit(36)?.checked_sub(10)?
            };
            at = at.checked_add(value.checked_mul(weight)?)?;
            let least = step.saturating_sub(bias).clamp(1, 26);
            if value < least {
                break;
            }
            weight = weight.checked_mul(BASE - least)?;
            step += BASE;
        }
        let count = u32::try_from(out.len()).ok()?.checked_add(1)?;
        bias = adapt(at - before, count, std::mem::take(&mut first));
        code = code.checked_add(at / count)?;
        at %= count;
        // 63 letters at most: the label of a host is no longer.
        if count > 63 {
            return None;
        }
        out.insert(usize::try_from(at).ok()?, char::from_u32(code)?);
        at += 1;
    }
    Some(out.into_iter().collect())
}

fn adapt(delta: u32, count: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / count;
    let mut bias = 0;
    while delta > 455 {
        delta /= 35;
        bias += 36;
    }
    bias + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_hosts_that_pass_for_others() {
        for (host, expected) in [
            ("github.com", None),
            ("api.github.com", None),
            ("uploads.github.com", None),
            ("GitHub.com.", None),
            ("githib.com", Some(("github.com", Resemblance::Slip))),
            ("guthub.com", Some(("github.com", Resemblance::Slip))),
            ("g\u{131}thub.com", Some(("github.com", Resemblance::Look))),
            ("xn--gthub-n4a.com", Some(("github.com", Resemblance::Look))),
            ("xn--80ak6aa92e.com", Some(("apple.com", Resemblance::Look))),
            ("github.com.evil.io", Some(("github.com", Resemblance::Part))),
            ("api-github.com", Some(("github.com", Resemblance::Company))),
            ("githubapi.com", Some(("github.com", Resemblance::Company))),
            ("mcp-stripe.com", Some(("stripe.com", Resemblance::Company))),
            ("mcp.exannple.com", None),
            ("tools.acme-corp.com", None),
            ("tools.acrne.com", Some(("acme.com", Resemblance::Look))),
            ("weather.gov", None),
            ("127.0.0.1", None),
            ("[::1]", None),
            ("localhost", None),
            ("bücher.example", None),
        ] {
            let trusted = ["mcp.acme.com", "apple.com", "localhost", "10.0.0.1"];
            let found = resembles(host, trusted);
            let of = |name: &str| {
                name.split('.')
                    .rev()
                    .take(2)
                    .collect::<Vec<_>>()
                    .into_iter()
                    .rev()
                    .collect::<Vec<_>>()
                    .join(".")
            };
            let found = found.map(|(name, how)| (of(&name), how));
            assert_eq!(found.as_ref().map(|(name, how)| (name.as_str(), *how)), expected, "{host}");
        }
    }

    #[test]
    fn decodes_punycode() {
        for (label, text) in [
            ("bcher-kva", "bücher"),
            ("80ak6aa92e", "аррӏе"),
            ("ls8h", "💩"),
            ("fsqu00a", "例子"),
            ("gthub-n4a", "gıthub"),
        ] {
            assert_eq!(decode(label).as_deref(), Some(text), "{label}");
        }
        for label in ["-", "a-\u{e9}", "99999999999", "zzzzzzzzzz", "!!"] {
            let _decoded = decode(label);
        }
    }
}
