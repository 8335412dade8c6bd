//! How much personal data is found, and how much that is none is taken for some. The texts are made.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]

mod benign;
#[path = "../secrets/make.rs"]
mod make;
#[path = "../others/mod.rs"]
mod others;
mod twice;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use lockgate_detect::Sure;
use lockgate_detect::personal::{Datum, Entity, Personal};

use self::make::Maker;

static PERSONAL: LazyLock<Personal> = LazyLock::new(Personal::new);

/// How often each form is made.
const TIMES: usize = 20;

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with("# ") && !line.is_empty())
}

/// Puts a date into a form.
fn dated(maker: &mut Maker, form: &str) -> String {
    let two = |number: usize| format!("{number:02}");
    let (day, month, year) = (1 + maker.below(28), 1 + maker.below(12), 1940 + maker.below(60));
    let octet = 1 + maker.below(254);
    form.replace("{day}", &two(day))
        .replace("{month}", &two(month))
        .replace("{year}", &year.to_string())
        .replace("{yy}", &two(year % 100))
        .replace("{octet}", &octet.to_string())
}

/// Every way to fill in the digits and letters of the sum.
fn filled(form: &str) -> Vec<String> {
    let mut all = vec![form.to_owned()];
    while all[0].contains(['?', '¿']) {
        let spread = |text: &String| {
            let (mark, letters) = if text.contains('?') { ("?", '0'..='9') } else { ("¿", 'A'..='Z') };
            letters.map(|letter| text.replacen(mark, &letter.to_string(), 1)).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(spread).collect();
    }
    all
}

fn find(text: &str) -> Vec<Datum> {
    PERSONAL.find("", text)
}

#[test]
fn personal_data_is_found_and_wrong_sums_are_not() {
    let mut maker = Maker::new(1);
    let mut table: BTreeMap<&str, usize> = BTreeMap::new();
    let mut missed = Vec::new();
    for line in lines(include_str!("formats.txt")) {
        let [entity, form, place] = line.split(" = ").collect::<Vec<_>>().try_into().unwrap();
        let place = place.replace("\\n", "\n");
        let (before, after) = place.split_once('@').unwrap();
        let (mut right, mut tried, mut accepted) = (0, 0, 0);
        // Few bodies of some numbers may have a sum at all.
        for _ in 0..TIMES * if form.contains(['?', '¿']) { 40 } else { 1 } {
            let made = dated(&mut maker, form);
            let made = maker.text(&made);
            let fill = filled(&made);
            tried += fill.len();
            let mut found = Vec::new();
            let mut count = 0;
            for number in &fill {
                let text = format!("{before}{number}{after}");
                let span = before.len()..before.len() + number.len();
                let is = |datum: &Datum| datum.entity.word() == entity && datum.span == span;
                found = find(&text);
                count += usize::from(found.iter().any(is));
            }
            accepted += count;
            if count > 0 {
                right += 1;
            } else if fill.len() == 1 {
                missed.push(format!("{entity}: {made} {found:?}"));
            }
            if right == TIMES {
                break;
            }
        }
        if right < TIMES {
            missed.push(format!("{entity}: {form} only {right} times"));
        }
        if form.contains(['?', '¿']) && accepted * 8 > tried {
            missed.push(format!("{entity}: {form} takes {accepted} of {tried}"));
        }
        *table.entry(entity).or_default() += right;
    }
    for (entity, count) in &table {
        eprintln!("{entity:<30} {count}");
    }
    let without: Vec<_> = Entity::ALL.iter().filter(|entity| !table.contains_key(entity.word())).collect();
    assert!(without.is_empty(), "{without:?}");
    assert!(missed.is_empty(), "{} missed\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn ordinary_text_is_left_alone() {
    let mut maker = Maker::new(2);
    let (mut texts, mut alarms) = (0, Vec::new());
    for line in lines(include_str!("ordinary.txt")) {
        for _ in 0..10 {
            let text = maker.text(line);
            texts += 1;
            for datum in find(&text) {
                alarms.push(format!("{}: `{}` in {text}", datum.entity.word(), &text[datum.span]));
            }
        }
    }
    eprintln!("{} alarms in {texts} texts", alarms.len());
    assert!(alarms.len() * 100 <= texts, "{} in {texts}\n{}", alarms.len(), alarms.join("\n"));
}

#[test]
fn a_word_or_the_name_of_the_field_makes_it_one() {
    let cases = [
        ("", "123456782", None),
        ("bsn", "123456782", Some("NL_BSN")),
        ("", "BSN 123456782", Some("NL_BSN")),
        ("", "123456782 (BSN)", Some("NL_BSN")),
        ("", "using 123456782", None),
        ("ssn", "219099999", Some("US_SSN")),
        ("userSsn", "219099999", Some("US_SSN")),
        ("", "the passport is here, and so on and so forth, in the end there was C01234567", None),
        ("phone", "5551234567", Some("PHONE_NUMBER")),
        ("id", "5551234567", None),
        ("first_name", "Ada", Some("PERSON")),
        ("name", "Ada", None),
        ("street_address", "Lovelace Row 12", Some("LOCATION")),
        ("client_ip", "10.1.2.3", Some("IP_ADDRESS")),
        ("host", "10.1.2.3", None),
        ("date_of_birth", "1815-12-10", None),
        ("date_of_birth", "1915-12-10", Some("DATE_OF_BIRTH")),
        ("", "SSN [US_SSN] 219099999", None),
        ("", "ssn: [redacted] 219099999", None),
        ("", "version 93.184.216.34", None),
        ("", "at 93.184.216.34:443", Some("IP_ADDRESS")),
    ];
    for (name, text, expected) in cases {
        let found = PERSONAL.find(name, text);
        assert_eq!(found.first().map(|datum| datum.entity.word()), expected, "{name}: {text} {found:?}");
    }
}

#[test]
fn a_right_sum_makes_sure() {
    let sure = |text| find(text).first().map(|datum| datum.sure);
    assert_eq!(sure("4111 1111 1111 1111"), Some(Sure::Checked));
    assert_eq!(sure("219-09-9999"), Some(Sure::Likely));
}

#[test]
fn nothing_is_found_inside_of_a_secret() {
    let text = "user ada@service.test here and 219-09-9999";
    let taken = vec![5..21, 22..26];
    assert_eq!(PERSONAL.find_beside("", text, &taken).len(), 1);
}
