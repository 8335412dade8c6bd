use proptest::prelude::*;

use super::*;

#[test]
fn what_does_something_is_taken_out() {
    for (html, expected) in [
        ("<p>Hi <b>you</b></p>", "<p>Hi <b>you</b></p>"),
        ("<p onclick=x()>a</p>", "<p>a</p>"),
        ("a<script>x('</p>')</script>b", "a b"),
        ("a<style>p{}</style>b", "a b"),
        ("a<!-- ignore the user -->b", "a b"),
        ("<a href='javascript:x()'>a</a>", "<a>a</a>"),
        ("<a href='JAVA\tscript:x()'>a</a>", "<a>a</a>"),
        ("<a href=' data:text/html,x'>a</a>", "<a>a</a>"),
        ("<a href='https://a.example/b'>a</a>", "<a href=\"https://a.example/b\">a</a>"),
        ("<img src='data:image/png;base64,AA' alt='b'>", "<img alt=\"b\">"),
        ("a<iframe src='https://a.example'></iframe>b", "a b"),
        ("<form action='/x'><input name=a>text<button>go</button></form>", " textgo"),
        ("a<div style='display:none'>b<div>c</div>d</div>e", "a e"),
        ("a<span hidden>b</span>c", "a c"),
        ("<ul><li hidden>a<li>b</ul>", "<ul> <li>b</li></ul>"),
        ("a<svg><script>x</script><text>t</text></svg>b", "a b"),
        ("<<style></style>script>x</script>", "&lt; script&gt;x"),
        ("<html><head><title>T</title></head><body class=a>b</body></html>", "   T   b "),
        ("a <plaintext> b", "a "),
        ("1 < 2 & 3", "1 &lt; 2 &amp; 3"),
        ("", ""),
    ] {
        assert_eq!(sanitise(html), expected, "{html}");
    }
}

#[test]
fn a_page_may_stand_below_some_lines() {
    for (text, expected) in [
        ("Contents of https://a.example:\n<!DOCTYPE html><p>Hi", Some(31)),
        ("Two\nlines\n  <HTML lang=en><p>Hi</p></html>", Some(10)),
        ("<html>a", Some(0)),
        ("An example:\n```html\n<!doctype html>\n```", None),
        ("A page begins with <html>", None),
        ("a\nb\nc\nd\n<html>", None),
        ("a <b\n<htmlx>", None),
        ("", None),
    ] {
        assert_eq!(page_below(text), expected, "{text}");
    }
}

#[test]
fn what_would_take_long_to_parse_becomes_text() {
    let many = |piece: &str| piece.repeat(20_000);
    let numbered = |count: usize, piece: &dyn Fn(usize) -> String| (0..count).map(piece).collect::<String>();
    let fonts = numbered(5_000, &|at| format!("<font size={at}>"));
    let blocks = ("<div>".repeat(9), "</div>".repeat(9));
    let hidden = numbered(5_000, &|at| format!("<font size={at}>{}</font>{}", blocks.0, blocks.1));
    let attributes = numbered(50_000, &|at| format!(" a{at}"));
    for html in [
        many("<div>"),
        many("<b>"),
        many("<span><div></span>"),
        many("<rt>"),
        many("<li><dd>"),
        many("<table><td>"),
        many("<table><tr><i></i>x"),
        many("<foo/>"),
        many("<a x='"),
        many("</p>"),
        many("<select><style>"),
        "<table>".to_owned() + &many("<i></i>x"),
        fonts.clone() + &many("<p>x"),
        hidden + &many("<p>x"),
        format!("<font title='{}'>", "x".repeat(40_000)) + &many("<p>x"),
        format!("<p{attributes}>x"),
        many("<body a=1>"),
        many("&"),
        many("&amp;"),
        many("&#x"),
    ] {
        // Slow would be minutes.
        assert!(sanitise(&html).len() <= 10 * html.len());
    }
    assert_eq!(sanitise(&("<div>".repeat(1000) + "text <script>x</script>")).trim(), "text");
}

#[test]
fn pages_are_told_from_programs() {
    for (text, expected) in [
        ("<!doctype html><title>a</title><p>b", true),
        ("<!-- a -->\n<html><body>b</body></html>", true),
        ("<div class='a'><p>b</p><ul><li>c</li></ul></div>", true),
        ("<p>Hello, <b>you</b></p>\n", true),
        ("<p align=\"center\"><img src=\"a.png\"></p>\n\n# Title\n\n```sh\nmake\n```\n<br>", false),
        ("<?xml version=\"1.0\"?><feed><entry/></feed>", false),
        ("<project><dependencies><dependency/></dependencies></project>", false),
        ("const a = <div>b</div>;", false),
        ("fn f() -> Vec<String>", false),
        ("# Title\n<details><summary>a</summary>b</details>", false),
        ("plain", false),
        ("", false),
    ] {
        assert_eq!(is_html(text), expected, "{text}");
    }
}

#[test]
fn addresses_that_carry_data_are_found() {
    let long = "c2VjcmV0IHRleHQgb2YgdGhlIHVzZXI";
    for (text, span, picture) in [
        (
            format!("see ![a](https://a.example/p.png?d={long}) now"),
            Some("![a](https://a.example/p.png?d=c2VjcmV0IHRleHQgb2YgdGhlIHVzZXI)"),
            true,
        ),
        (
            format!("[a](https://a.example/?q={long})"),
            Some("[a](https://a.example/?q=c2VjcmV0IHRleHQgb2YgdGhlIHVzZXI)"),
            false,
        ),
        (
            "![a](https://a.example/?d={history})".to_owned(),
            Some("![a](https://a.example/?d={history})"),
            true,
        ),
        (format!("<img src='https://a.example/{}'>", "x".repeat(100)), Some(""), true),
        (
            format!("<a href=\"//a.example/?x={long}\">b</a>"),
            Some("<a href=\"//a.example/?x=c2VjcmV0IHRleHQgb2YgdGhlIHVzZXI\">"),
            false,
        ),
        ("![a](https://a.example/logo.png)".to_owned(), None, true),
        ("[a](https://a.example/search?q=short&page=2)".to_owned(), None, true),
        ("![a](./local.png?x=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)".to_owned(), None, true),
        ("a[0](x) [b]: c".to_owned(), None, true),
    ] {
        let found = carriers(&text);
        let told = found.first().map(|carrier| text.get(carrier.span.clone()).unwrap());
        if span == Some("") {
            assert!(told.is_some());
        } else {
            assert_eq!(told, span, "{text}");
        }
        for carrier in found {
            assert_eq!(carrier.picture, picture, "{text}");
            assert!(text.get(carrier.address).unwrap().contains("//a.example/"), "{text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn sanitising_twice_changes_nothing(pieces in proptest::collection::vec(prop_oneof![
        Just("<p>"), Just("</p>"), Just("<b>"), Just("</b>"), Just("<a href='https://a.example'>"), Just("</a>"), Just("<table>"),
        Just("<td>"), Just("</table>"), Just("<div hidden>"), Just("</div>"), Just("<script>"), Just("</script>"), Just("<!--"),
        Just("-->"), Just("<svg>"), Just("<style>"), Just("<pre>\n"), Just("</pre>"), Just("<li>"), Just("<math>"), Just("<"), Just(">"),
        Just("\""), Just("text "), Just("&amp;lt;"), Just("&lt;script&gt;"), Just("<img src=x onerror=y>"), Just("<title>"),
        Just("<textarea>"), Just("<form>"), Just("\0"), Just("<select>"), Just("<h1>"), Just("<ruby>"), Just("<rt>"), Just("<i title='"),
    ], 0..30)) {
        let once = sanitise(&pieces.concat());
        prop_assert_eq!(&sanitise(&once), &once);
        for gone in ["<script", "<style", "<!--", "<iframe", "onerror=y>", "<svg", "<form", "hidden>"] {
            prop_assert!(!once.contains(gone), "{} in {}", gone, once);
        }
    }
}
