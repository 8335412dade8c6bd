//! The canonical form: the examples of RFC 8785, and what makes no difference and what does.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails here has found something"
)]

use lockgate_model::Json;
use lockgate_provenance::{Digest, Kind, canonical, digest};
use proptest::prelude::*;
use serde_json::Value;

fn canon(text: &str) -> String {
    canonical(Json::check(text.as_bytes(), 128).unwrap())
}

/// RFC 8785, appendix B: the bits of a double, and how it is written.
const NUMBERS: &[(u64, &str)] = &[
    (0x0000_0000_0000_0000, "0"),
    (0x8000_0000_0000_0000, "0"),
    (0x0000_0000_0000_0001, "5e-324"),
    (0x8000_0000_0000_0001, "-5e-324"),
    (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
    (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
    (0x4340_0000_0000_0000, "9007199254740992"),
    (0xc340_0000_0000_0000, "-9007199254740992"),
    (0x4430_0000_0000_0000, "295147905179352830000"),
    (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
    (0x44b5_2d02_c7e1_4af6, "1e+23"),
    (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
    (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
    (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
    (0x444b_1ae4_d6e2_ef50, "1e+21"),
    (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
    (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
    (0x41b3_de43_5555_5553, "333333333.3333332"),
    (0x41b3_de43_5555_5554, "333333333.33333325"),
    (0x41b3_de43_5555_5555, "333333333.3333333"),
    (0x41b3_de43_5555_5556, "333333333.3333334"),
    (0x41b3_de43_5555_5557, "333333333.33333343"),
    (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
    (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
];

#[test]
fn numbers_are_written_as_in_the_standard() {
    for (bits, expected) in NUMBERS {
        // Written in another way, all digits and an exponent, and read again.
        let number = f64::from_bits(*bits);
        assert_eq!(canon(&format!("{number:.20E}")), *expected, "{bits:x}");
        assert_eq!(canon(expected), *expected);
    }
}

#[test]
fn the_examples_of_the_standard() {
    for (text, expected) in [
        (
            r#"{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
                "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"#,
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#,
        ),
        // Section 3.2.3, with another presentation form than that of Dalet, which has no place in composed text.
        (
            r#"{"\u20ac":1,"\r":2,"\uff76":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#,
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"ｶ\":3}",
        ),
    ] {
        assert_eq!(canon(text), expected);
    }
}

#[test]
fn texts_are_composed() {
    for (one, other) in [
        ("\"e\u{301}\"", "\"é\""),
        (r#""e\u0301""#, r#""\u00e9""#),
        ("\"\u{1112}\u{1161}\u{11ab}\"", "\"한\""),
        ("{\"e\u{301}\":1,\"f\":2}", "{\"f\":2,\"é\":1}"),
        ("\"\u{212b}\"", "\"\u{c5}\""),
    ] {
        assert_eq!(canon(one), canon(other), "{one}");
    }
    // The n of an escape is no letter that an accent could stand on.
    assert_eq!(canon("\"\\n\u{303}\""), "\"\\n\u{303}\"");
    // Nothing gets lost where two names would become one.
    assert_eq!(canon("{\"é\":1,\"e\u{301}\":2}"), "{\"e\u{301}\":2,\"é\":1}");
}

#[test]
fn what_changes_by_itself_is_left_out() {
    let of = |kind, text: &str| digest(kind, Json::check(text.as_bytes(), 9).unwrap());
    let one = r#"{"uri":"a:b","name":"n","size":1,"annotations":{"lastModified":"2026-01-01","priority":1}}"#;
    let two = r#"{"uri":"a:b","name":"n","size":2,"annotations":{"lastModified":"2026-01-02","priority":1}}"#;
    assert_eq!(of(Kind::Resource, one), of(Kind::Resource, two));
    assert_eq!(of(Kind::Resource, one), of(Kind::Resource, &two.replace("\"size\":2,", "")));
    assert_ne!(of(Kind::Resource, one), of(Kind::Resource, &two.replace("\"priority\":1", "\"priority\":0")));
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Resource) {
        assert_ne!(of(kind, one), of(kind, two), "{kind:?}");
    }
}

#[test]
fn depth_is_no_danger() {
    let deep = format!("{}{}", "[".repeat(128), "]".repeat(128));
    assert_eq!(canon(&deep), deep);
}

/// Any JSON, with numbers that differ as doubles.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-zé\u{301}\u{10ffff}\u{e000}\"\\\\\n\u{1}]{0,6}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-dé\u{10ffff}\u{e000}]{0,4}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Writes a value in a way that `dice` choose: order, space, escapes.
fn write(value: &Value, dice: &mut dyn Iterator<Item = u8>, out: &mut String) {
    let mut roll = || dice.next().unwrap_or(0);
    let space = ["", " ", "\n\t", "\r "][usize::from(roll() % 4)];
    match value {
        Value::Array(list) => {
            out.push('[');
            for (index, value) in list.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write(value, dice, out);
                out.push_str(space);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            let turn = usize::from(roll()) % members.len().max(1);
            members.rotate_left(turn);
            if roll() % 2 == 0 {
                members.reverse();
            }
            out.push('{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                out.push_str(space);
                quote(name, dice, out);
                out.push_str(space);
                out.push(':');
                out.push_str(space);
                write(value, dice, out);
            }
            out.push('}');
        }
        Value::String(text) => quote(text, dice, out),
        Value::Number(number) if roll() % 2 == 0 && number.is_f64() => {
            out.push_str(&format!("{:.20E}", number.as_f64().unwrap()));
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => out.push_str(&other.to_string()),
    }
}

fn quote(text: &str, dice: &mut dyn Iterator<Item = u8>, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        if dice.next().unwrap_or(0) < 64 {
            letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04X}")));
        } else {
            let quoted = Value::from(letter.to_string()).to_string();
            out.push_str(&quoted[1..quoted.len() - 1]);
        }
    }
    out.push('"');
}

/// The leaves of a value, each as a place to change.
fn leaves<'v>(value: &'v mut Value, found: &mut Vec<&'v mut Value>) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| leaves(value, found)),
        Value::Object(members) => members.values_mut().for_each(|value| leaves(value, found)),
        leaf @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => found.push(leaf),
    }
}

proptest! {
    #[test]
    fn the_way_of_writing_makes_no_difference(value in value(), dice in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut written = String::new();
        write(&value, &mut dice.into_iter(), &mut written);
        prop_assert_eq!(canon(&written), canon(&value.to_string()));
    }

    #[test]
    fn the_canonical_form_is_its_own(value in value()) {
        let once = canon(&value.to_string());
        prop_assert_eq!(canon(&once), once);
    }

    #[test]
    fn every_leaf_makes_a_difference(value in value(), choice in any::<prop::sample::Index>(), new in value()) {
        let mut changed = value.clone();
        let mut found = Vec::new();
        leaves(&mut changed, &mut found);
        prop_assume!(!found.is_empty());
        let leaf = choice.get_mut(&mut found);
        prop_assume!(canon(&leaf.to_string()) != canon(&new.to_string()));
        **leaf = new;
        let of = |value: &Value| Digest::of(Json::check(value.to_string().as_bytes(), 128).unwrap());
        prop_assert_ne!(of(&changed), of(&value));
    }
}
