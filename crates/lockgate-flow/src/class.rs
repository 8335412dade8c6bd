//! How much harm a tool can do at worst. It stands beside what a tool does, because it is seen by the same words; what is
//! done about it is the matter of the rules.

use lockgate_model::{Annotations, Class, Classified, Effect, Json, Kind, Sign};

use crate::effect::{admitted, deciding, effect_of_words, right, verb, verb_word, words};
use crate::list::listed;

/// Verbs and things that run what they are told.
const RUNS: &str = "\
    execute exec run eval evaluate shell bash sh zsh powershell cmd command terminal console script sql \
    cypher sudo spawn python repl interpreter ssh";

/// The same, wherever they stand in a name: `query_execute`, but not `get_run`.
const RUNS_ANYWHERE: &str = "\
    execute exec sudo";

/// Things that are secret or about a person, and words for a great deal at once.
const SENSITIVE: &str = "\
    secret secrets credential credentials password passwords passwd passphrase token tokens apikey \
    apikeys keychain keystore vault env environ cookie cookies mail mails email emails inbox mailbox \
    message messages chat chats conversation conversations contact contacts person persons people \
    personal pii customer customers patient patients employee employees medical health diagnosis salary \
    salaries payroll ssn passport iban bank all bulk everything dump export download backup snapshot \
    clipboard screenshot";

/// Things that are secret whichever word stands with them in the name of an argument. Fewer: an argument named `token` is
/// a page of a list more often than a secret.
const SENSITIVE_ARGUMENTS: &str = "\
    secret secrets credential credentials password passwords passphrase ssn passport patient salary iban \
    bulk";

/// Last words of arguments that are run.
const COMMANDS: &str = "\
    command commands cmd script shell bash powershell argv cypher expr eval";

/// Whole names of arguments that are run by a tool that does more than read: a search has a `query` as well.
const STATEMENTS: &str = "\
    code sourcecode pythoncode jscode javascript python query queries statement statements expression \
    function program mutation";

/// Deepest nesting of a schema that is looked into; what lies deeper is not seen, as nothing that deep is filled in.
const DEPTH: usize = 32;

/// What the schema of a tool's arguments shows. Each sign only raises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    runs: Option<&'static str>,
    states: Option<&'static str>,
    sensitive: Option<&'static str>,
    reaches: Option<&'static str>,
    many: bool,
}

impl Signs {
    /// The signs of a tool of which nothing can be kept, because there are too many: it counts as the worst.
    pub const TOO_MANY: Self = Self { runs: None, states: None, sensitive: None, reaches: None, many: true };

    /// Reads the names of arguments, at any depth of the schema up to 32. O(length of the schema).
    pub fn read(schema: Json<'_>) -> Self {
        let mut signs = Self::default();
        signs.walk(schema, DEPTH);
        signs
    }

    /// The word of an argument that names people or places outside.
    pub(crate) fn reaches(self) -> Option<&'static str> {
        self.reaches
    }

    /// The signs of both, for a tool that was described twice.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self {
            runs: self.runs.or(other.runs),
            states: self.states.or(other.states),
            sensitive: self.sensitive.or(other.sensitive),
            reaches: self.reaches.or(other.reaches),
            many: self.many || other.many,
        }
    }

    fn walk(&mut self, schema: Json<'_>, left: usize) {
        let Some(left) = left.checked_sub(1) else { return };
        for (key, value) in schema.members() {
            match (&*key.text(), value.kind()) {
                ("properties", Kind::Object) => {
                    for (name, property) in value.members() {
                        self.note(&name.text());
                        self.walk(property, left);
                    }
                }
                ("default" | "const" | "enum" | "examples", _) => {}
                (_, Kind::Object) => self.walk(value, left),
                (_, Kind::Array) => value.elements().for_each(|element| self.walk(element, left)),
                _ => {}
            }
        }
    }

    fn note(&mut self, argument: &str) {
        let words = words(argument);
        let last = words.last().map_or(&[][..], std::slice::from_ref);
        let whole = [words.concat()];
        let runs = known(last, COMMANDS).or_else(|| known(&words, "sql"));
        self.runs = self.runs.or(runs);
        self.states = self.states.or_else(|| known(&whole, STATEMENTS));
        self.sensitive = self.sensitive.or_else(|| known(&words, SENSITIVE_ARGUMENTS));
        self.reaches = self.reaches.or_else(|| crate::role::reaches(&words));
    }
}

/// What a server says of a tool beside its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// Its hints.
    pub annotations: Annotations,
    /// What its arguments show.
    pub signs: Signs,
}

impl Definition {
    /// Is there anything in it that may make a tool worse than its name alone does?
    pub fn raises(self) -> bool {
        let Annotations { read_only, destructive, open_world } = self.annotations;
        self.signs != Signs::default()
            || read_only == Some(false)
            || destructive == Some(true)
            || open_world == Some(true)
    }

    /// Both definitions at once, for a tool that was described twice: its class is that of the worse one, or worse.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self { annotations: self.annotations.join(other.annotations), signs: self.signs.join(other.signs) }
    }
}

/// What the operator says of a tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Its class. Then nothing else counts.
    pub class: Option<Class>,
    /// What it does to the world.
    pub effect: Option<Effect>,
}

/// The class of a tool, and what it was seen by. The operator's word on the class goes before everything. An effect that
/// the operator gave bounds the class: nothing the server says makes a reading tool more than `read-high`. Else the worst
/// counts of what the name, the hints and the arguments show; `readOnlyHint: true` and `idempotentHint` lower nothing, and
/// a name without a known verb is a `write-low` at least. O(length of the name).
pub fn class_of(name: &str, definition: Definition, said: Said) -> Classified {
    if let Some(class) = said.class {
        return Classified { class, sign: Sign::Operator };
    }
    let words = words(name);
    let runs = runs(&words);
    let signs = definition.signs;
    if let Some(effect) = said.effect {
        let class = match effect {
            Effect::Read if known(&words, SENSITIVE).or(signs.sensitive).is_some() => Class::ReadHigh,
            Effect::Destructive if runs.or(signs.runs).or(signs.states).is_some() => Class::Execute,
            Effect::Read
            | Effect::Write
            | Effect::Egress
            | Effect::Commit
            | Effect::Grant
            | Effect::Destructive => usual(effect),
        };
        return Classified { class, sign: Sign::OperatorsEffect };
    }
    if definition.signs.many {
        return Classified { class: Class::Execute, sign: Sign::TooMany };
    }
    let named = effect_of_words(&words);
    let effect = admitted(named, definition);
    let schema = |class: Class, word: Option<&'static str>| {
        word.map(|word| Classified { class, sign: Sign::Schema(word) })
    };
    let found = [
        Some(by_name(&words, named, runs)),
        (usual(effect) > usual(named)).then(|| Classified { class: usual(effect), sign: raised(definition) }),
        schema(Class::Execute, signs.runs),
        schema(Class::Execute, signs.states.filter(|_| effect > Effect::Read)),
        schema(Class::ReadHigh, signs.sensitive),
    ];
    // Of equals the first, so that what can be seen by the name is said to be.
    let worst = |worst: Classified, next: Classified| if next.class > worst.class { next } else { worst };
    let least = Classified { class: Class::ReadLow, sign: Sign::NoKnownWord };
    found.into_iter().flatten().reduce(worst).unwrap_or(least)
}

/// The class that goes with an effect where nothing more is known.
fn usual(effect: Effect) -> Class {
    match effect {
        Effect::Read => Class::ReadLow,
        Effect::Write => Class::WriteLow,
        Effect::Egress | Effect::Commit | Effect::Grant | Effect::Destructive => Class::WriteHigh,
    }
}

/// The word of a name that says that the tool runs what it is told: one of its deciding verbs, one that is clear wherever
/// it stands, or any where there is no verb.
fn runs(words: &[String]) -> Option<&'static str> {
    deciding(words).find_map(|word| listed(RUNS, word)).or_else(|| known(words, RUNS_ANYWHERE)).or_else(
        || {
            let verbless = deciding(words).next().is_none();
            known(words, RUNS).filter(|_| verbless)
        },
    )
}

/// The first of the words that stands in a list, as the list has it.
fn known(words: &[String], list: &'static str) -> Option<&'static str> {
    words.iter().find_map(|word| listed(list, word))
}

fn by_name(words: &[String], named: Effect, runs: Option<&'static str>) -> Classified {
    if let Some(word) = runs {
        return Classified { class: Class::Execute, sign: Sign::Name(word) };
    }
    if named == Effect::Read
        && let Some(word) = known(words, SENSITIVE)
    {
        return Classified { class: Class::ReadHigh, sign: Sign::Name(word) };
    }
    let decided = deciding(words).find(|word| verb(word) == Some(named)).and_then(verb_word);
    let sign = decided.or_else(|| right(words)).map_or(Sign::NoKnownWord, Sign::Name);
    Classified { class: usual(named), sign }
}

/// The hint or argument that raised the effect.
fn raised(definition: Definition) -> Sign {
    let annotations = definition.annotations;
    if annotations.destructive == Some(true) && annotations.read_only != Some(true) {
        return Sign::Hint("destructiveHint");
    }
    if annotations.open_world == Some(true) {
        return Sign::Hint("openWorldHint");
    }
    definition.signs.reaches.map_or(Sign::Hint("readOnlyHint"), Sign::Schema)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn signs(arguments: &[&str]) -> Signs {
        let properties: Vec<_> = arguments.iter().map(|name| format!("\"{name}\":{{}}")).collect();
        let schema = format!("{{\"type\":\"object\",\"properties\":{{{}}}}}", properties.join(","));
        Signs::read(Json::check(schema.as_bytes(), 8).unwrap())
    }

    fn seen(name: &str, arguments: &[&str]) -> Classified {
        class_of(name, Definition { signs: signs(arguments), ..Definition::default() }, Said::default())
    }

    #[test]
    fn names_and_arguments_of_well_known_servers() {
        for (name, arguments, class, sign) in [
            ("read_text_file", &["path", "head"][..], Class::ReadLow, Sign::Name("read")),
            ("search_files", &["path", "pattern", "query"], Class::ReadLow, Sign::Name("search")),
            ("list_issues", &["owner", "repo", "page_token"], Class::ReadLow, Sign::Name("list")),
            ("get_workflow_run", &["run_id"], Class::ReadLow, Sign::Name("get")),
            ("get_country", &["code"], Class::ReadLow, Sign::Name("get")),
            ("get_secret", &["name"], Class::ReadHigh, Sign::Name("secret")),
            ("search_emails", &["q"], Class::ReadHigh, Sign::Name("emails")),
            ("export_rows", &["table"], Class::ReadHigh, Sign::Name("export")),
            ("getAllUsers", &[], Class::ReadHigh, Sign::Name("all")),
            ("lookup", &["patient_id"], Class::ReadHigh, Sign::Schema("patient")),
            ("read_query", &["query"], Class::ReadLow, Sign::Name("read")),
            ("write_file", &["path", "content"], Class::WriteLow, Sign::Name("write")),
            ("createIssue", &["title"], Class::WriteLow, Sign::Name("create")),
            ("frobnicate", &[], Class::WriteLow, Sign::NoKnownWord),
            ("send_email", &["to"], Class::WriteHigh, Sign::Name("send")),
            ("publish_post", &[], Class::WriteHigh, Sign::Name("publish")),
            ("pay_invoice", &["amount"], Class::WriteHigh, Sign::Name("pay")),
            ("add_collaborator", &[], Class::WriteHigh, Sign::Name("collaborator")),
            ("delete_branch", &[], Class::WriteHigh, Sign::Name("delete")),
            ("list_and_delete", &[], Class::WriteHigh, Sign::Name("delete")),
            ("write_query", &["query"], Class::Execute, Sign::Schema("query")),
            ("create_table", &["query"], Class::Execute, Sign::Schema("query")),
            ("query", &["sql"], Class::Execute, Sign::Schema("sql")),
            ("query_execute", &[], Class::Execute, Sign::Name("execute")),
            ("run_python", &["code"], Class::Execute, Sign::Name("run")),
            ("python", &[], Class::Execute, Sign::Name("python")),
            ("code_interpreter", &["code"], Class::Execute, Sign::Name("interpreter")),
            ("validate_code", &["code"], Class::ReadLow, Sign::Name("validate")),
            ("start_process", &["shellCommand"], Class::Execute, Sign::Schema("command")),
            ("puppeteer_evaluate", &["script"], Class::Execute, Sign::Name("evaluate")),
        ] {
            assert_eq!(seen(name, arguments), Classified { class, sign }, "{name}");
        }
    }

    #[test]
    fn arguments_are_seen_at_any_depth() {
        let text =
            br#"{"properties":{"steps":{"type":"array","items":{"anyOf":[{"properties":{"command":{}}}]}},
            "note":{"default":{"properties":{"sql":{}}}}}}"#;
        let found = Signs::read(Json::check(text, 16).unwrap());
        assert_eq!(found, Signs { runs: Some("command"), ..Signs::default() });
    }

    #[test]
    fn the_operators_word_wins_both_ways() {
        let said = |class| Said { class: Some(class), effect: None };
        let worst = Definition { signs: signs(&["sql"]), ..Definition::default() };
        assert_eq!(class_of("run_sql", worst, said(Class::ReadLow)).class, Class::ReadLow);
        assert_eq!(class_of("get_time", Definition::default(), said(Class::Execute)).class, Class::Execute);
        let effect = |effect| Said { class: None, effect: Some(effect) };
        for (name, arguments, said, class) in [
            ("run_report", &["sql"][..], Effect::Read, Class::ReadLow),
            ("run_secret_report", &[], Effect::Read, Class::ReadHigh),
            ("delete_draft", &["command"], Effect::Write, Class::WriteLow),
            ("get_time", &[], Effect::Egress, Class::WriteHigh),
            ("tidy", &[], Effect::Destructive, Class::WriteHigh),
            ("tidy", &["script"], Effect::Destructive, Class::Execute),
        ] {
            let definition = Definition { signs: signs(arguments), ..Definition::default() };
            let found = class_of(name, definition, effect(said));
            assert_eq!(found, Classified { class, sign: Sign::OperatorsEffect }, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_the_worst() {
        let many = Definition { signs: Signs::TOO_MANY, ..Definition::default() };
        assert_eq!(class_of("get_time", many, Said::default()).class, Class::Execute);
    }

    fn hint() -> impl Strategy<Value = Option<bool>> {
        proptest::option::of(any::<bool>())
    }

    fn definition() -> impl Strategy<Value = Definition> {
        let argument = proptest::sample::select(vec!["path", "sql", "query", "password", "code", "command"]);
        (hint(), hint(), hint(), proptest::collection::btree_set(argument, 0..3)).prop_map(
            |(read_only, destructive, open_world, arguments)| Definition {
                annotations: Annotations { read_only, destructive, open_world },
                signs: signs(&arguments.into_iter().collect::<Vec<_>>()),
            },
        )
    }

    fn name() -> impl Strategy<Value = String> {
        let word = proptest::sample::select(vec![
            "get", "write", "send", "delete", "and", "secret", "run", "query", "execute", "thing", "role",
        ]);
        proptest::collection::vec(word, 0..4).prop_map(|words| words.join("_"))
    }

    proptest! {
        #[test]
        fn what_a_server_says_only_raises(name in name(), definition in definition()) {
            let bare = class_of(&name, Definition::default(), Said::default()).class;
            prop_assert!(class_of(&name, definition, Said::default()).class >= bare);
            let effect = crate::effect_of(&name, definition, None);
            prop_assert!(class_of(&name, definition, Said::default()).class >= usual(effect));
        }

        #[test]
        fn a_tool_described_twice_is_at_least_as_bad_as_each(
            name in name(), one in definition(), other in definition(),
            effect in proptest::option::of(proptest::sample::select(Effect::ALL.to_vec())),
        ) {
            let said = Said { class: None, effect };
            let both = class_of(&name, one.join(other), said).class;
            prop_assert!(both >= class_of(&name, one, said).class);
            prop_assert!(both >= class_of(&name, other, said).class);
            let effect = |definition: Definition| crate::effect_of(&name, definition, None);
            prop_assert!(effect(one.join(other)) >= effect(one).max(effect(other)));
        }
    }
}
