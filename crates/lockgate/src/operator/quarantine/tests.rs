use super::compare::{Line, pretty, text};
use super::show::ascii;

fn lines(canonical: &str) -> Vec<String> {
    pretty(canonical).iter().map(Line::shown).collect()
}

#[test]
fn a_definition_is_shown_as_it_is() {
    for (canonical, shown) in [
        ("", &[][..]),
        ("\"\"", &["\"\""]),
        ("{}", &["{}"]),
        ("[[],{}]", &["[", "  [],", "  {}", "]"]),
        (
            r#"{"a":[1,-0.5e3],"b":{"c":null}}"#,
            &["{", "  \"a\": [", "    1,", "    -0.5e3", "  ],", "  \"b\": {", "    \"c\": null", "  }", "}"],
        ),
        (r#"{"a":"},{\"\\"}"#, &["{", r#"  "a": "},{\"\\""#, "}"]),
        ("[\"\u{202e}\u{200b}\u{1b}[2J\u{e4}\"]", &["[", r#"  "\u{202e}\u{200b}\u{1b}[2J\u{e4}""#, "]"]),
        // What is no JSON is shown as well.
        ("]}]a,", &["]", "}", "]a,"]),
    ] {
        assert_eq!(lines(canonical), shown, "{canonical}");
    }
    let deep = lines(&"[".repeat(200_000));
    assert_eq!(deep.len(), 200_000);
    assert_eq!(deep.last().unwrap().len(), 49);
}

#[test]
fn what_changed_is_shown_with_what_is_around() {
    for (old, new, shown) in [
        ("[1]", "[1]", "No difference in what is kept.\n"),
        ("[1,2]", "[1,3]", "  [\n    1,\n-   2\n+   3\n  ]\n"),
        ("[1]", "[1,2]", "  [\n-   1\n+   1,\n+   2\n  ]\n"),
        ("[1,2,3,4,5,6,7,8]", "[1,2,3,4,5,0,7,8]", "  ⋮\n    4,\n    5,\n-   6,\n+   0,\n    7,\n    8\n"),
        ("[1,1,1]", "[]", "- [\n-   1,\n-   1,\n-   1\n- ]\n+ []\n"),
        ("[8,1,2,3,9]", "[8,2,3,4,9]", "  [\n    8,\n-   1,\n    2,\n    3,\n+   4,\n    9\n  ]\n"),
    ] {
        assert_eq!(text(old, new, false), shown, "{old} {new}");
    }
    assert_eq!(text("[1]", "[2]", true), "  [\n\u{1b}[31m-   1\u{1b}[0m\n\u{1b}[32m+   2\u{1b}[0m\n  ]\n");
}

#[test]
fn json_hides_nothing() {
    let value = serde_json::json!({ "\u{202e}a": ["\u{1f600}\u{7f}\u{85}\n\"", 1.5] });
    let shown = ascii(&value);
    assert_eq!(shown, r#"{"\u202ea":["\ud83d\ude00\u007f\u0085\n\"",1.5]}"#);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
}

/// A server must not be able to keep the command busy.
#[test]
fn large_definitions_are_compared_in_large() {
    let of = |number: &str| format!("[{}0]", format!("{number},").repeat(60_000));
    let shown = text(&of("1"), &of("2"), false);
    assert_eq!(shown.lines().filter(|line| line.starts_with("+ ")).count(), 60_000);
}
