//! What a person is asked about a call, and how far their yes may reach.

use lockgate_model::{Effect, Finding, Json, Kind, Phase, Reason, Revision, ServerName, Untrusted, quote};

use crate::exchange::Target;
use crate::{Learn, Reach};

/// The key of the choice in the answer.
const SCOPE: &str = "scope";
/// Most characters of the value that stands against the call.
const VALUE: usize = 200;
/// Most characters of the arguments.
const ARGUMENTS: usize = 800;

impl Reach {
    /// What a person may choose, at most: of what spends, gives rights or deletes each call is approved alone, as in the
    /// store; and where no value stands against the call there is none to approve.
    pub(crate) fn furthest(finding: &Finding, learns: bool) -> Self {
        let undone = finding.evidence.as_ref().is_some_and(|evidence| {
            evidence.role.is_some()
                && matches!(evidence.effect, Effect::Read | Effect::Write | Effect::Egress)
        });
        // The other objections are not about the value alone, so that to approve it would not help.
        let of_value = matches!(
            finding.rule.as_str(),
            "flow.value"
                | "flow.unknown"
                | "flow.unlisted"
                | "flow.link"
                | "flow.address"
                | "flow.credentials"
        );
        match finding.phase == Phase::Flow && undone && of_value && finding.approvers == 1 {
            true if learns => Self::Always,
            true => Self::Session,
            false => Self::Once,
        }
    }

    /// What is learned of a call where they choose [`Reach::Always`]: one value that they are shown as a whole.
    pub(crate) fn lesson(
        target: &Target,
        finding: &Finding,
        arguments: Option<Json<'_>>,
    ) -> Option<Box<Learn>> {
        // Of these it is not the whole value that matters, or it should be looked at each time.
        if matches!(finding.rule.as_str(), "flow.link" | "flow.credentials") {
            return None;
        }
        let argument = finding.evidence.as_ref()?.argument.clone();
        let found = at(arguments?, &argument)?;
        let value = match found.kind() {
            Kind::String => found.text()?.into_owned(),
            Kind::Number => found.written().to_owned(),
            Kind::Array | Kind::Object | Kind::Bool | Kind::Null => return None,
        };
        let whole = escaped(found, VALUE) == escaped(found, usize::MAX);
        if !whole || value.trim().is_empty() || value.chars().any(char::is_control) {
            return None;
        }
        let (tool, _) = target.tool.clone()?;
        Some(Box::new(Learn { server: target.server.clone()?, tool, argument, value }))
    }

    /// What they have chosen in their answer to the question; `None` for a no.
    pub(crate) fn chosen(answer: Json<'_>) -> Option<Self> {
        answer.get("action").and_then(Json::text).filter(|word| word == "accept")?;
        let scope = answer.get("content").and_then(|content| content.get(SCOPE));
        // A plain yes is about the value that was shown, and holds for a while: to be asked the same thing again and again
        // teaches people to say yes (SAFE-T1403). A word that was not offered is no choice.
        let Some(scope) = scope else { return Some(Self::Session) };
        let scope = scope.text();
        let chosen = Self::ALL.into_iter().find(|reach| scope.as_deref() == Some(reach.word()));
        Some(chosen.unwrap_or_default())
    }

    fn title(self) -> &'static str {
        match self {
            Self::Once => "Only this call",
            Self::Session => "This value, in this session",
            Self::Always => "This value, always",
        }
    }
}

/// The parameters of the question. The person sees which tool of which server, why it is asked, the value that stands
/// against the call, and the arguments, with everything escaped that could deceive the eye.
pub(crate) fn question(
    target: &Target,
    finding: &Finding,
    arguments: Option<Json<'_>>,
    revision: Revision,
    furthest: Reach,
    is_call: bool,
) -> String {
    let tool = target.shown.as_deref().unwrap_or("this request");
    let server = target.server.as_ref().map_or("", ServerName::as_str);
    let why = if finding.phase == Phase::Flow {
        // The person who is asked may know what the agent may not be told.
        let said = if finding.reason == Reason::ConfidentialData {
            "confidential text of this session would go where it may not be"
        } else {
            finding.detail.as_deref().unwrap_or(finding.reason.meaning())
        };
        let mut said: String = said.to_owned();
        if let Some(first) = said.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let evidence = finding.evidence.as_ref();
        let effect = evidence.map_or("read", |evidence| evidence.effect.word());
        let value = evidence.zip(arguments).and_then(|(evidence, all)| at(all, &evidence.argument));
        let value = value.map_or_else(String::new, |value| format!(" Its value: {}.", escaped(value, VALUE)));
        let article = if effect.starts_with('e') { "an" } else { "a" };
        format!("{said}.{value} This is {article} {effect} tool.")
    } else {
        let detail = finding.detail.as_ref().map_or_else(String::new, |detail| format!(": {detail}"));
        let detail = if finding.phase == Phase::Detect {
            format!(": {}{}", finding.reason.meaning(), detail.replacen(": ", ", ", 1))
        } else {
            detail
        };
        format!("The rule {} asks for your approval{detail}.", finding.rule)
    };
    let shown = arguments.filter(|arguments| arguments.kind() == Kind::Object);
    let shown = shown.map_or_else(String::new, |shown| format!(" Arguments: {}", escaped(shown, ARGUMENTS)));
    let message = if is_call {
        format!("Lockgate: run `{tool}` on server `{server}`? {why}{shown}")
    } else {
        format!("Lockgate: give the agent what `{tool}` on server `{server}` returned? {why}{shown}")
    };
    let choice = if furthest == Reach::Once { String::new() } else { choice(revision, furthest) };
    format!(
        "{{\"message\":{},\"requestedSchema\":{{\"type\":\"object\",\"properties\":{{{choice}}}}}}}",
        quote(&message)
    )
}

/// The choice, in the form of the revision (SEP-1330). Who does not choose approves the value for the session.
fn choice(revision: Revision, furthest: Reach) -> String {
    let offered = || Reach::ALL.into_iter().filter(|reach| *reach <= furthest);
    let list = |each: &dyn Fn(Reach) -> String| offered().map(each).collect::<Vec<_>>().join(",");
    let forms = if revision < Revision::R2025_11_25 {
        let words = list(&|reach| quote(reach.word()));
        let titles = list(&|reach| quote(reach.title()));
        format!("\"enum\":[{words}],\"enumNames\":[{titles}]")
    } else {
        let forms = list(&|reach| {
            format!("{{\"const\":{},\"title\":{}}}", quote(reach.word()), quote(reach.title()))
        });
        format!("\"oneOf\":[{forms}],\"default\":{}", quote(Reach::Session.word()))
    };
    format!("\"{SCOPE}\":{{\"type\":\"string\",\"title\":\"What a yes is for\",{forms}}}")
}

/// The value at a JSON pointer of plain names; none where a name is not plain, or the pointer is empty.
fn at<'j>(arguments: Json<'j>, pointer: &str) -> Option<Json<'j>> {
    pointer.strip_prefix('/')?.split('/').try_fold(arguments, |within, name| match within.kind() {
        Kind::Array => within.elements().nth(name.parse().ok()?),
        Kind::Object => within.get(name),
        Kind::String | Kind::Number | Kind::Bool | Kind::Null => None,
    })
}

/// What the agent or a server wrote, with everything escaped that could deceive the eye.
pub(crate) fn escaped(json: Json<'_>, most: usize) -> String {
    Untrusted::new(json.written()).escaped(most)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lockgate_model::{Evidence, Integrity, Reason};

    use super::*;

    fn finding(rule: &str, effect: Effect, argument: &str) -> Finding {
        let evidence = Evidence {
            argument: argument.to_owned(),
            effect,
            role: Some("destination"),
            need: Integrity::OwnRecord,
            have: Some(Integrity::FreeText),
            first: None,
        };
        let finding = Finding::hold(Phase::Flow, Reason::UntrustedContentReachesSink, rule);
        Finding { evidence: Some(Arc::new(evidence)), ..finding }
    }

    #[test]
    fn a_yes_reaches_only_as_far_as_it_may() {
        for (rule, effect, learns, furthest) in [
            ("flow.value", Effect::Egress, false, Reach::Session),
            ("flow.value", Effect::Egress, true, Reach::Always),
            ("flow.address", Effect::Read, false, Reach::Session),
            ("flow.value", Effect::Commit, true, Reach::Once),
            ("flow.unlisted", Effect::Destructive, true, Reach::Once),
            ("flow.quarantined", Effect::Write, true, Reach::Once),
            ("flow.confidential", Effect::Egress, true, Reach::Once),
        ] {
            assert_eq!(Reach::furthest(&finding(rule, effect, "/to"), learns), furthest, "{rule} {effect:?}");
        }
        let several = Finding { approvers: 2, ..finding("flow.value", Effect::Egress, "/to") };
        assert_eq!(Reach::furthest(&several, true), Reach::Once);
        let of_a_rule = Finding { phase: Phase::Policy, ..finding("flow.value", Effect::Egress, "/to") };
        assert_eq!(Reach::furthest(&of_a_rule, true), Reach::Once);
    }

    #[test]
    fn one_whole_value_is_learned_or_none() {
        let long = "a".repeat(VALUE - 1);
        let text =
            format!(r#"{{"to":["a@x","e\n"],"n":7,"o":{{}},"blank":" ","long":"{long}","path":"/x"}}"#);
        let arguments = Json::check(text.as_bytes(), 8).unwrap();
        let target = Target {
            server: ServerName::parse("mail"),
            tool: Some((lockgate_model::ToolName::new("send"), Effect::Egress)),
            ..Target::default()
        };
        for (rule, argument, learned) in [
            ("flow.value", "/to/0", Some("a@x")),
            ("flow.unlisted", "/n", Some("7")),
            ("flow.address", "/path", Some("/x")),
            ("flow.value", "/to/1", None),
            ("flow.value", "/to/2", None),
            ("flow.value", "/to", None),
            ("flow.value", "/o", None),
            ("flow.value", "/blank", None),
            ("flow.value", "/long", None),
            ("flow.value", "/*", None),
            ("flow.link", "/to/0", None),
            ("flow.credentials", "/path", None),
        ] {
            let lesson = Reach::lesson(&target, &finding(rule, Effect::Egress, argument), Some(arguments));
            assert_eq!(lesson.as_ref().map(|lesson| lesson.value.as_str()), learned, "{rule} {argument}");
        }
    }

    #[test]
    fn answers() {
        for (answer, chosen) in [
            (r#"{"action":"accept","content":{"scope":"session"}}"#, Some(Reach::Session)),
            (r#"{"action":"accept","content":{"scope":"always"}}"#, Some(Reach::Always)),
            (r#"{"action":"accept","content":{"scope":"once"}}"#, Some(Reach::Once)),
            (r#"{"action":"accept","content":{"scope":["session"]}}"#, Some(Reach::Once)),
            (r#"{"action":"accept","content":{}}"#, Some(Reach::Session)),
            (r#"{"action":"accept"}"#, Some(Reach::Session)),
            (r#"{"action":"decline","content":{"scope":"session"}}"#, None),
            (r#"{"content":{"scope":"session"}}"#, None),
        ] {
            assert_eq!(Reach::chosen(Json::check(answer.as_bytes(), 8).unwrap()), chosen, "{answer}");
        }
    }

    #[test]
    fn a_question_shows_the_value_and_offers_the_choice() {
        let arguments = Json::check(r#"{"to":["a","e\u202e"],"body":"x"}"#.as_bytes(), 8).unwrap();
        let ask = |argument: &str, revision, furthest| {
            let finding = finding("flow.value", Effect::Egress, argument);
            question(&Target::default(), &finding, Some(arguments), revision, furthest, true)
        };
        let plain = ask("/to/1", Revision::R2025_06_18, Reach::Once);
        assert!(plain.contains("Its value: ") && plain.ends_with(r#""properties":{}}}"#), "{plain}");
        assert!(!plain.contains('\u{202e}'), "{plain}");
        for (argument, shown) in
            [("/to/1", true), ("/to/2", false), ("/*", false), ("", false), ("/body", true)]
        {
            let text = ask(argument, Revision::R2025_06_18, Reach::Once);
            assert_eq!(text.contains("Its value: "), shown, "{argument}");
        }
        for (revision, furthest, forms) in [
            (
                Revision::R2025_06_18,
                Reach::Session,
                r#""enum":["once","session"],"enumNames":["Only this call","This value, in this session"]"#,
            ),
            (
                Revision::R2025_11_25,
                Reach::Session,
                r#""oneOf":[{"const":"once","title":"Only this call"},{"const":"session","title":"This value, in this session"}],"default":"session""#,
            ),
            (Revision::R2026_07_28, Reach::Always, r#"{"const":"always","title":"This value, always"}]"#),
        ] {
            let text = ask("/to/1", revision, furthest);
            assert!(text.contains(forms), "{text}");
        }
    }
}
