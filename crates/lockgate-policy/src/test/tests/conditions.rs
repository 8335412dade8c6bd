use lockgate_model::Json;
use proptest::prelude::*;

use super::super::{
    BadTest, Conditions, Decimal, Hosts, Operator, PathTest, Selector, Test, Value, ValueType,
};
use super::{conditions, list, sign};

fn number(text: &str) -> Value {
    Value::Number(Decimal::parse(text).unwrap())
}

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn require(conditions: &Conditions, arguments: &str) -> char {
    sign(conditions.require(Some(Json::check(arguments.as_bytes(), 16).unwrap())))
}

fn matches(conditions: &Conditions, arguments: &str) -> char {
    sign(conditions.matches(Some(Json::check(arguments.as_bytes(), 16).unwrap())))
}

fn at(selector: &str, operators: Vec<Operator>) -> Conditions {
    Conditions::new(vec![(Selector::parse(selector).unwrap(), Test::new(operators).unwrap())]).unwrap()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn operators_are_strict() {
    let raw_or_none = Operator::one_of(vec![text("raw"), Value::Null]).unwrap();
    let cases: Vec<(Operator, &[(char, &str)])> = vec![
        (
            Operator::equals(text("raw")),
            &[
                ('+', r#""raw""#),
                ('+', r#""\u0072aw""#),
                ('-', r#""RAW""#),
                ('-', r#"" raw""#),
                ('-', "null"),
                ('?', r#"["raw"]"#),
                ('?', "1"),
            ],
        ),
        (
            Operator::equals(number("100")),
            &[
                ('+', "100"),
                ('+', "1e2"),
                ('+', "100.0"),
                ('-', "101"),
                ('?', r#""100""#),
                ('?', "true"),
                ('?', "1e-500"),
            ],
        ),
        (
            Operator::equals(number("9007199254740993")),
            &[('+', "9007199254740993"), ('-', "9007199254740992")],
        ),
        (
            Operator::equals(Value::Bool(true)),
            &[('+', "true"), ('-', "false"), ('?', "1"), ('?', r#""true""#), ('-', "null")],
        ),
        (Operator::equals(Value::Null), &[('+', "null"), ('-', "0"), ('-', r#""""#)]),
        (raw_or_none, &[('+', r#""raw""#), ('+', "null"), ('-', r#""x""#), ('?', "1")]),
        (
            Operator::not_equals(text("raw")),
            &[('-', r#""raw""#), ('+', r#""x""#), ('-', "null"), ('?', "1"), ('?', r#"["raw"]"#)],
        ),
        (Operator::not_equals(Value::Null), &[('-', "null"), ('+', "0"), ('+', "[]")]),
        (
            Operator::none_of(vec![number("1"), number("2")]).unwrap(),
            &[('-', "1.0"), ('+', "3"), ('?', r#""1""#)],
        ),
        (
            Operator::equals(Value::Array(vec![number("1"), text("a")])),
            &[('+', r#"[1.0, "a"]"#), ('-', r#"["a", 1]"#), ('-', "[1]"), ('-', "[]"), ('?', "1")],
        ),
        (
            Operator::equals(Value::Object([("x".to_owned(), number("1"))].into())),
            &[
                ('+', r#"{"x":1}"#),
                ('-', r#"{"x":2}"#),
                ('-', r#"{"y":1}"#),
                ('-', r#"{"x":1,"y":1}"#),
                ('-', "{}"),
            ],
        ),
        (
            Operator::at_most(decimal("1000")),
            &[
                ('+', "1000"),
                ('+', "1e3"),
                ('+', "-5"),
                ('-', "1000.0000000000000000000001"),
                ('?', r#""5""#),
                ('-', "null"),
                ('?', "[5]"),
            ],
        ),
        (Operator::at_least(decimal("-1.5")), &[('+', "-1.5"), ('-', "-1.50001"), ('+', "0")]),
        (Operator::above(decimal("1")), &[('-', "1"), ('-', "1.0"), ('+', "1.0000001")]),
        (Operator::below(decimal("1")), &[('-', "1"), ('+', "0.9999999999999999999999")]),
        (
            Operator::contains(text("b")),
            &[
                ('+', r#""abc""#),
                ('-', r#""ac""#),
                ('+', r#"["a","b"]"#),
                ('-', r#"["a"]"#),
                ('-', "[]"),
                ('?', "[1]"),
                ('?', "{}"),
                ('-', "null"),
            ],
        ),
        (
            Operator::contains(number("1")),
            &[('+', "[1.0]"), ('-', "[2]"), ('?', r#""1""#), ('?', r#"["1"]"#)],
        ),
        (Operator::present(), &[('+', "null"), ('+', "0"), ('+', "[]")]),
        (Operator::absent(), &[('-', "null"), ('-', "0")]),
        (
            Operator::length(Some(2), Some(3)).unwrap(),
            &[
                ('-', r#""a""#),
                ('+', r#""éé""#),
                ('+', r#""😀😀😀""#),
                ('-', r#""aaaa""#),
                ('+', "[1,2]"),
                ('+', r#"{"a":1,"b":2}"#),
                ('?', "22"),
                ('-', "null"),
            ],
        ),
        (
            Operator::of_type(ValueType::Integer),
            &[('+', "1"), ('+', "1.0"), ('-', "1.5"), ('-', r#""1""#), ('-', "true")],
        ),
        (Operator::of_type(ValueType::String), &[('+', r#""""#), ('-', "1"), ('-', "null")]),
        (Operator::of_type(ValueType::Null), &[('+', "null"), ('-', "0")]),
        (
            Operator::matches("[a-z]+").unwrap(),
            &[('+', r#""abc""#), ('-', r#""abc\n""#), ('-', "null"), ('?', "1"), ('?', r#"["abc"]"#)],
        ),
        (Operator::contains_match("b+").unwrap(), &[('+', r#""abbc""#), ('-', r#""ac""#)]),
    ];
    for (operator, table) in cases {
        for (expected, value) in table {
            let arguments = format!(r#"{{"a":{value}}}"#);
            let word = operator.word();
            assert_eq!(require(&conditions(vec![operator.clone()]), &arguments), *expected, "{word} {value}");
        }
        // Absent fails everything but the test for being absent.
        let expected = if matches!(sign(conditions(vec![operator.clone()]).require(None)), '+') {
            "present"
        } else {
            ""
        };
        assert!(expected.is_empty() || operator.word() == expected);
    }
    assert_eq!(require(&conditions(vec![Operator::absent()]), "{}"), '+');
    assert_eq!(require(&conditions(vec![Operator::present()]), "{}"), '-');
    assert_eq!(require(&conditions(vec![Operator::absent()]), r#"{"A":1}"#), '?');
}

#[test]
fn every_and_some() {
    let files = || at("/files/*/path", vec![Operator::path(PathTest::new(&list(&["/etc"]), &[]).unwrap())]);
    for (arguments, for_all, for_one) in [
        (r#"{"files":[{"path":"/etc/a"},{"path":"/etc/b"}]}"#, '+', '+'),
        (r#"{"files":[{"path":"/etc/a"},{"path":"/srv/b"}]}"#, '-', '+'),
        (r#"{"files":[{"path":"/srv/a"},{"path":"/srv/b"}]}"#, '-', '-'),
        (r#"{"files":[{"path":"/srv/a"},{"path":"~"}]}"#, '?', '?'),
        (r#"{"files":[{"path":"/etc/a"},{}]}"#, '-', '+'),
        (r#"{"files":[]}"#, '-', '-'),
        ("{}", '-', '-'),
        (r#"{"files":"/etc/a"}"#, '?', '?'),
        (r#"{"files":["/etc/a"]}"#, '?', '?'),
        (r#"{"files":null}"#, '-', '-'),
        (r#"{"Files":[]}"#, '?', '?'),
    ] {
        assert_eq!(require(&files(), arguments), for_all, "{arguments}");
        assert_eq!(matches(&files(), arguments), for_one, "{arguments}");
    }
    // One element must meet all operators: 1 is at least 1, 9 at most 5 is not, but 3 meets both.
    let both = || at("/n/*", vec![Operator::above(decimal("2")), Operator::below(decimal("5"))]);
    assert_eq!(matches(&both(), r#"{"n":[1,9]}"#), '-');
    assert_eq!(matches(&both(), r#"{"n":[1,3]}"#), '+');
}

#[test]
fn doubt_goes_first_and_explanations_hold_no_argument() {
    let both = Conditions::new(vec![
        (Selector::parse("mode").unwrap(), Test::new(vec![Operator::equals(text("raw"))]).unwrap()),
        (
            Selector::parse("host").unwrap(),
            Test::new(vec![Operator::hostname(Hosts::new(&list(&["a.example"])).unwrap())]).unwrap(),
        ),
    ])
    .unwrap();
    for (arguments, expected) in [
        (r#"{"mode":"raw","host":"a.example"}"#, "every test holds"),
        (r#"{"mode":"SECRET","host":"a.example"}"#, "`equals` of argument `mode` does not hold"),
        (r#"{"mode":"raw"}"#, "`hostname` of argument `host` does not hold"),
        (
            r#"{"mode":"x","host":"SECRET SECRET"}"#,
            "`hostname` of argument `host` cannot be evaluated: the text is not one plain host name or IP address",
        ),
        (
            r#"{"Mode":"SECRET","host":"a.example"}"#,
            "argument `mode` cannot be evaluated: another argument has the same name but for upper and lower case",
        ),
        ("[1]", "argument `host` cannot be evaluated: the arguments are not an object"),
    ] {
        let json = Json::check(arguments.as_bytes(), 16).unwrap();
        assert_eq!(both.require(Some(json)).to_string(), expected);
    }
}

#[test]
fn bad_tests_are_refused_at_load() {
    let bad = |operators: Vec<Operator>| Test::new(operators).unwrap_err();
    assert_eq!(bad(vec![]), BadTest::NoOperator);
    assert_eq!(bad(vec![Operator::present(), Operator::present()]), BadTest::OperatorTwice("present"));
    for operators in [
        vec![Operator::at_least(decimal("2")), Operator::at_most(decimal("1"))],
        vec![Operator::above(decimal("1")), Operator::at_most(decimal("1.0"))],
        vec![Operator::at_least(decimal("1")), Operator::below(decimal("1"))],
        vec![Operator::above(decimal("2")), Operator::below(decimal("1"))],
        vec![Operator::absent(), Operator::equals(text("x"))],
        vec![Operator::of_type(ValueType::String), Operator::at_least(decimal("1"))],
        vec![Operator::matches("a").unwrap(), Operator::at_least(decimal("1"))],
        vec![Operator::equals(number("1")), Operator::matches("a").unwrap()],
    ] {
        assert_eq!(bad(operators), BadTest::Impossible);
    }
    assert_eq!(Operator::one_of(vec![]).unwrap_err(), BadTest::EmptyList("one_of"));
    assert_eq!(Operator::one_of(vec![text("1"), number("1")]).unwrap_err(), BadTest::MixedTypes("one_of"));
    assert_eq!(Operator::none_of(vec![Value::Null; 1001]).unwrap_err(), BadTest::ListTooLong("none_of"));
    assert_eq!(Operator::length(Some(3), Some(2)).unwrap_err(), BadTest::Impossible);
    assert_eq!(Operator::length(None, None).unwrap_err(), BadTest::TestsNothing("length"));
    assert_eq!(Decimal::parse("1e9999").unwrap_err(), BadTest::NotANumber);
    assert!(matches!(Conditions::new(vec![]), Err(BadTest::NoConditions)));
    let twice = || (Selector::parse("a").unwrap(), Test::new(vec![Operator::present()]).unwrap());
    assert!(matches!(Conditions::new(vec![twice(), twice()]), Err(BadTest::SelectorTwice(_))));
    let error = Operator::matches("(?=x)").unwrap_err();
    assert!(error.to_string().starts_with("the regular expression cannot be used: "), "{error}");
    assert!(!error.to_string().contains('\n') && !error.hint().is_empty());
}

fn json_text() -> impl Strategy<Value = (String, Value)> {
    let leaf = prop_oneof![
        Just(("null".to_owned(), Value::Null)),
        any::<bool>().prop_map(|b| (b.to_string(), Value::Bool(b))),
        (any::<i64>(), -20_i32..20).prop_map(|(n, e)| {
            let written = format!("{n}e{e}");
            (written.clone(), Value::Number(Decimal::parse(&written).unwrap()))
        }),
        any::<String>().prop_map(|t| (lockgate_model::quote(&t), Value::Text(t))),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|all| {
                let (texts, values): (Vec<_>, Vec<_>) = all.into_iter().unzip();
                (format!("[{}]", texts.join(",")), Value::Array(values))
            }),
            proptest::collection::btree_map("[a-c]{1,2}", inner, 0..4).prop_map(|all| {
                let texts: Vec<_> =
                    all.iter().map(|(k, (t, _))| format!("{}:{t}", lockgate_model::quote(k))).collect();
                (
                    format!("{{{}}}", texts.join(",")),
                    Value::Object(all.into_iter().map(|(k, (_, v))| (k, v)).collect()),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn a_value_equals_itself((written, value) in json_text()) {
        let arguments = format!(r#"{{"a":{written}}}"#);
        prop_assert_eq!(require(&conditions(vec![Operator::equals(value.clone())]), &arguments), '+');
        prop_assert_eq!(matches(&conditions(vec![Operator::equals(value.clone())]), &arguments), '+');
        prop_assert_eq!(require(&conditions(vec![Operator::not_equals(value)]), &arguments), '-');
    }

    #[test]
    fn order_has_no_meaning(
        (written, value) in json_text(),
        order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle(),
        take in 1..6_usize,
    ) {
        let all = [
            Operator::equals(value),
            Operator::present(),
            Operator::length(Some(1), None).unwrap(),
            Operator::contains(text("a")),
            Operator::none_of(vec![text("ab")]).unwrap(),
            Operator::contains_match("a|b").unwrap(),
        ];
        let chosen: Vec<_> = order.iter().take(take).map(|&i| all[i].clone()).collect();
        let reversed: Vec<_> = chosen.iter().rev().cloned().collect();
        let arguments = format!(r#"{{"a":{written}}}"#);
        let json = Json::check(arguments.as_bytes(), 16).unwrap();
        match (Test::new(chosen), Test::new(reversed)) {
            (Ok(one), Ok(other)) => {
                let name = || Selector::parse("a").unwrap();
                let one = Conditions::new(vec![(name(), one)]).unwrap();
                let other = Conditions::new(vec![(name(), other)]).unwrap();
                prop_assert_eq!(one.require(Some(json)).to_string(), other.require(Some(json)).to_string());
                prop_assert_eq!(one.matches(Some(json)).to_string(), other.matches(Some(json)).to_string());
            }
            (one, other) => prop_assert_eq!(one.is_err(), other.is_err()),
        }
    }
}
