//! How many secrets are found, and how much that is none is taken for one. The texts are made, so that none stands here.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]

mod benign;
mod make;
#[path = "../others/mod.rs"]
mod others;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::LazyLock;

use lockgate_detect::secrets::{MOST, Secret, SecretClass, Secrets, Sure};
use lockgate_detect::{MARK, redact};
use proptest::prelude::*;

use self::make::Maker;

static SECRETS: LazyLock<Secrets> = LazyLock::new(Secrets::new);

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with("# ") && !line.is_empty())
}

/// A text, the kind of the secret in it and where that is.
struct Case {
    kind: String,
    text: String,
    span: Range<usize>,
}

/// Every format in three surroundings, or in its own, three times.
fn cases(seed: u64) -> Vec<Case> {
    let contexts: Vec<_> = lines(include_str!("contexts.txt")).collect();
    let mut maker = Maker::new(seed);
    let mut cases = Vec::new();
    for (at, line) in lines(include_str!("formats.txt")).enumerate() {
        let (kind, form) = line.split_once(" = ").unwrap();
        for time in 0..3 {
            let context = contexts[(at * 3 + time) % contexts.len()];
            let whole = form.contains('«').then(|| form.to_owned());
            let form = whole.unwrap_or_else(|| context.replace('@', &format!("«{form}»")));
            let made = maker.text(&form).replace('\u{1}', "");
            let (before, rest) = made.split_once('«').unwrap();
            let (secret, after) = rest.split_once('»').unwrap();
            let span = before.len()..before.len() + secret.len();
            cases.push(Case { kind: kind.to_owned(), text: format!("{before}{secret}{after}"), span });
        }
    }
    cases
}

fn ordinary(seed: u64) -> Vec<String> {
    let mut maker = Maker::new(seed);
    let made = lines(include_str!("ordinary.txt")).flat_map(|line| [line; 4]);
    let made: BTreeSet<_> = made.map(|line| maker.text(line)).collect();
    made.into_iter().collect()
}

#[test]
fn the_name_of_a_value_tells_what_it_is() {
    let cases = [
        ("password", "Tr7!kq0zPw", Some("named_password")),
        ("db_password", "kq0z9wTr77", Some("named_password")),
        ("api_key", "q8Zt4LmW2xV9pB6n", Some("named_token")),
        ("title", "Tr7!kq0zPw", None),
        ("password", "changeme", None),
        ("password", "lockgate-secret-named_password-AAAAAAAAAAAAAAAAAAAAAA", None),
    ];
    for (name, value, kind) in cases {
        let found = SECRETS.named(name, value);
        assert_eq!(found.as_ref().map(|found| found.kind), kind, "{name}: {value}");
        assert!(found.is_none_or(|found| found.span == (0..value.len())), "{name}: {value}");
    }
}

#[test]
fn secrets_are_found() {
    let cases = cases(1);
    let mut table: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut missed = Vec::new();
    for case in &cases {
        let found = SECRETS.find(&case.text);
        let right = found.len() == 1 && found[0].span == case.span && found[0].kind == case.kind;
        let row = table.entry(&case.kind).or_default();
        *row = (row.0 + usize::from(right), row.1 + 1);
        if !right {
            let found: Vec<_> =
                found.iter().map(|secret| (secret.kind, &case.text[secret.span.clone()])).collect();
            missed.push(format!("{}: {} {found:?}", case.kind, case.text));
        }
    }
    for (kind, (found, all)) in &table {
        eprintln!("{kind:<30} {found:>3} of {all}");
    }
    eprintln!("{} of {}, {} kinds", cases.len() - missed.len(), cases.len(), table.len());
    eprintln!("{}", missed.join("\n"));
    assert!(cases.len() >= 150 && table.len() >= 40);
    assert!(missed.is_empty(), "{} of {} are missed", missed.len(), cases.len());
}

#[test]
fn ordinary_text_is_left_alone() {
    let texts = ordinary(2);
    let mut alarms = Vec::new();
    for text in &texts {
        for secret in SECRETS.find(text) {
            alarms.push(format!("{}: `{}` in {text}", secret.kind, &text[secret.span]));
        }
    }
    eprintln!("{} alarms in {} texts\n{}", alarms.len(), texts.len(), alarms.join("\n"));
    assert!(texts.len() >= 300);
    assert!(alarms.is_empty(), "{} false alarms in {} texts", alarms.len(), texts.len());
}

#[test]
fn a_right_sum_makes_sure() {
    let token = Maker::new(3).text("ghp_{crc}");
    let wrong = token.replacen(&token[4..5], if &token[4..5] == "a" { "b" } else { "a" }, 1);
    assert_eq!(SECRETS.find(&token)[0].sure, Sure::Checked);
    assert_eq!(SECRETS.find(&wrong)[0].sure, Sure::Likely);
}

#[test]
fn more_than_are_counted_leave_nothing_open() {
    let mut maker = Maker::new(4);
    let text: String = (0..MOST + 200).map(|_| maker.text("token ghp_{crc}\\n")).collect();
    let found = SECRETS.find(&text);
    assert!(found.len() <= MOST + 1);
    let last = found.last().unwrap();
    assert_eq!((last.class, last.span.end), (SecretClass::Unread, text.len()));
    assert!(!redact(&text, found.into_iter().map(|secret| secret.span), MARK).contains("ghp_"));
}

#[test]
fn a_key_that_is_cut_off_is_taken_as_far_as_it_goes() {
    let block = Maker::new(7).text("{pem:RSA PRIVATE KEY}");
    let cut = &block[..400];
    let other = block.replace("RSA", "RSA or other");
    let text = format!("{cut} (and more)");
    let cases = [
        (block.as_str(), Some((Sure::Checked, block.len()))),
        (&text, Some((Sure::Likely, cut.len() + 1))),
        (&other, None),
    ];
    for (text, expected) in cases {
        let found = SECRETS.find(text);
        assert_eq!(found.first().map(|secret| (secret.sure, secret.span.end)), expected, "{text}");
    }
}

/// What a text is put together from.
fn pieces() -> Vec<String> {
    let cases = cases(5).into_iter().map(|case| case.text);
    let odd = [
        "ghp_",
        "=",
        ":",
        "\"",
        "\\n",
        " ",
        "\n",
        "key",
        "password",
        "-----BEGIN ",
        "eyJ",
        "://",
        "@",
        "ä",
        MARK,
    ];
    cases.chain(ordinary(6)).chain(odd.map(str::to_owned)).collect()
}

fn spans(found: &[Secret]) -> impl Iterator<Item = Range<usize>> {
    found.iter().map(|secret| secret.span.clone())
}

proptest! {
    #[test]
    fn what_was_taken_out_is_not_found_again(choice in proptest::collection::vec(any::<prop::sample::Index>(), 1..12), between in "[ \n,\"'=;]{0,2}") {
        let pieces = pieces();
        let text = choice.iter().map(|index| index.get(&pieces).as_str()).collect::<Vec<_>>().join(&between);
        let found = SECRETS.find(&text);
        for (this, next) in found.iter().zip(found.iter().skip(1)) {
            prop_assert!(this.span.end <= next.span.start);
        }
        prop_assert!(spans(&found).all(|span| !span.is_empty() && text.get(span).is_some()));
        let redacted = redact(&text, spans(&found), MARK);
        for secret in SECRETS.find(&redacted) {
            let again = &redacted[secret.span.clone()];
            prop_assert!(!again.contains(MARK), "{} in {redacted}", secret.kind);
        }
    }

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        let found = SECRETS.find(&text);
        prop_assert!(spans(&found).all(|span| text.get(span).is_some()));
    }
}
