//! Receipts: the record of a call gets the digest of what goes to the agent, and the message a place for what the shell
//! signs.

use std::ops::Range;

use bytes::Bytes;
use lockgate_audit::Receipt;
use lockgate_model::{Json, Kind, quote};
use lockgate_provenance::jcs_without;

use crate::{Core, Outlet, Release, Step, digest};

/// The key of a receipt in `_meta` of a result.
const KEY: &str = Receipt::KEY;

impl Core {
    /// Prepares the last of these steps' records and releases for a receipt: each pair that ends one request for something
    /// of a server. Reads what is released once more, and only where receipts are given.
    pub(crate) fn prepare_receipts(&self, begun: usize, steps: &mut [Step]) {
        if !self.boundary.receipts {
            return;
        }
        let mut last = None;
        for step in steps.iter_mut().skip(begun) {
            if let Step::Record(record) = step {
                if record.last && is_receipted(record.method) {
                    last = Some(record);
                }
            } else if let Step::Deliver(release) = step
                && let (Outlet::Exchange(exchange), true) = (release.to, release.last)
            {
                let record = last.take().filter(|record| record.correlation == self.correlation(exchange));
                let Some((record, (result, gap))) = record.zip(read(&release.message)) else { continue };
                record.result = Some(result);
                release.gap = Some(gap);
            }
        }
    }
}

impl Release {
    /// Is there a place for a receipt in it? It is for the record before it in the same steps.
    pub fn awaits_receipt(&self) -> bool {
        self.gap.is_some()
    }

    /// Puts a signed receipt in that place. Nothing where there is none.
    pub fn carry(&mut self, receipt: &str) {
        if let Some(gap) = self.gap.take() {
            self.message = gap.filled(&self.message, receipt);
        }
    }
}

/// Does a method bring something of a server, and its answer `_meta`?
fn is_receipted(method: Option<&str>) -> bool {
    matches!(method, Some("tools/call" | "prompts/get" | "resources/read" | "tasks/get" | "tasks/result"))
}

/// The digest of the result in a message, and where its receipt goes; none where the message is an error.
fn read(message: &[u8]) -> Option<(String, Gap)> {
    let result =
        Json::check(message, Receipt::DEPTH).ok()?.get("result").filter(|it| it.kind() == Kind::Object)?;
    Some((digest::hex(jcs_without("_meta", result).as_bytes()), Gap::find(message, result)?))
}

/// Where in a message a receipt goes.
#[derive(Debug)]
pub(crate) struct Gap {
    /// What it takes the place of.
    cut: Range<usize>,
    before: String,
    after: &'static str,
}

impl Gap {
    /// In `_meta` of the result. What a server has put there in its place is not a receipt of ours.
    fn find(message: &[u8], result: Json<'_>) -> Option<Self> {
        let instead = |value: Json<'_>, before: String, after| {
            Some(Self { cut: value.place_in(message)?, before, after })
        };
        let in_front = |object: Json<'_>, before: String, [alone, followed]: [&'static str; 2]| {
            let start = object.place_in(message)?.start + 1;
            let after = if object.members().next().is_some() { followed } else { alone };
            Some(Self { cut: start..start, before, after })
        };
        match result.get("_meta") {
            None => in_front(result, format!("\"_meta\":{{\"{KEY}\":"), ["}", "},"]),
            Some(meta) if meta.kind() != Kind::Object => instead(meta, format!("{{\"{KEY}\":"), "}"),
            Some(meta) => match meta.get(KEY) {
                Some(other) => instead(other, String::new(), ""),
                None => in_front(meta, format!("\"{KEY}\":"), ["", ","]),
            },
        }
    }

    /// The message with the receipt in it, as a JSON string.
    fn filled(&self, message: &[u8], receipt: &str) -> Bytes {
        let quoted = quote(receipt);
        let parts = [
            message.get(..self.cut.start).unwrap_or_default(),
            self.before.as_bytes(),
            quoted.as_bytes(),
            self.after.as_bytes(),
            message.get(self.cut.end..).unwrap_or_default(),
        ];
        parts.concat().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_goes_into_meta_and_changes_no_digest() {
        for (result, expected) in [
            (r"{}", r#"{"_meta":{"io.lockgate/receipt":"a\nb"}}"#),
            (r#"{ "content":[]}"#, r#"{"_meta":{"io.lockgate/receipt":"a\nb"}, "content":[]}"#),
            (r#"{"_meta":{},"x":1}"#, r#"{"_meta":{"io.lockgate/receipt":"a\nb"},"x":1}"#),
            (r#"{"x":1,"_meta":{"y":{}}}"#, r#"{"x":1,"_meta":{"io.lockgate/receipt":"a\nb","y":{}}}"#),
            (
                r#"{"_meta":{"z":1,"io.lockgate/receipt":["forged"]}}"#,
                r#"{"_meta":{"z":1,"io.lockgate/receipt":"a\nb"}}"#,
            ),
            (r#"{"_meta":7}"#, r#"{"_meta":{"io.lockgate/receipt":"a\nb"}}"#),
        ] {
            let message = |result: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
            let before = message(result);
            let (digest, gap) = read(before.as_bytes()).unwrap();
            let after = gap.filled(before.as_bytes(), "a\nb");
            assert_eq!(std::str::from_utf8(&after).unwrap(), message(expected));
            assert_eq!(read(&after).unwrap().0, digest, "{result}");
        }
        assert!(read(br#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}"#).is_none());
        // RFC 8785: 1.50 is 1.5, and what is first does not matter.
        let [one, other] = [r#"{"result":{"b":1.50,"a":"\u00e9"}}"#, r#"{"result":{"a":"é","b":1.5}}"#]
            .map(|text| read(text.as_bytes()).unwrap().0);
        assert_eq!(one, other);
        assert_eq!(one, digest::hex("{\"a\":\"é\",\"b\":1.5}".as_bytes()));
    }
}
