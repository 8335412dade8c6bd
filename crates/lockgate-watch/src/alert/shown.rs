use std::fmt::Write;

use lockgate_model::{Principal, Reason, ServerName, SessionId, Verdict, quote};

use super::Alert;

/// Version of an alert's shape. Raised when a field changes its meaning; fields may be added without raising it.
const VERSION: u32 = 1;

impl Alert {
    /// The alert as one line of JSON in ASCII, without the line feed. `time` is RFC 3339 in UTC.
    pub fn to_json(&self, time: &str) -> String {
        let event = &self.event;
        let mut line = format!("{{\"v\":{VERSION}");
        let mut raw = |name: &str, value: &str| {
            let _written = write!(line, ",\"{name}\":{value}");
        };
        raw("id", &quote(&self.id));
        raw("time", &quote(time));
        raw("alert", &quote(event.name.word()));
        raw("severity", &quote(event.name.severity().word()));
        raw("meaning", &quote(event.name.meaning()));
        raw("remedy", &quote(event.name.remedy()));
        raw("alert_rule", &quote(&self.rule));
        raw("count", &self.count.to_string());
        for (name, count) in [("swallowed", self.swallowed), ("left_out", self.left_out)] {
            if count > 0 {
                raw(name, &count.to_string());
            }
        }
        for (name, text) in self.facts() {
            raw(name, &quote(text));
        }
        if !event.found.is_empty() {
            raw("found", &format!("[\"{}\"]", event.found.join("\",\"")));
        }
        if let Some(contain) = &self.contain {
            raw("contained", &quote(contain.target.0.word()));
            if let Some(until) = contain.until {
                raw("contained_until_unix_ms", &until.to_string());
            }
        }
        line.push('}');
        ascii(&line)
    }

    /// One line for people: ASCII, no markup of anybody's.
    pub fn subject(&self) -> String {
        let name = self.event.name;
        let mut line = format!("[{}] {}", name.severity().word(), name.word());
        let facts = self.facts();
        for wanted in ["server", "session", "principal"] {
            if let Some((_, text)) = facts.iter().find(|(name, _)| *name == wanted) {
                let _written = write!(line, " {wanted} {text}");
            }
        }
        plain(&line)
    }

    /// What people read: some lines of ASCII, each without markup of anybody's.
    pub fn text(&self, time: &str) -> String {
        let name = self.event.name;
        let mut lines = vec![
            format!("{} ({})", name.word(), name.severity().word()),
            name.meaning().to_owned(),
            format!("What to do: {}", name.remedy()),
            String::new(),
        ];
        lines.extend(self.facts().into_iter().map(|(name, text)| format!("{name}: {text}")));
        if !self.event.found.is_empty() {
            lines.push(format!("found: {}", self.event.found.join(", ")));
        }
        if self.count > 1 {
            lines.push(format!("count: {}", self.count));
        }
        if self.swallowed > 0 {
            lines.push(format!("since the last alert of this, untold: {}", self.swallowed));
        }
        if self.left_out > 0 {
            lines.push(format!("alerts left out before this one, by their number: {}", self.left_out));
        }
        if let Some(contain) = &self.contain {
            let how = if contain.until.is_some() { "for a time" } else { "until somebody lifts it" };
            lines.push(format!("stopped by this rule: the {}, {how}", contain.target.0.word()));
        }
        lines.push(format!("alert: {} of rule {} at {time}", self.id, self.rule));
        lines.iter().map(|line| plain(line)).collect::<Vec<_>>().join("\n")
    }

    fn facts(&self) -> Vec<(&'static str, &str)> {
        let event = &self.event;
        let facts = [
            ("server", event.server.as_ref().map(ServerName::as_str)),
            ("from", event.from.as_ref().map(ServerName::as_str)),
            ("target", event.target.as_deref()),
            ("session", event.session.as_ref().map(SessionId::as_str)),
            ("principal", event.principal.as_ref().map(Principal::as_str)),
            ("correlation", event.correlation.as_deref()),
            ("reason", event.reason.map(Reason::code)),
            ("rule", event.rule.as_deref()),
            ("verdict", event.verdict.map(Verdict::word)),
            ("note", event.note.as_deref()),
        ];
        facts.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
    }
}

/// JSON with everything outside ASCII escaped. It stands in strings only.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            let mut units = [0; 2];
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

/// A line that can neither move a cursor nor mean anything to a chat: what is not plain is a `?`.
fn plain(line: &str) -> String {
    let is_plain = |c: char| (' '..='~').contains(&c) && !matches!(c, '<' | '>' | '&');
    line.chars().map(|c| if is_plain(c) { c } else { '?' }).collect()
}
