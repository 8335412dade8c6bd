//! What kind of value an argument takes: what is an attack in a path is ordinary in a program.

use std::ops::BitOr;

use lockgate_model::{Json, Kind};

/// A kind of value. What an argument *means* is asked elsewhere (the roles of `lockgate-flow`); this is what its text *is*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// A place on a disk.
    Path,
    /// A URL.
    Address,
    /// A host name or an IP address.
    Host,
    /// An id, a name, a key: short, and of one piece.
    Identifier,
    /// A command line.
    Command,
    /// SQL.
    Sql,
    /// Markup for a browser.
    Html,
    /// A template that is filled in.
    Template,
    /// A program.
    Code,
    /// Text for people, and everything of which nothing is known. Never held against a rule.
    Prose,
    /// What is looked for.
    Query,
}

impl Input {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Path,
        Self::Address,
        Self::Host,
        Self::Identifier,
        Self::Command,
        Self::Sql,
        Self::Html,
        Self::Template,
        Self::Code,
        Self::Prose,
        Self::Query,
    ];

    /// The word for it, in rules and configurations.
    pub fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Address => "address",
            Self::Host => "host",
            Self::Identifier => "identifier",
            Self::Command => "command",
            Self::Sql => "sql",
            Self::Html => "html",
            Self::Template => "template",
            Self::Code => "code",
            Self::Prose => "prose",
            Self::Query => "query",
        }
    }

    /// What the argument of this name takes, by its JSON Schema where there is one, and else by its name: the last word
    /// that says something decides (`file_content` is content, `content_path` a path). Nothing said means prose, because a
    /// rule on a text of unknown kind is wrong more often than right. O(length of the schema).
    pub fn infer(name: &str, schema: Option<Json<'_>>) -> Self {
        schema.and_then(by_format).unwrap_or_else(|| {
            let said = schema.and_then(|schema| schema.get("description")?.text());
            by_name(name, &said.unwrap_or_default())
        })
    }
}

/// Some of the kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inputs(u16);

impl Inputs {
    /// Reads words with spaces between them. What is no word is nothing.
    pub(crate) fn read(words: &str) -> Self {
        let named = |word: &str| Input::ALL.into_iter().find(|input| input.word() == word);
        words.split(' ').filter_map(named).fold(Self::default(), |all, input| all | input)
    }

    pub(crate) fn has(self, input: Input) -> bool {
        (self | input) == self
    }

    #[cfg(test)]
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl BitOr<Input> for Inputs {
    type Output = Self;

    fn bitor(self, input: Input) -> Self {
        let place = Input::ALL.iter().position(|one| *one == input).unwrap_or_default();
        Self(self.0 | 1 << place)
    }
}

/// Words of names, by what they say of the value. The words of roles (`lockgate-flow`) are among them.
const WORDS: [(Input, &str); 10] = [
    (
        Input::Path,
        "path paths file files filename filenames filepath filepaths folder folders dir dirs directory directories cwd \
         pathname",
    ),
    (Input::Address, "url urls uri uris link links href endpoint endpoints webhook callback website webpage"),
    (Input::Host, "host hosts hostname hostnames domain domains ip ipaddress"),
    (
        Input::Identifier,
        "id ids uuid uuids guid guids identifier identifiers name names key keys slug ref branch tag tags label labels repo \
         repository owner user username account bucket table column field collection database schema index namespace \
         project workspace channel package module version sku handle sort region",
    ),
    (Input::Command, "command commands cmd shell bash powershell commandline args argv arguments"),
    (Input::Sql, "sql"),
    (Input::Html, "html markup svg"),
    (Input::Template, "template templates jinja handlebars"),
    (
        Input::Prose,
        "body content contents text message messages description subject title note notes comment comments summary \
         reason memo detail details caption markdown data value values input inputs reply signature remark remarks \
         prompt instructions question answer",
    ),
    (Input::Query, "query queries q search keyword keywords term terms filter filters"),
];

/// Words for programs, and those that make one of a code that follows them: a country has a code too.
const PROGRAMS: &str =
    "script scripts python javascript typescript js snippet program expression lambda source";
const LANGUAGES: &str =
    "python javascript typescript js node ruby java shell bash source snippet program script test";
/// What a description says of a value whose name is not clear.
const SAID: [(&str, Input); 8] = [
    ("shell command", Input::Command),
    ("command to execute", Input::Command),
    ("command to run", Input::Command),
    ("sql", Input::Sql),
    ("python code", Input::Code),
    ("javascript code", Input::Code),
    ("file path", Input::Path),
    ("path to ", Input::Path),
];

fn lists(list: &str, word: &str) -> bool {
    list.split(' ').any(|known| known == word)
}

/// What the schema says itself.
fn by_format(schema: Json<'_>) -> Option<Input> {
    let items = schema.get("items").filter(|items| items.kind() == Kind::Object);
    let format = [Some(schema), items].into_iter().flatten().find_map(|schema| schema.get("format")?.text());
    match format.as_deref() {
        Some("uri" | "url" | "iri" | "uri-reference" | "iri-reference") => return Some(Input::Address),
        Some("hostname" | "idn-hostname" | "ipv4" | "ipv6") => return Some(Input::Host),
        Some("uuid" | "email" | "idn-email") => return Some(Input::Identifier),
        Some("path" | "file-path" | "directory-path") => return Some(Input::Path),
        _ => {}
    }
    let media = schema.get("contentMediaType").and_then(Json::text);
    (media.as_deref() == Some("text/html")).then_some(Input::Html)
}

fn by_name(name: &str, said: &str) -> Input {
    let words = words(name);
    let said = said.to_ascii_lowercase();
    let described = || SAID.iter().find(|(phrase, _)| said.contains(phrase)).map(|(_, input)| *input);
    let mut found = None;
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| words.get(at));
        let program = lists(PROGRAMS, word)
            || word == "code"
                && before.is_none_or(|before| lists(LANGUAGES, before))
                && words.len() == at + 1;
        let listed = WORDS.iter().find(|(_, list)| lists(list, word)).map(|(input, _)| *input);
        match if program { Some(Input::Code) } else { listed } {
            // `file_name` and `host_id` are still about a file and a host; `command_id` is an id.
            Some(Input::Identifier)
                if matches!(found, Some(Input::Path | Input::Host)) && lists("name names key", word) => {}
            // `sql_query`, `sql_text`.
            Some(Input::Query | Input::Prose) if found == Some(Input::Sql) => {}
            Some(input) => found = Some(input),
            None => {}
        }
    }
    match found {
        // `query` is as often SQL, and `input` anything.
        Some(Input::Query) => described().filter(|input| *input == Input::Sql).unwrap_or(Input::Query),
        Some(input) => input,
        None => described().unwrap_or(Input::Prose),
    }
}

/// The words of a name, in lower case: `filePath`, `file_path` and `file-path` have the same.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in name.chars().take(200) {
        if !c.is_alphanumeric() || c.is_uppercase() && small {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        small = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_kind_of_a_value() {
        for (name, input) in [
            ("path", Input::Path),
            ("filePath", Input::Path),
            ("file_name", Input::Path),
            ("file_content", Input::Prose),
            ("content_path", Input::Path),
            ("file_id", Input::Identifier),
            ("url", Input::Address),
            ("imageUrl", Input::Address),
            ("callback-url", Input::Address),
            ("hostname", Input::Host),
            ("host_name", Input::Host),
            ("issue_id", Input::Identifier),
            ("username", Input::Identifier),
            ("branch", Input::Identifier),
            ("command", Input::Command),
            ("command_id", Input::Identifier),
            ("cmd", Input::Command),
            ("code", Input::Code),
            ("python_code", Input::Code),
            ("country_code", Input::Prose),
            ("couponCode", Input::Prose),
            ("sql", Input::Sql),
            ("sqlQuery", Input::Sql),
            ("query", Input::Query),
            ("search_terms", Input::Query),
            ("message", Input::Prose),
            ("commit_message", Input::Prose),
            ("body_html", Input::Html),
            ("template", Input::Template),
            ("whatever", Input::Prose),
            ("", Input::Prose),
        ] {
            assert_eq!(Input::infer(name, None), input, "{name}");
        }
    }

    #[test]
    fn the_schema_counts_more_than_the_name() {
        for (name, schema, input) in [
            ("target", r#"{"type":"string","format":"uri"}"#, Input::Address),
            ("targets", r#"{"type":"array","items":{"format":"hostname"}}"#, Input::Host),
            ("text", r#"{"contentMediaType":"text/html"}"#, Input::Html),
            ("query", r#"{"description":"The SQL query to run"}"#, Input::Sql),
            ("query", r#"{"description":"What to look for"}"#, Input::Query),
            ("run", r#"{"description":"The shell command to execute"}"#, Input::Command),
            ("message", r#"{"description":"The path to glory"}"#, Input::Prose),
            ("x", r#"{"items":true}"#, Input::Prose),
        ] {
            let schema = Json::check(schema.as_bytes(), 8).unwrap();
            assert_eq!(Input::infer(name, Some(schema)), input, "{name}");
        }
    }
}
