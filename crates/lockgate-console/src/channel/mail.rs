use std::fmt;
use std::time::Duration;

use tokio::time::timeout;
use url::Url;

use super::smtp::Smtp;
use super::wire::{Host, Roots};
use super::{BadRoots, Message, Unsent};

/// Longest time for one attempt.
const ATTEMPT: Duration = Duration::from_secs(30);
/// Most addresses a mail goes to.
const MOST: usize = 32;
/// Longest line of a mail. Bytes; RFC 5322, 2.1.1, allows 998.
const LINE: usize = 900;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A mail server, who sends and who receives. `Debug` shows nothing of it.
pub struct Mail {
    host: Host,
    implicit: bool,
    from: String,
    to: Vec<String>,
    login: Option<(String, String)>,
    roots: Roots,
}

/// Why a mail server cannot be used. Names the matter, never the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMail {
    /// It is not an address of a mail server.
    #[error("the server is not `smtps://` or `smtp://` with a host")]
    Server,
    /// A mailbox is not written as it is understood everywhere.
    #[error("a mail address is not of the form `name@example.com`, in ASCII without quotes")]
    Mailbox,
    /// Nobody to send to, or too many.
    #[error("there must be 1 to 32 mail addresses to send to")]
    Receivers,
    /// A user or password that cannot be sent.
    #[error("the user and the password must be without zero bytes")]
    Login,
    /// No certificates to check it by.
    #[error(transparent)]
    Roots(#[from] BadRoots),
}

impl Mail {
    /// A server at `smtps://HOST:465` (TLS from the start) or `smtp://HOST:587` (STARTTLS, which a server elsewhere must
    /// offer); the ports are the defaults. `login` is a user and a password, which are only sent encrypted.
    pub fn new(
        server: &str,
        from: &str,
        to: &[String],
        login: Option<(String, String)>,
    ) -> Result<Self, BadMail> {
        Self::with_roots(server, from, to, login, Roots::of_the_system()?)
    }

    pub(super) fn with_roots(
        server: &str,
        from: &str,
        to: &[String],
        login: Option<(String, String)>,
        roots: Roots,
    ) -> Result<Self, BadMail> {
        Self::check(server, from, to, login.as_ref().map(|(user, password)| (&**user, &**password)))?;
        let (host, implicit) = host(server)?;
        Ok(Self { host, implicit, from: from.to_owned(), to: to.to_vec(), login, roots })
    }

    /// Could this be used, apart from certificates? Reads nothing.
    pub fn check(
        server: &str,
        from: &str,
        to: &[String],
        login: Option<(&str, &str)>,
    ) -> Result<(), BadMail> {
        host(server)?;
        if !(1..=MOST).contains(&to.len()) {
            return Err(BadMail::Receivers);
        }
        if !is_mailbox(from) || !to.iter().all(|to| is_mailbox(to)) {
            return Err(BadMail::Mailbox);
        }
        if login.is_some_and(|(user, password)| user.contains('\0') || password.contains('\0')) {
            return Err(BadMail::Login);
        }
        Ok(())
    }

    pub(super) async fn send(&self, message: &Message) -> Result<(), Unsent> {
        timeout(ATTEMPT, self.hand_over(message)).await.unwrap_or(Err(Unsent::Unreachable))
    }

    async fn hand_over(&self, message: &Message) -> Result<(), Unsent> {
        let mut stream = self.host.connect().await?;
        if self.implicit {
            stream = stream.encrypt(&self.host, &self.roots).await?;
        }
        let mut smtp = Smtp::greet(stream).await?;
        if !smtp.is_encrypted() {
            smtp = smtp.encrypt(&self.host, &self.roots).await?;
        }
        if !smtp.is_encrypted() && (self.login.is_some() || !self.host.is_this_machine()) {
            return Err(Unsent::NotEncrypted);
        }
        if let Some((user, password)) = &self.login {
            smtp.log_in(user, password).await?;
        }
        let mail = self.write(message);
        smtp.hand_over(&self.from, &self.to, mail.iter().map(String::as_str)).await
    }

    /// The mail (RFC 5322), line by line. Everything in it is printable ASCII.
    fn write(&self, message: &Message) -> Vec<String> {
        let domain = self.from.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        let head = [
            format!("From: Lockgate <{}>", self.from),
            format!("To: {}", self.to.join(",\r\n ")),
            format!("Subject: {}", message.subject),
            format!("Date: {}", date(&message.time)),
            format!("Message-ID: <{}@{domain}>", message.id),
            "Auto-Submitted: auto-generated".to_owned(),
            "MIME-Version: 1.0".to_owned(),
            "Content-Type: text/plain; charset=us-ascii".to_owned(),
            String::new(),
        ];
        let lines = head.into_iter().chain(message.text.lines().map(str::to_owned));
        // The list of receivers is folded above and is long.
        lines.map(|line| if line.starts_with("To: ") { line } else { printable(&line) }).collect()
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").finish_non_exhaustive()
    }
}

/// Where a mail server is, and whether it is encrypted from the start.
fn host(server: &str) -> Result<(Host, bool), BadMail> {
    let url = Url::parse(server).map_err(|_| BadMail::Server)?;
    let implicit = match url.scheme() {
        "smtps" => true,
        "smtp" => false,
        _ => return Err(BadMail::Server),
    };
    let host = Host::of(&url, if implicit { 465 } else { 587 }).ok_or(BadMail::Server)?;
    Ok((host, implicit))
}

fn printable(line: &str) -> String {
    line.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).take(LINE).collect()
}

/// `2026-07-28T09:30:00.000000Z` as RFC 5322, 3.3, writes it: `28 Jul 2026 09:30:00 +0000`.
fn date(time: &str) -> String {
    let parts = || {
        let (day, clock) = time.split_once('T')?;
        let mut day = day.split('-');
        let (year, month, day) = (day.next()?, day.next()?.parse::<usize>().ok()?, day.next()?);
        let month = MONTHS.get(month.checked_sub(1)?)?;
        Some(format!("{day} {month} {year} {} +0000", clock.split(['.', 'Z']).next()?))
    };
    parts().unwrap_or_else(|| "01 Jan 1970 00:00:00 +0000".to_owned())
}

/// Is it `name@domain` of characters that mean nothing else anywhere, at most 254 of them?
fn is_mailbox(text: &str) -> bool {
    let local = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    let domain = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
    let dots = |part: &str| !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
    text.len() <= 254
        && text.split_once('@').is_some_and(|(name, host)| {
            (1..=64).contains(&name.len())
                && name.bytes().all(local)
                && dots(name)
                && !host.is_empty()
                && host.bytes().all(domain)
                && dots(host)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes() {
        for (text, is) in [
            ("ops@example.com", true),
            ("a.b+c@mail.example", true),
            ("a@b@c", false),
            ("ops@example.com\r\nBcc: x@y", false),
            ("<ops@example.com>", false),
            ("\"o p\"@example.com", false),
            ("ops@[127.0.0.1]", false),
            ("@example.com", false),
            ("ops@", false),
            (".ops@example.com", false),
            ("ops@example..com", false),
            ("ops", false),
        ] {
            assert_eq!(is_mailbox(text), is, "{text}");
        }
    }

    #[test]
    fn dates() {
        assert_eq!(date("2026-07-28T09:30:00.123456Z"), "28 Jul 2026 09:30:00 +0000");
        assert_eq!(date("2026-13-28T09:30:00Z"), "01 Jan 1970 00:00:00 +0000");
    }
}
