//! What class of data a message has, what is done then, and where it may go.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails here has found something"
)]

mod talk;

use lockgate_core::{Boundary, ByLevel, ClassifiedField, Handling};
use lockgate_detect::class::DataClass;
use lockgate_flow::Mode;
use lockgate_model::Confidentiality;
use lockgate_policy::Pattern;
use serde_json::{Value, json};

use talk::{ERAS, Talk, server, set};

const MARKED: &str = "CONFIDENTIAL: the plan for the third quarter is to move the works";
const PATIENT: &str = "Patient name: Ada Lovelace. Diagnosis: asthma.";

fn reason(talk: &Talk) -> Value {
    let said: Value = serde_json::from_str(&talk.agent).unwrap();
    said["result"]["_meta"]["io.lockgate/decision"]["reason"].clone()
}

fn level(talk: &Talk) -> Confidentiality {
    talk.core.label().secrecy().level
}

/// All servers give what is public, so that a class can raise it.
fn public(boundary: &mut Boundary) {
    for server in boundary.servers.values_mut() {
        server.trust.secrecy.level = Confidentiality::Public;
    }
}

#[test]
fn what_a_text_says_of_itself_counts_without_a_word() {
    for era in ERAS {
        let mut talk = Talk::new(era, public);
        assert_eq!(talk.read("files", "The weather is fine."), "The weather is fine.");
        assert_eq!((level(&talk), talk.core.classes().count()), (Confidentiality::Public, 0));
        assert_eq!(talk.read("files", MARKED), MARKED);
        assert_eq!(talk.core.classes().collect::<Vec<_>>(), ["confidential"]);
        assert_eq!(level(&talk), Confidentiality::Private);
        assert!(talk.records.contains("confidential"), "{}", talk.records);
        assert_eq!(talk.read("files", "TLP:RED"), "TLP:RED");
        assert_eq!(level(&talk), Confidentiality::Secret);
        // Nobody has asked for this one.
        talk.read("files", PATIENT);
        assert_eq!(talk.core.classes().count(), 0);
    }
}

#[test]
fn a_class_is_handled_as_the_operator_wants() {
    for era in ERAS {
        for (handling, refused) in
            [(Handling::Off, false), (Handling::Flag, false), (Handling::Ask, true), (Handling::Deny, true)]
        {
            let of = |boundary: &mut Boundary| {
                public(boundary);
                set(boundary, |detect| {
                    detect.results.classes.set(DataClass::Health, handling);
                    detect.arguments.classes.set(DataClass::Health, handling);
                });
            };
            let mut talk = Talk::new(era, of);
            let text = talk.read("files", PATIENT);
            if refused {
                assert_eq!(reason(&talk), "classified_data");
                assert!(!talk.agent.contains("asthma"), "{}", talk.agent);
            } else {
                assert_eq!(text, PATIENT);
            }
            assert_eq!(talk.records.contains("health"), handling != Handling::Off, "{}", talk.records);
            assert_eq!(level(&talk) == Confidentiality::Private, handling == Handling::Flag, "{handling:?}");

            let mut talk = Talk::new(era, of);
            talk.call("mail__send_message", json!({ "text": PATIENT }));
            let refusal = talk.fate().err();
            assert_eq!(refusal.as_deref() == Some("classified_data"), refused, "{refusal:?}");
        }
    }
}

#[test]
fn what_is_replaced_is_not_left() {
    for era in ERAS {
        for (handling, classes) in [(Handling::Flag, &["personal"][..]), (Handling::Redact, &["personal"])] {
            let mut talk = Talk::new(era, |boundary| {
                public(boundary);
                set(boundary, |detect| {
                    detect.results.personal = ByLevel::at_block(handling);
                    detect.results.classes.set(DataClass::Personal, Handling::Deny);
                });
            });
            let text = talk.read("files", "write to orders.desk@corp-mail.com");
            assert_eq!(text == "write to [EMAIL_ADDRESS]", handling == Handling::Redact, "{text}");
            assert_eq!(talk.core.classes().collect::<Vec<_>>(), classes);
        }
    }
}

#[test]
fn a_field_is_of_the_class_that_the_operator_names() {
    let set_field = |tool: Option<&str>| {
        let tool = tool.map(|tool| Pattern::parse(tool).unwrap());
        move |boundary: &mut Boundary| {
            public(boundary);
            set(boundary, |detect| {
                let field = Pattern::parse("salary*").unwrap();
                detect.fields =
                    vec![ClassifiedField { tool: tool.clone(), field, class: DataClass::Financial }];
                detect.results.classes.set(DataClass::Financial, Handling::Deny);
                detect.arguments.classes.set(DataClass::Financial, Handling::Deny);
            });
        }
    };
    for era in ERAS {
        for (tool, counts) in [(None, true), (Some("get"), true), (Some("put*"), false)] {
            let structured =
                json!({"content": [], "structuredContent": {"people": [{"salary": {"year": 4}}]}});
            let text = json!({"content": [{"type": "text", "text": " {\"a\": [{\"salary_2026\": 4}]}"}]});
            for result in [structured, text] {
                let mut talk = Talk::new(era, set_field(tool));
                talk.call("files__get", json!({}));
                talk.answer_all(&json!({ "result": result }));
                assert_eq!(reason(&talk) == "classified_data", counts, "{tool:?} {}", talk.agent);
            }
            let mut talk = Talk::new(era, set_field(tool));
            talk.call("files__get", json!({"filter": [{"salary": 4}]}));
            assert_eq!(talk.fate().is_err(), counts, "{tool:?} {}", talk.agent);
        }
        let mut talk = Talk::new(era, set_field(None));
        assert_eq!(talk.read("files", "a salary of 4"), "a salary of 4");
    }
}

#[test]
fn a_class_goes_only_where_somebody_is_cleared_for_it_if_anybody_is() {
    for era in ERAS {
        for cleared in [None, Some("mail"), Some("vault")] {
            let mut talk = Talk::new(era, |boundary| {
                public(boundary);
                boundary.flow.mode = Mode::Balanced;
                for (name, server) in &mut boundary.servers {
                    server.trust.clearance.level = Confidentiality::Secret;
                    if cleared == Some(name.as_str()) {
                        server.trust.clearance.compartments.insert("confidential".to_owned());
                    }
                }
            });
            talk.read("files", MARKED);
            talk.call("mail__send_message", json!({ "text": MARKED }));
            let refused = talk.fate().err();
            let expected = (cleared == Some("vault")).then_some("confidential_data");
            assert_eq!(refused.as_deref(), expected, "{cleared:?}");
            talk.read("files", "nothing of importance is in here at all");
            assert!(talk.core.label().origins().any(|origin| *origin == server("files")));
        }
    }
}
