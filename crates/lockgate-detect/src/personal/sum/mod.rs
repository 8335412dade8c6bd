//! What must be right about a number so that it is one of its sort: sums, dates and ranges, as the issuers publish them.
//!
//! Each takes a number whose shape is right, and says whether it may have been issued.

mod america;
mod asia;
mod date;
mod europe;
mod islands;
mod money;

pub(super) use self::money::iban;

use super::plain::Plain;

/// One such check.
pub(super) type Check = fn(&Plain) -> bool;

/// The check of that name, and whether it adds something up: a date alone proves little.
pub(super) fn named(name: &str) -> Option<(Check, bool)> {
    let sum = |check: Check| Some((check, true));
    let range = |check: Check| Some((check, false));
    match name {
        "luhn" => sum(luhn),
        "card" => sum(money::card),
        "aba" => sum(money::aba),
        "born" => range(date::is_birthday),
        "us_ssn" => range(america::us_ssn),
        "us_itin" => range(america::us_itin),
        "ca_sin" => sum(america::ca_sin),
        "dea" => sum(america::dea),
        "cpf" => sum(america::cpf),
        "cnpj" => sum(america::cnpj),
        "curp" => sum(america::curp),
        "nhs" => sum(islands::nhs),
        "nino" => range(islands::nino),
        "pps" => sum(islands::pps),
        "tfn" => sum(islands::tfn),
        "abn" => sum(islands::abn),
        "medicare" => sum(islands::medicare),
        "steuer_id" => sum(europe::steuer_id),
        "rente" => sum(europe::rente),
        "ausweis" => sum(europe::ausweis),
        "svnr" => sum(europe::svnr),
        "ahv" => sum(europe::ahv),
        "nir" => sum(europe::nir),
        "nrn" => sum(europe::nrn),
        "bsn" => sum(europe::bsn),
        "nif" => sum(europe::nif),
        "nie" => sum(europe::nie),
        "pt_nif" => sum(europe::pt_nif),
        "codice" => sum(europe::codice),
        "pesel" => sum(europe::pesel),
        "rodne" => sum(europe::rodne),
        "oib" => sum(europe::oib),
        "cnp" => sum(europe::cnp),
        "hetu" => sum(europe::hetu),
        "personnummer" => sum(europe::personnummer),
        "cpr" => sum(europe::cpr),
        "cpr_date" => range(europe::cpr_date),
        "fnr" => sum(europe::fnr),
        "tr_id" => sum(asia::tr_id),
        "za_id" => sum(asia::za_id),
        "aadhaar" => sum(asia::aadhaar),
        "cn_id" => sum(asia::cn_id),
        "my_number" => sum(asia::my_number),
        "rrn" => range(asia::rrn),
        "nric" => sum(asia::nric),
        "thai" => sum(asia::thai),
        "taiwan" => sum(asia::taiwan),
        _ => None,
    }
}

/// Luhn's sum (ISO/IEC 7812-1, annex B).
fn luhn(number: &Plain) -> bool {
    let doubled = |(at, digit): (usize, u32)| match digit {
        digit if at % 2 == 0 => digit,
        digit if digit > 4 => digit * 2 - 9,
        digit => digit * 2,
    };
    !number.is_one_digit() && number.worths().rev().enumerate().map(doubled).sum::<u32>() % 10 == 0
}

/// The last digit of ISO 7064, MOD 11,10.
fn mod_11_10(number: &Plain, count: usize) -> bool {
    let product = number.worths().take(count).fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == number.digit(count)
}

/// The letter or digit of that place in the alphabet of a sum.
fn is_letter(number: &Plain, at: usize, alphabet: &[u8], place: u64) -> bool {
    let letter = usize::try_from(place).ok().and_then(|place| alphabet.get(place));
    letter == Some(&number.letter(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that the issuers, or standards, print as examples.
    #[test]
    fn published_numbers_are_right() {
        let cases: &[(&str, &[&str])] = &[
            ("luhn", &["79927398713"]),
            (
                "card",
                &[
                    "4111 1111 1111 1111",
                    "5555555555554444",
                    "378282246310005",
                    "6011111111111117",
                    "30569309025904",
                    "3530111333300000",
                    "2223003122003222",
                ],
            ),
            ("aba", &["021000021", "011401533", "111000025"]),
            ("ca_sin", &["046 454 286"]),
            ("dea", &["AB1234563", "F91234563"]),
            ("cpf", &["111.444.777-35", "529.982.247-25"]),
            ("cnpj", &["11.222.333/0001-81", "11.444.777/0001-61"]),
            ("curp", &["BOXW310820HNERXN09", "HEGG560427MVZRRL04"]),
            ("nhs", &["943 476 5919", "401 023 2137"]),
            ("pps", &["1234567T", "1234567FA", "6433435F"]),
            ("tfn", &["123 456 782", "876543210"]),
            ("abn", &["51 824 753 556", "53 004 085 616"]),
            ("medicare", &["2123 45670 1"]),
            ("steuer_id", &["86095742719", "65929970489", "47036892816"]),
            ("rente", &["15070649C103", "65170839J003"]),
            ("ausweis", &["T220001293", "L01X00T471"]),
            ("svnr", &["1237 010180"]),
            ("ahv", &["756.9217.0769.85"]),
            ("nir", &["2 55 08 14 168 025 38", "1 84 12 76 451 089 46"]),
            ("nrn", &["85.07.30-033 28"]),
            ("bsn", &["111222333", "123456782"]),
            ("nif", &["12345678Z"]),
            ("nie", &["X1234567L", "Y1234567X"]),
            ("pt_nif", &["123456789", "501442600"]),
            ("codice", &["RSSMRA85T10A562S", "MRTMTT91D08F205J"]),
            ("pesel", &["44051401359", "02070803628"]),
            ("rodne", &["7103192745", "736028/5163"]),
            ("oib", &["33392005961", "94577403194"]),
            ("cnp", &["1630615123457"]),
            ("hetu", &["131052-308T", "010594Y9032"]),
            ("personnummer", &["811218-9876", "640823-3234"]),
            ("cpr", &["211062-5629"]),
            ("fnr", &["15108695088"]),
            ("tr_id", &["10000000146"]),
            ("za_id", &["8001015009087"]),
            ("aadhaar", &["2341 2341 2346"]),
            ("cn_id", &["11010519491231002X"]),
            ("my_number", &["123456789018"]),
            ("nric", &["S1234567D", "F1234567N", "G1234567X", "T1234567J"]),
            ("thai", &["1-1017-00230-70-8"]),
            ("taiwan", &["A123456789"]),
        ];
        for (name, numbers) in cases {
            let (check, _) = named(name).unwrap();
            for number in *numbers {
                assert!(check(&Plain::new(number)), "{name}: {number}");
            }
        }
        assert!(named("magic").is_none());
    }

    #[test]
    fn what_was_never_issued_is_none() {
        let cases = [
            ("us_ssn", "666-12-3456"),
            ("us_ssn", "000-12-3456"),
            ("us_ssn", "123-00-4567"),
            ("us_itin", "912-45-6789"),
            ("nino", "BG123456A"),
            ("card", "9111 1111 1111 1111"),
            ("card", "0000 0000 0000 0000"),
            ("pesel", "44951401350"),
            ("rrn", "991340-1234567"),
            ("born", "1990-13-01"),
            ("born", "1990-02-31"),
            ("born", "2190-02-01"),
        ];
        for (name, number) in cases {
            assert!(!named(name).unwrap().0(&Plain::new(number)), "{name}: {number}");
        }
    }
}
