//! The words of the file and what they stand for.

use lockgate_core::{Handling, SecretAction, Speaks, Violation};
use lockgate_detect::class::DataClass;
use lockgate_detect::code::language::Language;
use lockgate_flow::Role;
use lockgate_model::{Class, Confidentiality, Effect, Tier};
use lockgate_policy::{Action, Undeclared};
use lockgate_provenance::Sight;

use super::Transport;

/// What a server may ask the agent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Sampling,
    Elicitation,
    Roots,
}

/// What `transport` may be.
pub(super) const TRANSPORTS: &[(&str, Transport)] = &[("http", Transport::Http), ("sse", Transport::Sse)];

/// How a server speaks over HTTP.
pub(super) fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::Http => "Streamable HTTP.",
        Transport::Sse => {
            "HTTP+SSE, the older transport of revision 2024-11-05: `url` is where the stream of its events is, and the endpoint for messages that it names there must have the same scheme, host and port."
        }
    }
}

/// What a rule may say.
pub(super) const ACTIONS: &[(&str, Action)] =
    &[("allow", Action::Allow), ("ask", Action::Ask), ("deny", Action::Deny), ("hide", Action::Hide)];

/// What holds where no rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Default {
    /// The same for everything.
    Action(Action),
    /// It goes by the class of the tool.
    Class,
}

/// What may hold where no rule matches.
pub(super) const DEFAULTS: &[(&str, Default)] = &[
    ("allow", Default::Action(Action::Allow)),
    ("deny", Default::Action(Action::Deny)),
    ("class", Default::Class),
];

/// What may be done with the tools of a class.
pub(super) const DEFAULT_ACTIONS: &[(&str, Action)] =
    &[("allow", Action::Allow), ("ask", Action::Ask), ("deny", Action::Deny)];

/// What `flow.on_violation` may be.
pub(super) const VIOLATIONS: &[(&str, Violation)] =
    &[("ask", Violation::Ask), ("deny", Violation::Deny), ("log", Violation::Log)];

/// What `accept_meta_ifc` may be: are labels of the server heard?
pub(super) const META_LABELS: &[(&str, bool)] = &[("restrict_only", true), ("ignore", false)];

/// What becomes of labels that a server puts beside its results.
pub(super) fn meta_labels(heard: bool) -> &'static str {
    if heard {
        "They may ask for more care: that a result is more confidential, or holds text of outsiders. They never make it less."
    } else {
        "They change nothing."
    }
}

/// What `flow.secrets.action` may be.
pub(super) const SECRETS: &[(&str, SecretAction)] =
    &[("pass", SecretAction::Pass), ("redact", SecretAction::Redact), ("handle", SecretAction::Handle)];

/// What the agent is shown of a credential.
pub(super) fn secret_action(action: SecretAction) -> &'static str {
    match action {
        SecretAction::Pass => "The credential.",
        SecretAction::Redact => "That there was one: `[redacted]`.",
        SecretAction::Handle => {
            "A handle that stands for it in this session, and that only some servers get expanded (`expand_for`)."
        }
    }
}

/// What may be done with personal data.
pub(super) const HANDLINGS: &[(&str, Handling)] = &[
    ("off", Handling::Off),
    ("flag", Handling::Flag),
    ("mask", Handling::Mask),
    ("tokenise", Handling::Tokenise),
    ("redact", Handling::Redact),
    ("ask", Handling::Ask),
    ("deny", Handling::Deny),
];

/// What may be done with a part of a text.
pub(super) const TEXTS: &[(&str, Handling)] = &[
    ("off", Handling::Off),
    ("flag", Handling::Flag),
    ("redact", Handling::Redact),
    ("ask", Handling::Ask),
    ("deny", Handling::Deny),
];

/// What may be done with a call.
pub(super) const GUARDED: &[(&str, Handling)] =
    &[("off", Handling::Off), ("flag", Handling::Flag), ("ask", Handling::Ask), ("deny", Handling::Deny)];

/// What may be done with what stands in a file beside what is seen and heard.
pub(super) const BESIDE: &[(&str, Handling)] =
    &[("off", Handling::Off), ("flag", Handling::Flag), ("redact", Handling::Redact)];

/// What may be done with HTML: is it left with nothing but what can be read?
pub(super) const PAGES: &[(&str, bool)] = &[("keep", false), ("sanitise", true)];

/// What a program may be written in.
pub(super) const LANGUAGES: &[(&str, Language)] =
    &[("python", Language::Python), ("javascript", Language::JavaScript), ("shell", Language::Shell)];

/// How it is looked at.
pub(super) fn language(language: Language) -> &'static str {
    match language {
        Language::Python => "Python 3, which is parsed; what cannot be is refused.",
        Language::JavaScript => "JavaScript or TypeScript, which is searched.",
        Language::Shell => "A shell of Unix, which is searched.",
    }
}

/// What is done.
pub(super) fn handling(handling: Handling) -> &'static str {
    match handling {
        Handling::Off => "Nothing, and nothing is written down.",
        Handling::Flag => "It is written down.",
        Handling::Mask => "It is shown as stars but for its end.",
        Handling::Tokenise => "Something stands for it that some servers get back as what it was.",
        Handling::Redact => "It is taken out.",
        Handling::Ask => "A person is asked.",
        Handling::Deny => "The message does not pass.",
    }
}

/// What `flow.mode` may be. None: as in `balanced`, and only written down.
pub(super) const FLOWS: &[(&str, Option<lockgate_flow::Mode>)] = &[
    ("off", Some(lockgate_flow::Mode::Off)),
    ("observe", None),
    ("open", Some(lockgate_flow::Mode::Open)),
    ("balanced", Some(lockgate_flow::Mode::Balanced)),
    ("strict", Some(lockgate_flow::Mode::Strict)),
];

/// By which way words of the user come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Hook,
    Prompts,
    Elicitation,
    Approvals,
}

/// The ways by which words of the user may come.
pub(super) const CHANNELS: &[(&str, Channel)] = &[
    ("hook", Channel::Hook),
    ("prompts", Channel::Prompts),
    ("elicitation", Channel::Elicitation),
    ("approvals", Channel::Approvals),
];

/// What comes by a way.
pub(super) fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Hook => "What the host sends of what its user wrote.",
        Channel::Prompts => "What is written into a prompt (`prompts/get`).",
        Channel::Elicitation => "What is answered to a question of a server (`elicitation/create`).",
        Channel::Approvals => "What stands in a call that a person approved, for `approved_for`.",
    }
}

/// What is done with a call that something stands against.
pub(super) fn violation(violation: Violation) -> &'static str {
    match violation {
        Violation::Ask => "A person is asked.",
        Violation::Deny => "The call is refused.",
        Violation::Log => "It is recorded (`would`), and the call is let through.",
    }
}

/// How much is asked of a call.
pub(super) fn flow(mode: Option<lockgate_flow::Mode>) -> &'static str {
    let Some(mode) = mode else {
        return "Everything passes; what `balanced` would hold back is recorded (`would`).";
    };
    match mode {
        lockgate_flow::Mode::Off => "Where a value comes from stands against no call.",
        lockgate_flow::Mode::Open => {
            "Values out of prose decide neither who gets something nor what is changed."
        }
        lockgate_flow::Mode::Balanced => {
            "Who gets something, and what is changed, is what the user or the server itself has named."
        }
        lockgate_flow::Mode::Strict => {
            "The same for everything that is written, and for every address that is read."
        }
    }
}

/// What becomes of arguments that a tool does not declare.
pub(super) const UNDECLARED: &[(&str, Undeclared)] =
    &[("refuse", Undeclared::Refuse), ("allow", Undeclared::Allow)];

/// The eras that a server speaks.
pub(super) const SPEAKS: &[(&str, Speaks)] =
    &[("legacy", Speaks::Legacy), ("modern", Speaks::Modern), ("both", Speaks::Both)];

/// What they are.
pub(super) fn speaks(speaks: Speaks) -> &'static str {
    match speaks {
        Speaks::Legacy => "The handshake era alone: revisions 2024-11-05 to 2025-11-25.",
        Speaks::Modern => "The stateless era alone: revision 2026-07-28.",
        Speaks::Both => "Both, each agent in its own.",
    }
}

/// What a server may be let ask for.
pub(super) const ASKS: &[(&str, Ask)] =
    &[("sampling", Ask::Sampling), ("elicitation", Ask::Elicitation), ("roots", Ask::Roots)];

/// What may be done with a definition that is not approved.
pub(super) const SIGHTS: &[(&str, Sight)] =
    &[("trust", Sight::Trust), ("hold", Sight::Hold), ("refuse", Sight::Refuse)];

/// Must it be known where a server comes from?
pub(super) const ORIGINS: &[(&str, bool)] = &[("required", true), ("optional", false)];

/// Every tier with its word.
pub(super) fn tiers() -> [(&'static str, Tier); 5] {
    Tier::ALL.map(|tier| (tier.word(), tier))
}

/// Every effect with its word.
pub(super) fn effects() -> [(&'static str, Effect); 6] {
    Effect::ALL.map(|effect| (effect.word(), effect))
}

/// Every class with its word.
pub(super) fn classes() -> [(&'static str, Class); 5] {
    Class::ALL.map(|class| (class.word(), class))
}

/// Every class of data with its word.
pub(super) fn data_classes() -> [(&'static str, DataClass); DataClass::ALL.len()] {
    DataClass::ALL.map(|class| (class.word(), class))
}

/// Every level of confidentiality with its word.
pub(super) fn levels() -> [(&'static str, Confidentiality); 4] {
    Confidentiality::ALL.map(|level| (level.word(), level))
}

/// Every role of an argument with its word.
pub(super) fn roles() -> [(&'static str, Role); 6] {
    Role::ALL.map(|role| (role.word(), role))
}

/// What an action does.
pub(super) fn action(action: Action) -> &'static str {
    match action {
        Action::Allow => "Passes.",
        Action::Ask => "A person is asked before every call.",
        Action::Deny => "Listed; a call is refused, and the agent is told so.",
        Action::Hide => "Not listed, and refused as if it did not exist.",
    }
}

/// What an action does where no rule matches.
pub(super) fn default(default: Default) -> &'static str {
    match default {
        Default::Action(Action::Deny) => "Not listed; a call is refused, and the agent is told so.",
        Default::Action(action) => self::action(action),
        Default::Class => {
            "By the class of the tool: what reads passes, a person is asked about the rest. See `classes`."
        }
    }
}

/// What a class stands for.
pub(super) fn class(class: Class) -> &'static str {
    match class {
        Class::ReadLow => "Looks at what is not secret.",
        Class::ReadHigh => "Looks at secrets, credentials or personal data, or takes a great deal at once.",
        Class::WriteLow => "Changes something that can be changed back.",
        Class::WriteHigh => "Sends, publishes, pays, gives rights or deletes.",
        Class::Execute => "Runs what it is told: commands, scripts, statements of a database.",
    }
}

/// What is done with a definition that is not approved.
pub(super) fn sight(sight: Sight) -> &'static str {
    match sight {
        Sight::Trust => "It is offered, and approved from now on.",
        Sight::Hold => "It is withheld until people approve it.",
        Sight::Refuse => "It is withheld, and nobody is asked.",
    }
}

/// What a tier stands for.
pub(super) fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Quarantined => "New and not yet looked at.",
        Tier::Open => "Anybody can write what it returns: the web, search, public repositories.",
        Tier::Mixed => "Outsiders can write part of what it returns: mail, chat, tickets, files.",
        Tier::Internal => "Run by you over your own data; what it returns is trusted.",
        Tier::Core => "A clock, a calculator, a vault: what it returns is as good as your word.",
    }
}

/// What an effect stands for.
pub(super) fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "Looks, changes nothing.",
        Effect::Write => "Changes something that can be changed back.",
        Effect::Egress => "Sends something out.",
        Effect::Commit => "Spends money or places an order.",
        Effect::Grant => "Gives rights: passwords, keys, permissions, members.",
        Effect::Destructive => "Deletes, or runs whatever it is told.",
    }
}

/// Who may see what is as confidential as this.
pub(super) fn level(level: Confidentiality) -> &'static str {
    match level {
        Confidentiality::Public => "Anybody.",
        Confidentiality::Internal => "Your own people.",
        Confidentiality::Private => "Whose it is: mail, files, tickets.",
        Confidentiality::Secret => "Nobody who need not: credentials and the like.",
    }
}

/// What an argument decides.
pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Query => "What is looked for. Anything may stand there.",
        Role::Amount => "How much, when, how. A matter of rules and limits, not of origins.",
        Role::Payload => "What is written or sent. Links and addresses inside it are looked at.",
        Role::Source => "Where something is read from: whoever reads an address speaks to it too.",
        Role::Selector => "Which object of the server: an id, a path, a name.",
        Role::Destination => "Who or what gets it: an address, an account, a channel, a link.",
    }
}

/// What a server wants when it asks.
pub(super) fn ask(ask: Ask) -> &'static str {
    match ask {
        Ask::Sampling => "A text written by the agent's model (`sampling/createMessage`).",
        Ask::Elicitation => "An answer of the user (`elicitation/create`).",
        Ask::Roots => "The folders the agent works in (`roots/list`).",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handling_is_read_from_its_own_word() {
        let all = HANDLINGS.iter().chain(TEXTS).chain(GUARDED).chain(BESIDE);
        assert!(all.clone().all(|(word, handling)| handling.word() == *word));
        assert!(Handling::ALL.iter().all(|handling| HANDLINGS.iter().any(|(_, known)| known == handling)));
    }

    #[test]
    fn an_action_is_read_from_its_own_word() {
        assert!(ACTIONS.iter().chain(DEFAULT_ACTIONS).all(|(word, action)| action.word() == *word));
    }
}
