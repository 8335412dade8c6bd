use std::cmp::Ordering;

use super::code::{Code, Risk};
use super::meaning::Meaning;
use super::{Change, Diff, What, sign, words};
use crate::canonical::text;
use crate::definition::Kind;
use crate::value::{Member, Value, by_units};

/// Longest pointer of a change, in characters.
const POINTER: usize = 1024;
/// Longest text of what was or is there, in characters.
const EXCERPT: usize = 4096;

pub(super) fn compare(kind: Kind, old: &Value<'_>, new: &Value<'_>) -> Diff {
    let mut comparison =
        Comparison { diff: Diff { changes: Vec::new(), more: 0, risk: Risk::None }, pointer: String::new() };
    match kind {
        // It is nothing but a text.
        Kind::Instructions => comparison.compare(Meaning::Other(Code::TextChanged), Some(old), Some(new)),
        Kind::Tool | Kind::Prompt | Kind::Resource | Kind::Template | Kind::Identity => {
            comparison.compare(Meaning::Whole(kind), Some(old), Some(new));
        }
    }
    comparison.diff
}

/// Goes through two values at once. Whenever two are not equal, at least one change is noted.
pub(super) struct Comparison {
    diff: Diff,
    /// Of the two values that are compared now.
    pointer: String,
}

impl Comparison {
    pub(super) fn compare(&mut self, meaning: Meaning, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        if old == new {
            return;
        }
        let both = old.is_some() && new.is_some();
        match meaning {
            Meaning::Whole(_) | Meaning::Schemas | Meaning::Argument | Meaning::Other(_) if both => {
                self.inside(meaning, old, new);
            }
            Meaning::Whole(_) | Meaning::Schemas | Meaning::Argument => self.note(Code::Changed, old, new),
            Meaning::Other(code) => self.note(code, old, new),
            Meaning::Parameters | Meaning::Hints => self.tables(meaning, Code::Changed, old, new),
            Meaning::Schema => self.schema(old, new),
            Meaning::Alternatives => self.schemas([Code::WiderType, Code::NarrowerType], old, new),
            Meaning::Together => self.schemas([Code::ConstraintTightened, Code::ConstraintDropped], old, new),
            Meaning::Required => self.required(old, new),
            Meaning::Values => self.values(old, new),
            Meaning::Types => self.types(old, new),
            Meaning::Most => self.bound(Ordering::Greater, old, new),
            Meaning::Least => self.bound(Ordering::Less, old, new),
            Meaning::Constraint => {
                self.either(
                    [Code::ConstraintTightened, Code::ConstraintDropped, Code::ConstraintChanged],
                    old,
                    new,
                );
            }
            Meaning::Constant => {
                self.either([Code::ConstraintTightened, Code::WiderValues, Code::ConstantChanged], old, new);
            }
            Meaning::Hint(default) => self.hint(default, old, new),
            Meaning::Arguments => self.arguments(old, new),
            Meaning::Needed => self.needed(old, new),
            Meaning::Title => self.title(old, new),
            Meaning::Address => self.address(old, new),
            Meaning::Icons => self.icons(old, new),
        }
    }

    /// Notes a change here, with what the new text looks like.
    pub(super) fn note(&mut self, code: Code, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        let what = match (old, new) {
            (None, _) => What::Added,
            (_, None) => What::Removed,
            _ => What::Changed,
        };
        let mut codes = vec![code];
        codes.extend(sign::new_in(old, new));
        let risk = codes.iter().map(|code| code.risk()).max().unwrap_or(Risk::None);
        self.diff.risk = self.diff.risk.max(risk);
        if self.diff.changes.len() == Diff::MOST {
            self.diff.more += 1;
            return;
        }
        let words = match (old, new) {
            (Some(Value::Text(old)), Some(Value::Text(new))) => words::compare(old, new),
            _ => Vec::new(),
        };
        self.diff.changes.push(Change {
            pointer: cut(&self.pointer, POINTER),
            what,
            codes,
            old: old.map(|value| cut(&text(value), EXCERPT)),
            new: new.map(|value| cut(&text(value), EXCERPT)),
            words,
        });
    }

    /// Does something one step further in.
    pub(super) fn at(&mut self, step: &str, inner: impl FnOnce(&mut Self)) {
        let here = self.pointer.len();
        self.pointer.push('/');
        for letter in step.chars() {
            match letter {
                '~' => self.pointer.push_str("~0"),
                '/' => self.pointer.push_str("~1"),
                other => self.pointer.push(other),
            }
        }
        inner(self);
        self.pointer.truncate(here);
    }

    /// Two values that differ: member by member or element by element where they can be told apart so.
    fn inside(&mut self, meaning: Meaning, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        let code = if let Meaning::Other(code) = meaning { code } else { Code::Changed };
        match (old, new) {
            (Some(Value::Table(old)), Some(Value::Table(new))) => self.members(meaning, old, new),
            (Some(Value::List(old)), Some(Value::List(new))) if old.len() == new.len() => {
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    self.at(&index.to_string(), |inner| inner.compare(meaning, Some(old), Some(new)));
                }
            }
            _ => self.note(code, old, new),
        }
    }

    /// Member by member, where a table that is missing is as good as an empty one.
    fn tables(&mut self, meaning: Meaning, code: Code, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        match (table(old), table(new)) {
            (Some(old), Some(new)) if !(old.is_empty() && new.is_empty()) => self.members(meaning, old, new),
            _ => self.note(code, old, new),
        }
    }

    /// Goes through the members of both, which are in one order.
    fn members(&mut self, meaning: Meaning, old: &[Member<'_>], new: &[Member<'_>]) {
        let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (Some((a, _)), Some((b, _))) => by_units(a, b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return,
            };
            let was = if order == Ordering::Greater { None } else { old.next() };
            let is = if order == Ordering::Less { None } else { new.next() };
            let Some((name, _)) = is.or(was) else { return };
            let (was, is) = (was.map(|(_, value)| value), is.map(|(_, value)| value));
            self.at(name, |inner| inner.member(meaning, name, was, is));
        }
    }

    fn member(&mut self, outer: Meaning, name: &str, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        match (outer, old, new) {
            (Meaning::Parameters, None, _) => self.note(Code::ParameterAdded, old, new),
            (Meaning::Parameters, _, None) => self.note(Code::ParameterRemoved, old, new),
            _ => self.compare(outer.of(name), old, new),
        }
    }

    /// One schema. Without it anything is allowed, as with `true` and `{}`.
    fn schema(&mut self, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        let anything = |value: Option<&Value<'_>>| match value {
            None | Some(Value::Bool(true)) => true,
            Some(Value::Table(members)) => members.is_empty(),
            Some(Value::Null | Value::Bool(false) | Value::Number(_) | Value::Text(_) | Value::List(_)) => {
                false
            }
        };
        match (old, new) {
            (Some(Value::Table(old)), Some(Value::Table(new))) => self.members(Meaning::Schema, old, new),
            _ if anything(old) && anything(new) => self.note(Code::Changed, old, new),
            _ if anything(new) => self.note(Code::ConstraintDropped, old, new),
            _ if anything(old) => self.note(Code::ConstraintTightened, old, new),
            _ => self.note(Code::ConstraintChanged, old, new),
        }
    }

    /// A limit that is new, gone or another one.
    pub(super) fn either(
        &mut self,
        [added, removed, changed]: [Code; 3],
        old: Option<&Value<'_>>,
        new: Option<&Value<'_>>,
    ) {
        let code = match (old, new) {
            (None, _) => added,
            (_, None) => removed,
            _ => changed,
        };
        self.note(code, old, new);
    }

    /// A number above or below which nothing is allowed; further out in that direction it allows more.
    fn bound(&mut self, outward: Ordering, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        let code = match (old, new) {
            (Some(Value::Number(old)), Some(Value::Number(new))) if new.total_cmp(old) == outward => {
                Code::ConstraintDropped
            }
            (Some(Value::Number(_)) | None, Some(Value::Number(_))) => Code::ConstraintTightened,
            (_, None) => Code::ConstraintDropped,
            _ => Code::ConstraintChanged,
        };
        self.note(code, old, new);
    }

    fn hint(&mut self, default: bool, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        let said = |value: Option<&Value<'_>>| match value {
            None => Some(default),
            Some(Value::Bool(said)) => Some(*said),
            Some(Value::Null | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Table(_)) => None,
        };
        let same = said(old).is_some() && said(old) == said(new);
        self.note(if same { Code::HintStated } else { Code::HintFlipped }, old, new);
    }

    fn needed(&mut self, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        let needed = |value: Option<&Value<'_>>| value == Some(&Value::Bool(true));
        let code = match (needed(old), needed(new)) {
            (false, true) => Code::NewlyRequired,
            (true, false) => Code::NoLongerRequired,
            _ => Code::Changed,
        };
        self.note(code, old, new);
    }

    fn title(&mut self, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        let title = [old, new].into_iter().flatten().all(|value| matches!(value, Value::Text(_)));
        self.note(if title { Code::TitleChanged } else { Code::Changed }, old, new);
    }
}

/// The members; none where nothing is there. `None` where it is no table.
fn table<'v, 'a>(value: Option<&'v Value<'a>>) -> Option<&'v [Member<'a>]> {
    match value {
        None => Some(&[]),
        Some(Value::Table(members)) => Some(members),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_)) => None,
    }
}

/// The text, or its first characters and `…`.
fn cut(text: &str, most: usize) -> String {
    let mut letters = text.chars();
    let mut out: String = letters.by_ref().take(most).collect();
    if letters.next().is_some() {
        out.push('…');
    }
    out
}
