//! To take out what was found, or to cover it, and then to do it again changes nothing.

use std::sync::LazyLock;

use lockgate_detect::{Genre, Inspector, Mask};
use proptest::prelude::*;

use crate::make::Maker;
use crate::{PERSONAL, dated, lines};

static INSPECTOR: LazyLock<Inspector> = LazyLock::new(Inspector::new);

/// What a text is put together from: secrets, personal data, what is neither, and marks.
static PIECES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut maker = Maker::new(5);
    let mut pieces: Vec<String> = Vec::new();
    for line in lines(include_str!("../secrets/formats.txt")) {
        let (_, form) = line.split_once(" = ").unwrap();
        pieces.push(maker.text(form).replace(['«', '»', '\u{1}'], ""));
    }
    for line in lines(include_str!("formats.txt")) {
        let [_, form, place] = line.split(" = ").collect::<Vec<_>>().try_into().unwrap();
        let made = dated(&mut maker, form).replace('?', "{digit:1}").replace('¿', "{upper:1}");
        let made = maker.text(&made);
        pieces.push(place.replace('@', &made));
        pieces.push(made);
    }
    for line in lines(include_str!("ordinary.txt")).chain(lines(include_str!("../secrets/ordinary.txt"))) {
        pieces.push(maker.text(line));
    }
    let known = [
        "4111 1111 1111 1111",
        "ada@service.test",
        "DE44 5001 0517 5407 3249 31",
        "219-09-9999",
        "111.444.777-35",
        "+49 30 1234567",
        "BSN 123456782",
        "phone",
        "ssn",
        "Mr. ",
        "Name: ",
        "first_name: ",
        "12",
        "@",
        "***",
        "[US_SSN]",
        "[redacted]",
        "\n",
        "\"",
        ": ",
        ",",
    ];
    pieces.into_iter().chain(known.map(str::to_owned)).collect()
});

fn changed(mask: Mask, name: &str, text: &str) -> String {
    INSPECTOR.masked(mask, name, text)
}

#[test]
fn what_is_known_is_changed_once() {
    let cases = [
        ("", "write to ada@service.test", "write to [EMAIL_ADDRESS]", "write to a***@service.test"),
        (
            "",
            "Dear Mr. Lovelace, your card 4111 1111 1111 1111",
            "Dear Mr. [PERSON], your card [CREDIT_CARD]",
            "Dear Mr. L***, your card ************1111",
        ),
        (
            "",
            "phone 5551234567, 5557654321",
            "phone [PHONE_NUMBER], 5557654321",
            "phone ********67, 5557654321",
        ),
        ("first_name", "Ada", "[PERSON]", "A***"),
        ("password", "Tr7!kq0zPw", "[redacted]", "[redacted]"),
    ];
    for (name, text, redacted, covered) in cases {
        for (mask, expected) in [(Mask::Redact, redacted), (Mask::Cover, covered)] {
            let once = changed(mask, name, text);
            assert_eq!(once, expected);
            assert_eq!(changed(mask, name, &once), once);
        }
    }
}

/// Of what is personal alone even one look is enough, since no word comes nearer to a number by what was taken out.
#[test]
fn one_look_is_enough() {
    let mut maker = Maker::new(6);
    for _ in 0..1000 {
        let between = [" ", "\n", ",", "\"", "'", "=", ";", ", "][maker.below(8)];
        let pieces: Vec<_> =
            (0..=maker.below(12)).map(|_| PIECES[maker.below(PIECES.len())].as_str()).collect();
        let text = pieces.join(between);
        let name = ["", "phone", "ssn", "first_name", "text"][maker.below(5)];
        for mask in [Mask::Redact, Mask::Cover] {
            let once = mask.text(&text, &[], &PERSONAL.find(name, &text));
            let twice = mask.text(&once, &[], &PERSONAL.find(name, &once));
            assert_eq!(once, twice, "of {text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn twice_is_once(choice in proptest::collection::vec(any::<prop::sample::Index>(), 1..12), between in "[ \n,\"'=;]{0,2}", name in "(|phone|ssn|password|first_name|text)") {
        let text = choice.iter().map(|index| index.get(&PIECES).as_str()).collect::<Vec<_>>().join(&between);
        for mask in [Mask::Redact, Mask::Cover] {
            let once = changed(mask, &name, &text);
            let twice = changed(mask, &name, &once);
            prop_assert_eq!(&once, &twice, "of {}", text);
            let report = INSPECTOR.text(Genre::Result, &name, &once);
            prop_assert!(report.secrets.is_empty() && report.personal.is_empty());
        }
    }

    #[test]
    fn any_text_is_read(text in any::<String>(), name in any::<String>()) {
        let report = INSPECTOR.text(Genre::Result, &name, &text);
        let mut last = 0;
        for datum in report.personal {
            prop_assert!(datum.span.start >= last && !datum.span.is_empty() && text.get(datum.span.clone()).is_some());
            last = datum.span.end;
        }
    }
}
