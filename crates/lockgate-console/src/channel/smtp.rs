//! As much of SMTP (RFC 5321) as it takes to hand a mail to a server of the operator's.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::Unsent;
use super::wire::{Host, Roots, Stream};

/// Longest line of a reply. Bytes; RFC 5321, 4.5.3.1.5, asks for 512.
const LINE: u64 = 2_048;
/// Most lines of a reply.
const LINES: usize = 64;

/// A conversation with a mail server.
pub(super) struct Smtp {
    stream: BufReader<Stream>,
    /// What the server said it can, in upper case.
    can: Vec<String>,
}

impl Smtp {
    /// Hears the greeting, and says who speaks.
    pub(super) async fn greet(stream: Stream) -> Result<Self, Unsent> {
        let mut smtp = Self { stream: BufReader::new(stream), can: Vec::new() };
        smtp.expect(220).await?;
        smtp.hello().await?;
        Ok(smtp)
    }

    async fn hello(&mut self) -> Result<(), Unsent> {
        let here = match self.stream.get_ref().local().ip() {
            std::net::IpAddr::V4(address) => format!("[{address}]"),
            std::net::IpAddr::V6(address) => format!("[IPv6:{address}]"),
        };
        self.say(&format!("EHLO {here}")).await?;
        self.can = self.expect(250).await?;
        Ok(())
    }

    /// Encrypts the connection (RFC 3207). Gives the conversation as it was where the server does not offer that.
    pub(super) async fn encrypt(mut self, host: &Host, roots: &Roots) -> Result<Self, Unsent> {
        if !self.can.iter().any(|can| can == "STARTTLS") {
            return Ok(self);
        }
        self.say("STARTTLS").await?;
        self.expect(220).await?;
        // What was said before the encryption must not count after it (CVE-2011-0411).
        if !self.stream.buffer().is_empty() {
            return Err(Unsent::Garbled);
        }
        let stream = self.stream.into_inner().encrypt(host, roots).await?;
        let mut smtp = Self { stream: BufReader::new(stream), can: Vec::new() };
        smtp.hello().await?;
        Ok(smtp)
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.stream.get_ref().is_encrypted()
    }

    /// Says who sends (RFC 4616). Only to be called on an encrypted connection.
    pub(super) async fn log_in(&mut self, user: &str, password: &str) -> Result<(), Unsent> {
        let offers = |can: &String| {
            can.strip_prefix("AUTH ").is_some_and(|ways| ways.split(' ').any(|way| way == "PLAIN"))
        };
        if !self.can.iter().any(offers) {
            return Err(Unsent::NoLogin);
        }
        let said = BASE64_STANDARD.encode(format!("\0{user}\0{password}"));
        self.say(&format!("AUTH PLAIN {said}")).await?;
        self.expect(235).await.map(drop)
    }

    /// Hands a mail over. `lines` are without line ends.
    pub(super) async fn hand_over<'l>(
        &mut self,
        from: &str,
        to: &[String],
        lines: impl Iterator<Item = &'l str>,
    ) -> Result<(), Unsent> {
        self.say(&format!("MAIL FROM:<{from}>")).await?;
        self.expect(250).await?;
        let mut refused = None;
        let mut taken = false;
        for address in to {
            self.say(&format!("RCPT TO:<{address}>")).await?;
            // RFC 5321, 4.2.3: it forwards, or will try.
            match self.reply().await? {
                (250..=252, _) => taken = true,
                (code, _) => refused = Some(Unsent::Answered(code)),
            }
        }
        // Better told to some than to nobody.
        if let Some(refused) = refused.filter(|_| !taken) {
            return Err(refused);
        }
        self.say("DATA").await?;
        self.expect(354).await?;
        let mut body = String::new();
        for line in lines {
            // RFC 5321, 4.5.2.
            if line.starts_with('.') {
                body.push('.');
            }
            body.push_str(line);
            body.push_str("\r\n");
        }
        body.push('.');
        self.say(&body).await?;
        self.expect(250).await?;
        // It has it. How it says goodbye changes nothing.
        let _said = self.say("QUIT").await;
        Ok(())
    }

    async fn say(&mut self, line: &str) -> Result<(), Unsent> {
        let sent = self.stream.write_all(format!("{line}\r\n").as_bytes()).await;
        sent.map_err(|_| Unsent::Unreachable)?;
        self.stream.flush().await.map_err(|_| Unsent::Unreachable)
    }

    /// Reads a whole reply that must have this code: what stands behind the code, line by line.
    async fn expect(&mut self, code: u16) -> Result<Vec<String>, Unsent> {
        let (found, said) = self.reply().await?;
        if found == code { Ok(said) } else { Err(Unsent::Answered(found)) }
    }

    async fn reply(&mut self) -> Result<(u16, Vec<String>), Unsent> {
        let mut said = Vec::new();
        let mut first = None;
        for _ in 0..LINES {
            let mut line = Vec::new();
            let read = (&mut self.stream).take(LINE).read_until(b'\n', &mut line).await;
            if read.map_err(|_| Unsent::Unreachable)? == 0 {
                return Err(Unsent::Unreachable);
            }
            let (code, last, text) = parts(&line).ok_or(Unsent::Garbled)?;
            if *first.get_or_insert(code) != code {
                return Err(Unsent::Garbled);
            }
            said.push(text);
            if last {
                return Ok((code, said));
            }
        }
        Err(Unsent::Garbled)
    }
}

/// The code of a line, whether it is the last, and the rest in upper case.
fn parts(line: &[u8]) -> Option<(u16, bool, String)> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let line = line.strip_suffix('\r').unwrap_or(line);
    let (code, rest) = line.split_at_checked(3)?;
    let digits = code.bytes().all(|b| b.is_ascii_digit());
    let code = code.parse().ok().filter(|code| digits && (200..600).contains(code))?;
    let (last, text) = match rest.split_at_checked(1) {
        None => (true, ""),
        Some((" ", text)) => (true, text),
        Some(("-", text)) => (false, text),
        Some(_) => return None,
    };
    Some((code, last, text.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_replies() {
        let read =
            |line: &str| parts(line.as_bytes()).map(|(code, last, text)| format!("{code} {last} {text}"));
        for (line, expected) in [
            ("220 hi\r\n", Some("220 true HI")),
            ("250-starttls\r\n", Some("250 false STARTTLS")),
            ("250\n", Some("250 true ")),
            ("250 é\r\n", Some("250 true é")),
            ("99 x\r\n", None),
            ("+20 x\r\n", None),
            ("250_x\r\n", None),
            ("700 x\r\n", None),
            ("250 no end", None),
            ("", None),
        ] {
            assert_eq!(read(line).as_deref(), expected, "{line:?}");
        }
    }
}
