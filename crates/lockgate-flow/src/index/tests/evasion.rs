//! Ways to hide a value in a text that a call then uses plainly.

use super::{Way, index, source};

const VALUES: [&str; 6] = [
    "evil@example.com",
    "DE89370400440532013000",
    "https://evil.example.net/collect/data",
    "/etc/ssh/sshd_config.d/open",
    "Mallory Wintergreen",
    "4929123456781234",
];

type Hide = fn(&str) -> String;

fn each(value: &str, letter: impl Fn(char) -> String) -> String {
    value.chars().map(letter).collect()
}

fn between(value: &str, mark: &str) -> String {
    value.chars().map(String::from).collect::<Vec<_>>().join(mark)
}

fn base64(value: &[u8], url: bool, padded: bool) -> String {
    let mut digits: Vec<u8> = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').collect();
    digits.extend(if url { b"-_" } else { b"+/" });
    let mut out = String::new();
    for group in value.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, place| bits << 8 | u32::from(*group.get(place).unwrap_or(&0)));
        for place in 0..=group.len() {
            out.push(char::from(digits[(bits >> (18 - 6 * place) & 63) as usize]));
        }
        out.push_str(&"=".repeat(if padded { 3 - group.len() } else { 0 }));
    }
    out
}

fn base32(value: &[u8]) -> String {
    let bits = value.iter().map(|byte| format!("{byte:08b}")).collect::<Vec<_>>().concat();
    bits.as_bytes()
        .chunks(5)
        .map(|bits| {
            let padded = format!("{:0<5}", str::from_utf8(bits).unwrap());
            char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[usize::from_str_radix(&padded, 2).unwrap()])
        })
        .collect()
}

fn lines(text: &str, width: usize) -> String {
    text.as_bytes().chunks(width).map(|line| str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\n")
}

fn shift(letter: char, from: char, to: u32) -> char {
    char::from_u32(to + u32::from(letter) - u32::from(from)).unwrap()
}

fn mathematical(letter: char) -> String {
    match letter {
        'a'..='z' => shift(letter, 'a', 0x1d41a).to_string(),
        '0'..='9' => shift(letter, '0', 0x1d7ce).to_string(),
        _ => letter.to_string(),
    }
}

fn cyrillic(letter: char) -> String {
    const PAIRS: [(char, char); 12] = [
        ('a', 'а'),
        ('e', 'е'),
        ('o', 'о'),
        ('p', 'р'),
        ('c', 'с'),
        ('x', 'х'),
        ('i', 'і'),
        ('y', 'у'),
        ('s', 'ѕ'),
        ('M', 'М'),
        ('D', 'D'),
        ('E', 'Ε'),
    ];
    PAIRS.iter().find(|(latin, _)| *latin == letter).map_or(letter, |(_, other)| *other).to_string()
}

fn rot13(letter: char) -> String {
    let turn = |first: u8| char::from(first + (letter as u8 - first + 13) % 26);
    match letter {
        'a'..='z' => turn(b'a').to_string(),
        'A'..='Z' => turn(b'A').to_string(),
        _ => letter.to_string(),
    }
}

fn aloud(value: &str) -> String {
    value.replace('@', " at ").replace('.', " dot ").replace('/', " slash ").replace('_', " underscore ")
}

const HIDINGS: [(&str, Hide); 52] = [
    ("as it is", |value| value.to_owned()),
    ("upper case", str::to_uppercase),
    ("mixed case", |value| {
        value
            .char_indices()
            .map(|(place, letter)| if place % 2 == 0 { letter.to_ascii_uppercase() } else { letter })
            .collect()
    }),
    ("in quotes and brackets", |value| format!("<\"{value}\">.")),
    ("full width", |value| {
        each(value, |letter| {
            if letter.is_ascii_graphic() {
                shift(letter, '!', 0xff01).to_string()
            } else {
                letter.to_string()
            }
        })
    }),
    ("mathematical letters", |value| each(value, mathematical)),
    ("zero widths", |value| between(value, "\u{200b}")),
    ("joiners", |value| between(value, "\u{200d}")),
    ("soft hyphens", |value| between(value, "\u{ad}")),
    ("direction marks", |value| format!("\u{202d}{}\u{202c}", between(value, "\u{200e}"))),
    ("backwards under an override", |value| {
        format!("\u{202e}{}\u{202c}", value.chars().rev().collect::<String>())
    }),
    ("variation selectors between", |value| between(value, "\u{fe0f}")),
    ("tags between", |value| between(value, "\u{e0061}")),
    ("in tags", |value| each(value, |letter| shift(letter, '\0', 0xe_0000).to_string())),
    ("in variation selectors", |value| each(value, |letter| shift(letter, '\u{10}', 0xe_0100).to_string())),
    ("combining marks", |value| between(value, "\u{301}")),
    ("enclosing marks", |value| between(value, "\u{20dd}")),
    ("Cyrillic letters", |value| each(value, cyrillic)),
    ("spaced", |value| between(value, " ")),
    ("spaced with no-break spaces", |value| between(value, "\u{a0}")),
    ("dots between", |value| between(value, ".")),
    ("dashes between", |value| between(value, "-")),
    ("stars between", |value| between(value, "*")),
    ("one letter a line", |value| between(value, "\n")),
    ("groups of four", |value| {
        value.as_bytes().chunks(4).map(|group| str::from_utf8(group).unwrap()).collect::<Vec<_>>().join(" ")
    }),
    ("a tag of HTML within", |value| {
        value.split_at(value.len() / 2).0.to_owned() + "<b>" + value.split_at(value.len() / 2).1
    }),
    ("read out", aloud),
    ("read out in brackets", |value| value.replace('@', " (at) ").replace('.', " [dot] ")),
    ("defanged", |value| value.replace("http", "hxxp").replace('.', "[.]")),
    ("base64", |value| base64(value.as_bytes(), false, true)),
    ("base64 for addresses, not padded", |value| base64(value.as_bytes(), true, false)),
    ("base64 behind a word", |value| {
        format!("data:text/plain;base64,{}", base64(value.as_bytes(), false, true))
    }),
    ("base64 within a sentence", |value| base64(format!("send it to {value} today").as_bytes(), false, true)),
    ("base64 over lines", |value| lines(&base64(value.as_bytes(), false, true), 7)),
    ("base64 twice", |value| base64(base64(value.as_bytes(), false, true).as_bytes(), false, true)),
    ("base64 of hex", |value| {
        base64(each(value, |letter| format!("{:02x}", letter as u8)).as_bytes(), false, true)
    }),
    ("base32", |value| base32(value.as_bytes())),
    ("hex", |value| each(value, |letter| format!("{:02x}", letter as u8))),
    ("hex with 0x", |value| format!("0x{}", each(value, |letter| format!("{:02X}", letter as u8)))),
    ("hex with spaces", |value| each(value, |letter| format!("{:02x} ", letter as u8))),
    ("hex with 0x each", |value| each(value, |letter| format!("0x{:02x}, ", letter as u8))),
    ("hex with colons, in upper case", |value| {
        each(&value.to_uppercase(), |letter| format!("{:02X}:", letter as u8))
    }),
    ("decimal codes", |value| each(value, |letter| format!("{} ", letter as u8))),
    ("percent", |value| each(value, |letter| format!("%{:02x}", letter as u8))),
    ("percent for signs only", |value| value.replace('@', "%40").replace('/', "%2F").replace(' ', "%20")),
    ("percent twice", |value| each(value, |letter| format!("%25{:02x}", letter as u8))),
    ("quoted-printable", |value| each(value, |letter| format!("={:02X}", letter as u8))),
    ("entities of HTML", |value| each(value, |letter| format!("&#{};", letter as u32))),
    ("entities of HTML for signs only", |value| {
        value.replace('@', "&commat;").replace('.', "&period;").replace('/', "&#x2F;")
    }),
    ("escapes", |value| each(value, |letter| format!("\\u{:04x}", letter as u32))),
    ("backwards", |value| value.chars().rev().collect()),
    ("rot13", |value| each(value, rot13)),
];

#[test]
fn hidden_values_are_found() {
    let mut tried = 0;
    let mut missed = Vec::new();
    for (name, hide) in HIDINGS {
        for value in VALUES {
            for frame in ["", "Hello! Please note the following for later: "] {
                tried += 1;
                let mut index = index();
                index.prose(source(3, 1), &format!("{frame}{}", hide(value)));
                if index.find(value).prose.is_none() {
                    missed.push((name, value));
                }
            }
        }
    }
    eprintln!("{} of {tried} hidden values missed: {missed:?}", missed.len());
    assert!(missed.len() * 20 <= tried);
}

#[test]
fn pieces_are_found() {
    for value in VALUES {
        let middle = value.len() / 2;
        for cut in [middle - 1, middle, middle + 1] {
            let (first, second) = value.split_at(cut);
            let mut index = index();
            index.prose(
                source(3, 1),
                &format!("The first part is \"{first}\". Some more words. The second: \"{second}\"!"),
            );
            let one = index.find(value).prose;
            let mut index = super::index();
            index.prose(source(3, 1), &format!("Remember {first}"));
            index.prose(source(4, 2), &"Nothing of interest here. ".repeat(100));
            index.prose(source(5, 3), &format!("{second} comes next"));
            let two = index.find(value).prose;
            if cut == middle {
                assert_eq!(one.map(|sighting| sighting.way), Some(Way::Scattered), "{value}");
                assert_eq!(two.map(|sighting| sighting.way), Some(Way::Scattered), "{value}");
            }
        }
    }
}

#[test]
fn values_that_are_not_there_are_not_found() {
    let mut index = index();
    let text =
        "Dear team, the meeting on example topics is moved; see the notes, or write to office@corp.example.";
    index.prose(source(3, 1), &text.repeat(50));
    for value in VALUES {
        assert_eq!(index.find(value).prose, None, "{value}");
    }
}
