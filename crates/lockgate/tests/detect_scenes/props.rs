//! What is on the stage: pictures, credentials, pages. No credential stands in this repository as a whole.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde::Deserialize;
use serde_json::json;
use testkit::hostile::Upstream;

/// A file in the folder that a server serves.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Given {
    /// Its text.
    Text(String),
    /// A picture of one dot, with a comment in it and something behind its end.
    Picture {
        picture: Picture,
        #[serde(default)]
        comment: String,
        #[serde(default)]
        behind: String,
    },
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Picture {
    Png,
    Jpeg,
}

impl Given {
    /// Its bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => fill(text).into_bytes(),
            Self::Picture { picture: Picture::Png, comment, behind } => png(comment, behind),
            Self::Picture { picture: Picture::Jpeg, comment, behind } => jpeg(comment, behind),
        }
    }
}

/// The comment is a `tEXt` chunk. No reader here checks the sums.
fn png(comment: &str, behind: &str) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8], data: &[u8]| {
        out.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        out.extend([kind, data, &[1, 2, 3, 4]].concat());
    };
    chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
    if !comment.is_empty() {
        chunk(b"tEXt", format!("Comment\0{comment}").as_bytes());
    }
    chunk(b"IDAT", b"\x78\x9c\x63\x60\0\0\0\x02\0\x01");
    chunk(b"IEND", b"");
    out.extend(behind.as_bytes());
    out
}

/// The comment is the user's, in EXIF.
fn jpeg(comment: &str, behind: &str) -> Vec<u8> {
    let mut out = b"\xff\xd8".to_vec();
    let mut segment = |marker: u8, data: &[u8]| {
        out.extend([0xff, marker]);
        out.extend(u16::try_from(data.len() + 2).unwrap().to_be_bytes());
        out.extend(data);
    };
    segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    if !comment.is_empty() {
        let length = u32::try_from(comment.len() + 8).unwrap().to_be_bytes();
        let field = [b"\0\x01\x92\x86\0\x07", &length[..], b"\0\0\0\x1a\0\0\0\0ASCII\0\0\0"].concat();
        segment(0xe1, &[b"Exif\0\0MM\0\x2a\0\0\0\x08", &field[..], comment.as_bytes()].concat());
    }
    segment(0xda, &[1, 1, 0, 0, 63, 0]);
    out.extend(b"pixels\xff\xd9");
    out.extend(behind.as_bytes());
    out
}

/// The credentials that stand in the scenes as `$KEY`, `$OTHER_KEY`, `$JWT` and `$PEM`, none of which opens anything.
pub(crate) fn credentials() -> [(&'static str, String); 4] {
    let part = |value: serde_json::Value| BASE64.encode(value.to_string());
    let signature = BASE64.encode(*b"d8Qk2Lr0Zp5Vt9Xw3Nc7Hs1Jf6Gb4MyA");
    let jwt =
        [part(json!({ "alg": "HS256", "typ": "JWT" })), part(json!({ "sub": "ann", "exp": 1_900_000_000 }))];
    let lines =
        ["MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg", "kQ3vT8xZ1nB6rL0pW5yH2cJ9sD4fG7mKuE"].join("\n");
    let edge = |word: &str| format!("-----{word} PRIVATE{}-----", " KEY");
    [
        ("$OTHER_KEY", format!("glpat{}7Yw2Rk5Zq9mLx4BtVn8c", "-")),
        ("$KEY", format!("glpat{}3Tr4kZq9wLmX2bVn5c6H", "-")),
        ("$JWT", format!("{}.{}.{signature}", jwt[0], jwt[1])),
        ("$PEM", format!("{}\n{lines}\n{}\n", edge("BEGIN"), edge("END"))),
    ]
}

/// A text with the credentials in it.
pub(crate) fn fill(text: &str) -> String {
    credentials().iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// A web on this machine.
pub(crate) struct Web {
    /// `http://127.0.0.1:PORT`
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Web {
    /// One with these pages, which are HTML where they begin so and plain text otherwise.
    pub(crate) fn with(pages: BTreeMap<String, String>) -> Self {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&asked);
        let upstream = Upstream::start(move |heard, stream| {
            kept.lock().unwrap().push(heard.path.clone());
            let page = pages.get(heard.path.split('?').next().unwrap_or_default());
            let (status, page) = page.map_or(("404 Not Found", ""), |page| ("200 OK", page));
            let (kind, length) = (if page.starts_with('<') { "html" } else { "plain" }, page.len());
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Length: {length}\r\n\r\n{page}"
            );
            stream.write_all(answer.as_bytes()).is_ok()
        });
        Self { address: format!("http://{}", upstream.address), asked }
    }

    /// What it was asked for, sorted.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort();
        asked
    }
}
