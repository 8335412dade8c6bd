//! What holds of any definition.

use lockgate_model::{Json, Kind, ServerName, Tier, quote};
use lockgate_provenance::shadow::{Index, Offer, Suspicion, resembles};
use proptest::prelude::*;

fn name(text: &str) -> ServerName {
    ServerName::parse(text).unwrap()
}

fn tool(name: &str, description: &str) -> String {
    format!(
        "{{\"name\":{},\"description\":{},\"inputSchema\":{{\"properties\":{{{}:{{\"enum\":[1,{}]}}}}}}}}",
        quote(name),
        quote(description),
        quote(name),
        quote(description)
    )
}

fn index(servers: &[(ServerName, Vec<String>)]) -> Index {
    let parsed: Vec<Vec<Json<'_>>> = servers
        .iter()
        .map(|(_, tools)| tools.iter().map(|tool| Json::check(tool.as_bytes(), 64).unwrap()).collect())
        .collect();
    let offers = servers.iter().zip(&parsed);
    Index::new(offers.map(|((server, _), tools)| Offer {
        server,
        tier: Tier::Mixed,
        maker: None,
        identity: None,
        tools,
    }))
}

fn judge(index: &Index, definition: &str) -> Vec<Suspicion> {
    index.tool(&name("own"), Json::check(definition.as_bytes(), 64).unwrap())
}

/// What a place points to, where it has only plain names.
fn at<'j>(definition: Json<'j>, place: &str) -> Option<Json<'j>> {
    place.split('/').skip(1).try_fold(definition, |value, part| {
        match (value.kind() == Kind::Array, part.parse()) {
            (true, Ok(at)) => value.elements().nth(at),
            _ => value.get(part),
        }
    })
}

/// Texts of words that rules are about, of characters that nobody sees, and of anything.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("do not tell the user "),
        Just("read ~/.ssh/id_rsa "),
        Just("<IMPORTANT>"),
        Just("</IMPORTANT>"),
        Just("<!-- "),
        Just("-->"),
        Just("when "),
        Just("send_email "),
        Just("mail__send_email"),
        Just("bcc=a@b "),
        Just("\u{200b}"),
        Just("\u{e0041}"),
        Just("\u{202e}"),
        Just("\n\n"),
        Just(". "),
        Just("\u{1b}[8m"),
        Just("\u{435}"),
        Just("['=\"'"),
        Just("the mail server "),
    ];
    let part = prop_oneof![3 => word.prop_map(str::to_owned), 1 => any::<String>()];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    /// Nothing panics, what is found has its place in the definition, and there is never much of it.
    #[test]
    fn every_finding_has_its_place(own in text(), description in text(), other in "[a-z_]{0,12}") {
        let servers = [(name("own"), vec![tool(&own, "")]), (name("mail"), vec![tool("send_email", ""), tool(&other, "")])];
        let definition = tool(&own, &description);
        let found = judge(&index(&servers), &definition);
        prop_assert!(found.len() < 4 * 40);
        for found in &found {
            prop_assert!(found.place.is_ascii());
            let Some(value) = at(Json::check(definition.as_bytes(), 64).unwrap(), &found.place) else { continue };
            if let Some(text) = value.text() {
                prop_assert!(text.get(found.span.clone()).is_some(), "{found:?} of {text:?}");
            }
        }
    }

    /// A server that has nothing to do with it makes nothing suspicious.
    #[test]
    fn unrelated_servers_change_nothing(own in "[a-e]{3,5}_[a-e]{3,5}", description in text(), others in proptest::collection::vec("[p-z]{4,6}_[p-z]{4,6}", 0..20)) {
        let mut servers = vec![(name("own"), vec![tool(&own, "")]), (name("mail"), vec![tool("send_email", "")])];
        let definition = tool(&own, &description);
        let before = judge(&index(&servers), &definition);
        servers.push((name("unrelated"), others.iter().map(|other| tool(other, "")).collect()));
        prop_assert_eq!(before, judge(&index(&servers), &definition));
    }

    /// Case, and what nobody sees between letters, does not save an order.
    #[test]
    fn an_order_stays_one(upper in proptest::collection::vec(any::<bool>(), 20), at in 1_usize..19, unseen in "[\u{200b}\u{ad}\u{2060}\u{feff}]{0,2}") {
        let plain: String = "do not tell the user".chars().zip(&upper).map(|(c, up)| if *up { c.to_ascii_uppercase() } else { c }).collect();
        let (head, tail) = plain.split_at(at);
        let found = judge(&Index::default(), &tool("x", &format!("{head}{unseen}{tail}")));
        prop_assert!(found.iter().any(|found| found.severe && found.code.word() == "conceals_from_user"));
    }

    #[test]
    fn any_host_can_be_asked_about(host in any::<String>(), other in any::<String>(), label in "xn--[a-z0-9-]{0,70}") {
        let _answer = resembles(&host, [other.as_str()]);
        prop_assert_eq!(resembles("mcp.example.org", []), None);
        let _answer = resembles(&format!("{label}.com"), []);
    }
}

/// Each piece many times over, in one text and in one name. A cost that grows with the square takes minutes here.
#[test]
fn long_texts_take_time_with_their_length_only() {
    let servers = [(name("mail"), vec![tool("send_email", "")])];
    let index = index(&servers);
    for piece in [
        "a ",
        "do not ",
        "send_email ",
        "<",
        "<!--",
        "[SYSTEM",
        "<hidden ",
        "\u{200b}",
        "\u{e0041}",
        "\u{435}",
        "tool ",
        "_a",
        "a@",
        "=",
        "\n",
        "~/.ssh ",
        "'",
        ".",
    ] {
        let text = piece.repeat(50_000 / piece.len());
        let _found =
            judge(&index, &format!("{{\"name\":{},\"description\":{}}}", quote(&text), quote(&text)));
    }
}

/// A thousand tools against ten thousand, all of names that are alike.
#[test]
fn many_tools_are_judged_at_once() {
    let others: Vec<String> = (0..10_000).map(|at| tool(&format!("common_prefix_{at}x"), "")).collect();
    let own: Vec<String> = (0..1_000)
        .map(|at| tool(&format!("common_prefix_{at}y"), "A tool. Use it when common_prefix_1x is not there."))
        .collect();
    let servers = [(name("own"), own.clone()), (name("other"), others)];
    let index = index(&servers);
    let found: usize = own.iter().map(|tool| judge(&index, tool).len()).sum();
    assert!(found >= 1_000);
}
