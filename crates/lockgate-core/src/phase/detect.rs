//! Is there anything in the arguments that must not pass?

use bytes::Bytes;
use lockgate_detect::attack::Input;
use lockgate_detect::class::DataClass;
use lockgate_detect::code::Program;
use lockgate_detect::{Genre, MARK, redact};
use lockgate_model::{Effect, Integrity, Json, Key, Kind, Splice, Tier, UnixMillis, quote};

use super::Call;
use crate::Core;
use crate::catalogue::Offered;
use crate::detect::{ByLevel, Cut, Found, Handling, Look, Looked, Sort, Way, cuts};

/// Most characters of the place of an argument that a refusal names.
const PLACE: usize = 100;

/// What was found in the arguments of a call.
#[derive(Debug, Default)]
pub(crate) struct Inspected<'c> {
    pub(crate) found: Found,
    /// The texts in which something is to be replaced, and what.
    pub(crate) edits: Vec<(Json<'c>, Vec<Cut>)>,
    /// The arguments without credentials and personal data, where there are some.
    pub(crate) concealed: Option<Bytes>,
}

/// Looks at every text of the arguments, and at every name in them.
pub(super) fn check<'c>(core: &Core, call: &Call<'c>, effect: Effect) -> Inspected<'c> {
    let inspected = Inspected::default();
    let (Some(arguments), Some(server)) = (call.arguments, core.boundary.servers.get(call.server)) else {
        return inspected;
    };
    let handlings = &server.detect.arguments;
    if handlings.are_off() {
        return inspected;
    }
    let now = UnixMillis(core.wall_now());
    let look = Look { detect: &server.detect, handlings, genre: Genre::Arguments, now };
    // What goes no further than to a server of one's own is only written down.
    let goes_out = effect == Effect::Egress || server.trust.tier <= Tier::Open;
    let way = Way { word: "arguments", observes: core.boundary.observes, sealed: false };
    let splice = Splice::new(arguments.raw());
    let offered = call
        .tool
        .and_then(|tool| core.peers.get(call.server).and_then(|peer| peer.catalogue.find(tool.as_str())));
    let mut search = Search {
        core,
        call,
        look,
        way,
        goes_out,
        offered,
        input: Input::Prose,
        program: None,
        place: String::new(),
        inspected,
        splice,
    };
    search.value(arguments, "");
    let Search { splice, inspected: mut found, .. } = search;
    if !splice.is_empty() {
        found.concealed = Some(splice.finish());
    }
    found
}

struct Search<'s, 'c> {
    core: &'s Core,
    call: &'s Call<'c>,
    look: Look<'s>,
    way: Way,
    goes_out: bool,
    /// The tool, as its server offers it.
    offered: Option<&'s Offered>,
    /// What kind of value is looked at.
    input: Input,
    /// What is known of it, where it is a program.
    program: Option<&'s Program>,
    /// Where in the arguments, as a JSON pointer.
    place: String,
    inspected: Inspected<'c>,
    splice: Splice<'c>,
}

impl<'c> Search<'_, 'c> {
    /// `name`: what the value is called; an element is called as its array is.
    fn value(&mut self, value: Json<'c>, name: &str) {
        match value.kind() {
            Kind::String => {
                if let Some(text) = value.text() {
                    self.text(value, name, &text);
                }
            }
            Kind::Array => {
                for (count, element) in value.elements().enumerate() {
                    self.below(&count.to_string(), |search| search.value(element, name));
                }
            }
            Kind::Object => {
                let (top, around) = (self.place.is_empty(), self.input);
                for (key, member) in value.members() {
                    let name = key.text();
                    self.name(key, &name);
                    let classes = self.look.detect.classes_of(self.call.tool, &name);
                    self.below(&name, |search| search.classify(classes));
                    if top {
                        self.program = self.call.tool.and_then(|tool| self.look.detect.program(tool, &name));
                    }
                    // What is below an argument is judged by its own name.
                    let declared =
                        if top { self.offered.and_then(|offered| offered.inputs.get(&*name)) } else { None };
                    self.input = match (self.program, declared) {
                        (Some(_), _) => Input::Code,
                        (None, Some(declared)) => *declared,
                        (None, None) => Input::infer(&name, None),
                    };
                    self.below(&name, |search| search.value(member, &name));
                }
                self.input = around;
            }
            Kind::Number => {
                let digits = value.written();
                let looked = self.look.number(name, digits);
                self.found(value, digits, looked);
            }
            Kind::Bool | Kind::Null => {}
        }
    }

    fn below(&mut self, name: &str, then: impl FnOnce(&mut Self)) {
        let length = self.place.len();
        // The place is for people; one that is very long or odd is left at what is above it.
        if length + name.len() < PLACE && name.bytes().all(|b| b.is_ascii_graphic() && b != b'`') {
            self.place.push('/');
            self.place.push_str(name);
        }
        then(self);
        self.place.truncate(length);
    }

    /// A name is not replaced: nobody could say what the call means then.
    fn name(&mut self, key: Key<'c>, name: &str) {
        let mut looked = self.weighed(name, self.look.at("", name));
        for hit in looked.hits.iter_mut().filter(|hit| hit.handling.rewrites()) {
            hit.handling = Handling::Deny;
        }
        self.inspected.found.add(&looked, self.way, || Some("the name of an argument".to_owned()));
        if let Some(without) = concealed(name, &looked) {
            self.splice.rename(key, &without);
        }
    }

    /// What is at this place is of these classes.
    fn classify(&mut self, classes: impl Iterator<Item = DataClass>) {
        let place = || Some(format!("argument `{}`", self.place)).filter(|_| !self.place.is_empty());
        self.inspected.found.classify(classes, &self.look.handlings.classes, self.way, place);
    }

    fn text(&mut self, value: Json<'c>, name: &str, text: &str) {
        // Where the operator says nothing, the names may say the language.
        let tool = self.call.tool.map_or("", |tool| tool.as_str());
        let program = self.program.or_else(|| Program::named(&[name, tool]));
        let looked = self.look.argument(name, self.searched(), program, text);
        self.found(value, text, looked);
    }

    /// This was found in a text or a number.
    fn found(&mut self, value: Json<'c>, text: &str, looked: Looked) {
        let looked = self.weighed(text, looked);
        let place = || Some(format!("argument `{}`", self.place)).filter(|_| !self.place.is_empty());
        self.inspected.found.add(&looked, self.way, place);
        self.classify(looked.classes.iter().copied());
        if let Some(without) = concealed(text, &looked) {
            self.splice.replace(value, quote(&without));
        }
        if self.way.observes {
            return;
        }
        let cuts = cuts(text, &looked.hits, Vec::new());
        if !cuts.is_empty() {
            self.inspected.edits.push((value, cuts));
        }
    }

    /// The kind of value that is looked for attacks in: nothing ever stands against prose.
    fn searched(&self) -> Input {
        let sort = if self.input == Input::Code { Sort::Code } else { Sort::Attack };
        let is_off = self.look.handlings.sort(sort) == ByLevel::default();
        if is_off { Input::Prose } else { self.input }
    }

    /// What was found in a text, with what is to be done with it on this way.
    fn weighed(&self, text: &str, mut looked: Looked) -> Looked {
        // Who is named in an address gets all of it, from a tool that only reads as well.
        let goes_out = self.goes_out || matches!(self.input, Input::Address | Input::Host);
        for hit in looked.hits.iter_mut().filter(|hit| hit.sort == Sort::Secret) {
            // What the user or this server has given may go there.
            let given = text.get(hit.span.clone()).is_some_and(|secret| self.is_given(secret));
            if given || !goes_out {
                hit.handling = hit.handling.min(Handling::Flag);
            }
        }
        looked
    }

    fn is_given(&self, secret: &str) -> bool {
        let grade = self.core.history.grade(secret, self.call.server, self.core.now);
        grade.integrity >= Some(Integrity::OwnRecord)
    }
}

/// The text as records and people are shown it, whatever becomes of the call; none where that is no other.
fn concealed(text: &str, looked: &Looked) -> Option<String> {
    let kept = looked.hits.iter().filter(|hit| matches!(hit.sort, Sort::Secret | Sort::Personal));
    let mut spans = kept.map(|hit| hit.span.clone()).peekable();
    spans.peek().is_some().then(|| redact(text, spans, MARK))
}
