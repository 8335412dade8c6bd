//! `detect.data_classes`: which classes of data may be where, and which fields are of one.

use std::collections::BTreeMap;

use lockgate_core::{ByClass, ClassifiedField, Handling, Server};
use lockgate_detect::class::DataClass;
use lockgate_model::ServerName;
use lockgate_policy::Pattern;
use schemars::JsonSchema;

use super::error::{At, Report};
use super::rules;
use super::schema;
use super::section::{List, Section};
use super::words::{GUARDED, data_classes};

/// Most fields.
pub(super) const FIELDS: usize = 1_000;

const LIST: List = List {
    key: "fields",
    form: "write `- { field: salary, class: financial }`",
    needs: &[
        ("field", "write `field: NAME`, as arguments or results have it"),
        ("class", "write `class: personal`, or another class"),
    ],
    most: FIELDS,
    entries: ("fields", "name several fields at once, with `*`"),
};

/// Classes of data: told by what is found in a text and by what a text says of itself, or named by you. `docs/personal-data.md` has
/// them all. What is of a class is as confidential as that class says, for `flow`; and where a server is cleared for a compartment of
/// the same name, it goes to no server that is not.
#[derive(Default, JsonSchema)]
#[schemars(rename = "DataClasses", deny_unknown_fields)]
pub(super) struct RawDataClasses {
    /// In what servers return and say unasked.
    #[schemars(with = "Option<RawByClass>")]
    results: Vec<(DataClass, Handling)>,
    /// In what is sent to tools and prompts.
    #[schemars(with = "Option<RawByClass>")]
    arguments: Vec<(DataClass, Handling)>,
    /// Fields whose values are of a class, whatever they are.
    #[schemars(with = "Option<Vec<RawField>>", extend("default" = [], "maxItems" = FIELDS))]
    fields: Vec<RawField>,
}

/// As `detect.data_classes`, for one server; what is written here goes before it.
#[derive(JsonSchema)]
#[schemars(rename = "ServerDataClasses", deny_unknown_fields)]
pub(super) struct RawServerDataClasses {
    /// In what the server returns and says unasked.
    #[schemars(with = "Option<RawByClass>")]
    results: Vec<(DataClass, Handling)>,
    /// In what is sent to its tools and prompts.
    #[schemars(with = "Option<RawByClass>")]
    arguments: Vec<(DataClass, Handling)>,
}

/// What is done with a message that has data of a class. `off`: the class does not count. `flag`: it is written down, and counts for
/// `flow`. `ask`: a person is asked. `deny`: the message does not pass.
#[derive(JsonSchema)]
#[schemars(rename = "ByDataClass", deny_unknown_fields)]
#[expect(dead_code, reason = "for the schema and the reference")]
struct RawByClass {
    /// A key, token or password that is left in it.
    #[schemars(with = "Option<schema::Classified>", extend("default" = "off"))]
    credential: (),
    /// Personal data that is left in it.
    #[schemars(with = "Option<schema::Classified>", extend("default" = "off"))]
    personal: (),
    /// Accounts, cards, and what somebody earns and owes.
    #[schemars(with = "Option<schema::Classified>", extend("default" = "off"))]
    financial: (),
    /// How somebody is, and the numbers of their insurance.
    #[schemars(with = "Option<schema::Classified>", extend("default" = "off"))]
    health: (),
    /// Programs.
    #[schemars(with = "Option<schema::Classified>", extend("default" = "off"))]
    source_code: (),
    /// What passes between a lawyer and a client.
    #[schemars(with = "Option<schema::Classified>", extend("default" = "flag"))]
    legal: (),
    /// What may not leave a country without leave.
    #[schemars(with = "Option<schema::Classified>", extend("default" = "flag"))]
    export_control: (),
    /// Marked as meant for the people of one house, as `TLP:GREEN`.
    #[schemars(with = "Option<schema::Classified>", extend("default" = "flag"))]
    internal: (),
    /// Marked as meant for few, as `TLP:AMBER` and "CONFIDENTIAL".
    #[schemars(with = "Option<schema::Classified>", extend("default" = "flag"))]
    confidential: (),
    /// Marked as meant for those who are named, as `TLP:RED` and "TOP SECRET".
    #[schemars(with = "Option<schema::Classified>", extend("default" = "flag"))]
    restricted: (),
}

/// A field of arguments and results whose values are of a class: structured content, and text that is JSON.
#[derive(JsonSchema)]
#[schemars(rename = "ClassifiedField", deny_unknown_fields)]
struct RawField {
    /// The servers, with `*` for any run of characters. Without it, every one.
    #[schemars(with = "Option<String>")]
    server: Option<At<String>>,
    /// The tools, with `*` for any run of characters. Without it, every one.
    #[schemars(with = "Option<String>")]
    tool: Option<At<String>>,
    /// What the field is called, wherever it stands, with `*` for any run of characters.
    #[schemars(with = "String")]
    field: Option<At<String>>,
    /// The class.
    #[schemars(with = "schema::DataClassName")]
    class: Option<At<DataClass>>,
}

impl RawDataClasses {
    pub(super) fn read(section: Section<'_>) -> Self {
        let raw = Self {
            results: by_class(&section, "results"),
            arguments: by_class(&section, "arguments"),
            fields: section.entries(&LIST, |entry| RawField {
                server: entry.text("server"),
                tool: entry.text("tool"),
                field: entry.text("field"),
                class: entry.word("class", &data_classes()),
            }),
        };
        section.close();
        raw
    }

    /// Lays what is written over what holds.
    pub(super) fn lay(&self, results: &mut ByClass, arguments: &mut ByClass) {
        lay(&self.results, results);
        lay(&self.arguments, arguments);
    }

    /// The fields that are named, each with the servers it is about.
    pub(super) fn fields(
        &self,
        servers: &BTreeMap<ServerName, Server>,
        report: &Report,
    ) -> Vec<(Option<Pattern>, ClassifiedField)> {
        self.fields.iter().filter_map(|raw| field(raw, servers, report)).collect()
    }
}

impl RawServerDataClasses {
    pub(super) fn read(section: Section<'_>) -> Self {
        let raw = Self { results: by_class(&section, "results"), arguments: by_class(&section, "arguments") };
        section.close();
        raw
    }

    /// Lays what is written over what holds.
    pub(super) fn lay(&self, results: &mut ByClass, arguments: &mut ByClass) {
        lay(&self.results, results);
        lay(&self.arguments, arguments);
    }
}

fn lay(written: &[(DataClass, Handling)], over: &mut ByClass) {
    for (class, handling) in written {
        over.set(*class, *handling);
    }
}

fn by_class(section: &Section<'_>, key: &'static str) -> Vec<(DataClass, Handling)> {
    let Some(section) = section.section(key) else { return Vec::new() };
    let one = |class: DataClass| Some((class, section.word(class.word(), GUARDED)?.value));
    let all = DataClass::ALL.into_iter().filter_map(one).collect();
    section.close();
    all
}

fn field(
    raw: &RawField,
    servers: &BTreeMap<ServerName, Server>,
    report: &Report,
) -> Option<(Option<Pattern>, ClassifiedField)> {
    let server = match &raw.server {
        Some(text) => Some(rules::servers(text, servers, report)?),
        None => None,
    };
    let tool = match &raw.tool {
        Some(text) => Some(rules::pattern(text, report)?.value),
        None => None,
    };
    let field = rules::pattern(raw.field.as_ref()?, report)?.value;
    Some((server, ClassifiedField { tool, field, class: raw.class.as_ref()?.value }))
}

/// What is done for classes where that is not the usual, for people.
pub(super) fn told(classes: &ByClass, usual: &ByClass) -> Vec<String> {
    DataClass::ALL
        .into_iter()
        .filter(|class| classes.of(*class) != usual.of(*class))
        .map(|class| format!("{} {}", class.word(), classes.of(class).word()))
        .collect()
}
