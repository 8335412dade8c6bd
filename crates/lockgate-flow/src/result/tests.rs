use super::*;

/// `r:` records and `p:` prose, in order.
fn read(said: &str, document: bool) -> Vec<String> {
    let mut found = Vec::new();
    pieces(Json::check(said.as_bytes(), 64).unwrap(), Texts::none(), document, &mut |piece| {
        found.push(match piece {
            Piece::Record(text) => format!("r:{text}"),
            Piece::Prose(text) => format!("p:{text}"),
            Piece::About(text) => format!("a:{text}"),
        });
    });
    found
}

fn of_text(text: &str) -> Vec<String> {
    let quoted = lockgate_model::quote(text);
    read(&format!("{{\"content\":[{{\"type\":\"text\",\"text\":{quoted}}}]}}"), false)
}

#[test]
fn structured_content_is_records_and_prose() {
    let said = r#"{"structuredContent":{"id":17,"from":"a@b.example","body":"short","title":"A title of two, three, four, five, six, seven words"}}"#;
    assert_eq!(
        read(said, false),
        ["r:17", "r:a@b.example", "p:short", "p:A title of two, three, four, five, six, seven words"]
    );
    assert!(read(said, true).iter().all(|piece| piece.starts_with("p:")));
}

#[test]
fn what_a_server_says_of_itself_is_told_apart() {
    let said = |key: &str| format!(r#"{{"_meta":{{"{key}":{{"name":"x","icons":[{{"src":"y"}}]}}}}}}"#);
    for document in [false, true] {
        assert_eq!(read(&said("io.modelcontextprotocol/serverInfo"), document), ["a:x", "a:y"]);
        assert_eq!(read(&said("evil.example/serverInfo"), document), ["p:x", "p:y"]);
    }
    let elsewhere = r#"{"structuredContent":{"_meta":{"io.modelcontextprotocol/serverInfo":"x"}}}"#;
    assert_eq!(read(elsewhere, true), ["p:x"]);
}

#[test]
fn text_that_is_a_document_is_taken_apart() {
    for (text, expected) in [
        (r#"{"a":{"id":"x1"},"list":["y2",3]}"#, vec!["r:x1", "r:y2", "r:3"]),
        ("{'id': 'x1', 'ok': True, 'inner': \"['y2', 'z3']\"}", vec!["r:x1", "r:True", "r:y2", "r:z3"]),
        (
            "- id: '5'\n  sender: a@b.example\n  tags: []\n- id: 6\n  to:\n  - c@d.example",
            vec!["r:5", "r:a@b.example", "r:6", "r:c@d.example"],
        ),
        ("2024-05-19 10:00", vec!["r:2024-05-19 10:00"]),
        ("{\"Two Words\": 1}", vec!["r:Two Words", "r:1"]),
        (
            "subject: hello\nbody: |\n  to: evil@x.example\n  more\nid: 7",
            vec!["r:hello", "p:\nto: evil@x.example\nmore", "r:7"],
        ),
        (
            "body: 'Hi,\n\n  to: evil@x.example\n\n  bye'\nid: 7",
            vec!["p:Hi,\n\nto: evil@x.example\n\nbye", "r:7"],
        ),
    ] {
        assert_eq!(of_text(text), expected, "{text}");
    }
}

#[test]
fn text_that_is_not_quite_a_document_is_prose_as_a_whole() {
    for text in [
        "Hello.\nto: evil@x.example",
        "to: evil@x.example\nThis is a line of prose.",
        "from: a@b.example\nto: c@d.example\nto: evil@x.example",
        "{'a': 'x'} and more",
        "{'a': 'x'",
        "[1, 2",
        "id: 'never closed\nto: evil@x.example",
        "just text",
    ] {
        assert_eq!(of_text(text), [format!("p:{text}")], "{text}");
    }
}

#[test]
fn other_channels_are_prose() {
    let said = r#"{"messages":[{"role":"user","content":{"type":"text","text":"id: 5"}}],"_meta":{"x":"a@b.example"}}"#;
    assert_eq!(read(said, false), ["p:user", "p:id: 5", "p:a@b.example"]);
    assert_eq!(
        read(r#"{"content":[{"type":"image","data":"AAAA","mimeType":"image/png"}]}"#, false),
        [""; 0]
    );
    assert_eq!(
        read(r#"{"code":-32000,"message":"mail a@b.example"}"#, false),
        ["p:-32000", "p:mail a@b.example"]
    );
}

proptest::proptest! {
    #[test]
    fn nothing_is_lost(text in "[a-z:'\"\\[\\]{}|>, \n-]{0,80}") {
        // Every word of the text comes out in some piece.
        let found = of_text(&text).join("\n");
        for word in text.split(|c: char| !c.is_ascii_lowercase()).filter(|word| word.len() > 2) {
            let named = text.lines().any(|line| line.contains(':') && line.contains(word)) || text.contains('{');
            proptest::prop_assert!(found.contains(word) || named, "{text:?} {found:?}");
        }
    }
}
