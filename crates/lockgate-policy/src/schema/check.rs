//! Holding a value against the nodes of a schema.

use std::collections::BTreeSet;

use lockgate_model::{Json, Kind};

use super::compile::Compiled;
use super::misfit::{Misfit, Why};
use super::node::{
    Applied, ArrayRules, Contains, Node, NodeId, NumberRules, ObjectRules, PatternId, Rules, TextRules,
};
use super::pattern::Pattern;
use super::stop::{Checked, Seen, Step, Stop, nearest};
use super::value::{self, Value};
use crate::number::Number;

/// Deepest nesting of schemas that apply, each inside the other.
const DEEPEST: usize = 256;
/// What meeting a schema costs. The unit of work is one byte read, about a nanosecond.
const MEETING: usize = 32;
/// What a byte costs that is read into a tree and compared: about as many nanoseconds for the smallest values.
const COMPARING: usize = 32;
/// What a byte of a number costs: its digits are gone over for each bound.
const COMPUTING: usize = 8;
/// Work that any check may take.
const WORK: usize = 1 << 20;
/// Work that each byte of the value adds.
const WORK_PER_BYTE: usize = 64;
/// Most work of a check, whatever the value.
const MOST_WORK: usize = 256 << 20;

/// Does the value fit? If `is_closed`, it must be an object without any member that the schema does not declare.
pub(super) fn check(schema: &Compiled, value: Json<'_>, is_closed: bool) -> Result<(), Misfit> {
    let work = WORK.saturating_add(value.raw().len().saturating_mul(WORK_PER_BYTE)).min(MOST_WORK);
    let mut checker = Checker { nodes: &schema.nodes, patterns: &schema.patterns, work, depth: 0 };
    let result =
        if is_closed { checker.closed(schema.root, value) } else { checker.node(schema.root, value, None) };
    result.map_err(Stop::into_misfit)
}

struct Checker<'s> {
    nodes: &'s [Node],
    patterns: &'s [Option<Pattern>],
    work: usize,
    depth: usize,
}

impl<'s> Checker<'s> {
    fn closed(&mut self, root: NodeId, value: Json<'_>) -> Checked<'s> {
        if value.kind() != Kind::Object {
            return Err(Why::NotAnObject.into());
        }
        let mut seen = Seen::default();
        self.node(root, value, Some(&mut seen))?;
        let is_declared = seen.all || (0..value.members().count()).all(|index| seen.has(index));
        if is_declared { Ok(()) } else { Err(Why::Undeclared.into()) }
    }

    /// One schema against one value. `seen` is filled only if the value fits.
    fn node(&mut self, id: NodeId, value: Json<'_>, seen: Option<&mut Seen>) -> Checked<'s> {
        self.spend(MEETING)?;
        let nodes = self.nodes;
        match nodes.get(id.0) {
            Some(Node::Anything) => Ok(()),
            Some(Node::Nothing) | None => Err(Why::Nothing.into()),
            Some(Node::Rules(rules)) => {
                if self.depth == DEEPEST {
                    return Err(Why::Endless.into());
                }
                self.depth += 1;
                let result = self.rules(rules, value, seen);
                self.depth -= 1;
                result
            }
        }
    }

    fn rules(&mut self, rules: &'s Rules, value: Json<'_>, seen: Option<&mut Seen>) -> Checked<'s> {
        let (unevaluated, why) = match value.kind() {
            Kind::Object => (rules.unevaluated_properties, Why::UnevaluatedProperties),
            Kind::Array => (rules.unevaluated_items, Why::UnevaluatedItems),
            Kind::String | Kind::Number | Kind::Bool | Kind::Null => (None, Why::Nothing),
        };
        let Some(rest) = unevaluated else { return self.assertions(rules, value, seen) };
        let mut own = Seen::default();
        self.assertions(rules, value, Some(&mut own))?;
        if !own.all {
            self.unevaluated(rest, why, value, &own)?;
        }
        if let Some(seen) = seen {
            seen.all = true;
        }
        Ok(())
    }

    fn unevaluated(&mut self, rest: NodeId, why: Why, value: Json<'_>, seen: &Seen) -> Checked<'s> {
        self.spend(value.raw().len())?;
        for (_, (_, member)) in value.members().enumerate().filter(|(index, _)| !seen.has(*index)) {
            self.rest(rest, why, member, Step::Undeclared)?;
        }
        for (index, element) in value.elements().enumerate().filter(|(index, _)| !seen.has(*index)) {
            self.rest(rest, why, element, Step::Index(index))?;
        }
        Ok(())
    }

    /// A schema for what is not declared. Where it is `false`, the fault is that of the whole, and of the keyword.
    fn rest(&mut self, id: NodeId, why: Why, value: Json<'_>, step: Step<'s>) -> Checked<'s> {
        if matches!(self.nodes.get(id.0), Some(Node::Nothing)) {
            return Err(why.into());
        }
        self.node(id, value, None).map_err(|stop| stop.below(step))
    }

    fn assertions(&mut self, rules: &'s Rules, value: Json<'_>, mut seen: Option<&mut Seen>) -> Checked<'s> {
        let kind = value.kind();
        if kind == Kind::Number {
            self.spend(value.raw().len().saturating_mul(COMPUTING))?;
        }
        let is_integer = || value::number(value).is_some_and(|number| number.is_integer());
        if let Some(types) = rules.types
            && !types.has(kind, is_integer)
        {
            return Err(Why::Type(types).into());
        }
        if rules.constant.is_some() || rules.choices.is_some() {
            self.values(rules, value)?;
        }
        match kind {
            Kind::Number => rules.number.as_deref().map_or(Ok(()), |rules| number(rules, value))?,
            Kind::String => {
                if let Some(rules) = rules.text.as_deref() {
                    self.text(rules, value)?;
                }
            }
            Kind::Array => {
                if let Some(rules) = rules.array.as_deref() {
                    self.array(rules, value, seen.as_deref_mut())?;
                }
            }
            Kind::Object => {
                if let Some(rules) = rules.object.as_deref() {
                    self.object(rules, value, seen.as_deref_mut())?;
                }
            }
            Kind::Bool | Kind::Null => {}
        }
        rules.applied.as_deref().map_or(Ok(()), |applied| self.applied(applied, value, seen))
    }

    // ---- plain values ----

    fn values(&mut self, rules: &Rules, value: Json<'_>) -> Checked<'s> {
        let each = if matches!(value.kind(), Kind::Array | Kind::Object) { COMPARING } else { 1 };
        self.spend(value.raw().len().saturating_mul(each))?;
        let value = Value::read(value).ok_or(Why::UnknownNumber)?;
        if rules.constant.as_ref().is_some_and(|constant| *constant != value) {
            return Err(Why::Const.into());
        }
        if rules.choices.as_ref().is_some_and(|choices| choices.binary_search(&value).is_err()) {
            return Err(Why::Enum.into());
        }
        Ok(())
    }

    fn text(&mut self, rules: &TextRules, value: Json<'_>) -> Checked<'s> {
        self.spend(value.raw().len())?;
        let text = value.text().unwrap_or_default();
        let length = text.chars().count();
        if length < rules.length.least {
            return Err(Why::MinLength.into());
        }
        if length > rules.length.most {
            return Err(Why::MaxLength.into());
        }
        match rules.pattern.map(|pattern| self.matches(pattern, &text)).transpose()? {
            Some(false) => Err(Why::Pattern.into()),
            Some(true) | None => Ok(()),
        }
    }

    fn matches(&mut self, id: PatternId, text: &str) -> Result<bool, Stop<'s>> {
        let patterns = self.patterns;
        let pattern = patterns.get(id.0).and_then(Option::as_ref).ok_or(Why::UnknownPattern)?;
        self.spend(text.len().saturating_mul(pattern.passes()))?;
        pattern.is_match(text).ok_or(Why::UnknownPattern.into())
    }

    // ---- arrays ----

    fn array(&mut self, rules: &'s ArrayRules, value: Json<'_>, mut seen: Option<&mut Seen>) -> Checked<'s> {
        self.spend(value.raw().len())?;
        let mut length = 0;
        for (index, element) in value.elements().enumerate() {
            length += 1;
            match (rules.first.get(index), rules.rest) {
                (Some(node), _) => {
                    self.node(*node, element, None).map_err(|stop| stop.below(Step::Index(index)))?;
                }
                (None, Some(rest)) => self.rest(rest, Why::Items, element, Step::Index(index))?,
                (None, None) => continue,
            }
            if let Some(seen) = seen.as_deref_mut() {
                seen.mark(index);
            }
        }
        if length < rules.length.least {
            return Err(Why::MinItems.into());
        }
        if length > rules.length.most {
            return Err(Why::MaxItems.into());
        }
        if let Some(contains) = &rules.contains {
            self.contains(contains, value, seen)?;
        }
        if rules.unique { self.unique(value) } else { Ok(()) }
    }

    fn contains(&mut self, rules: &Contains, value: Json<'_>, mut seen: Option<&mut Seen>) -> Checked<'s> {
        self.spend(value.raw().len())?;
        let mut found = 0;
        for (index, element) in value.elements().enumerate() {
            if self.attempt(rules.node, element, None)?.is_none() {
                found += 1;
                if let Some(seen) = seen.as_deref_mut().filter(|_| rules.marks) {
                    seen.mark(index);
                }
            }
        }
        if found < rules.count.least {
            return Err(Why::MinContains.into());
        }
        if found > rules.count.most { Err(Why::MaxContains.into()) } else { Ok(()) }
    }

    fn unique(&mut self, value: Json<'_>) -> Checked<'s> {
        self.spend(value.raw().len().saturating_mul(COMPARING))?;
        let mut values =
            value.elements().map(Value::read).collect::<Option<Vec<_>>>().ok_or(Why::UnknownNumber)?;
        values.sort_unstable();
        let twice = values.windows(2).any(|pair| matches!(pair, [one, other] if one == other));
        if twice { Err(Why::UniqueItems.into()) } else { Ok(()) }
    }

    // ---- objects ----

    fn object(
        &mut self,
        rules: &'s ObjectRules,
        value: Json<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Checked<'s> {
        self.spend(value.raw().len())?;
        let (mut count, mut required) = (0, 0);
        for (index, (key, member)) in value.members().enumerate() {
            count += 1;
            let name = key.text();
            if rules.required.binary_search_by(|known| (**known).cmp(&name)).is_ok() {
                required += 1;
            }
            if let Some(names) = rules.names {
                self.name(names, &name)?;
            }
            if self.member(rules, &name, member)?
                && let Some(seen) = seen.as_deref_mut()
            {
                seen.mark(index);
            }
        }
        if required < rules.required.len() {
            return Err(self.lacking(Why::Required, &rules.required, value));
        }
        if count < rules.count.least {
            return Err(Why::MinProperties.into());
        }
        if count > rules.count.most {
            return Err(Why::MaxProperties.into());
        }
        self.dependent(rules, value, seen)
    }

    /// One member against all that speaks about it; false if nothing does.
    fn member(&mut self, rules: &'s ObjectRules, name: &str, member: Json<'_>) -> Result<bool, Stop<'s>> {
        let mut is_declared = false;
        if let Some((declared, node)) = rules.properties.get_key_value(name) {
            is_declared = true;
            self.node(*node, member, None).map_err(|stop| stop.below(Step::Declared(declared)))?;
        }
        for (pattern, node) in &rules.patterns {
            if self.matches(*pattern, name)? {
                is_declared = true;
                self.node(*node, member, None).map_err(|stop| stop.below(Step::Undeclared))?;
            }
        }
        if let Some(rest) = rules.additional.filter(|_| !is_declared) {
            is_declared = true;
            self.rest(rest, Why::AdditionalProperties, member, Step::Undeclared)?;
        }
        Ok(is_declared)
    }

    fn name(&mut self, names: NodeId, name: &str) -> Checked<'s> {
        let quoted = lockgate_model::quote(name);
        let json = Json::check(quoted.as_bytes(), 1).map_err(|_| Why::PropertyNames)?;
        match self.attempt(names, json, None)? {
            None => Ok(()),
            Some(_) => Err(Why::PropertyNames.into()),
        }
    }

    fn dependent(
        &mut self,
        rules: &'s ObjectRules,
        value: Json<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Checked<'s> {
        for (name, required) in &rules.dependent_required {
            self.spend(value.raw().len())?;
            if value.get(name).is_some() {
                self.spend(value.raw().len().saturating_mul(required.len()))?;
                if required.iter().any(|name| value.get(name).is_none()) {
                    return Err(self.lacking(Why::DependentRequired, required, value));
                }
            }
        }
        for (name, node) in &rules.dependent_schemas {
            self.spend(value.raw().len())?;
            if value.get(name).is_some() {
                self.node(*node, value, seen.as_deref_mut())?;
            }
        }
        Ok(())
    }

    /// The misfit of an object that lacks one of the names: the first.
    fn lacking(&mut self, why: Why, names: &'s [Box<str>], value: Json<'_>) -> Stop<'s> {
        if let Err(stop) = self.spend(value.raw().len().saturating_mul(COMPARING)) {
            return stop;
        }
        let present: BTreeSet<_> = value.members().map(|(key, _)| key.text()).collect();
        let member = names.iter().map(AsRef::as_ref).find(|name: &&str| !present.contains(*name));
        Stop { why, path: Vec::new(), member }
    }

    // ---- schemas on the same value ----

    fn applied(&mut self, rules: &'s Applied, value: Json<'_>, mut seen: Option<&mut Seen>) -> Checked<'s> {
        for node in [rules.reference, rules.dynamic_reference].iter().flatten().chain(&rules.all) {
            self.node(*node, value, seen.as_deref_mut())?;
        }
        if let Some(any) = &rules.any {
            self.any(any, value, seen.as_deref_mut())?;
        }
        if let Some(one) = &rules.one {
            self.exactly_one(one, value, seen.as_deref_mut())?;
        }
        if let Some(not) = rules.not
            && self.attempt(not, value, None)?.is_none()
        {
            return Err(Why::Not.into());
        }
        let Some(condition) = &rules.condition else { return Ok(()) };
        let holds = self.attempt(condition.test, value, seen.as_deref_mut())?.is_none();
        let follows = if holds { condition.then } else { condition.otherwise };
        follows.map_or(Ok(()), |node| self.node(node, value, seen))
    }

    fn any(&mut self, nodes: &[NodeId], value: Json<'_>, mut seen: Option<&mut Seen>) -> Checked<'s> {
        let mut misfits = Vec::new();
        let mut fits = false;
        for node in nodes {
            match self.attempt(*node, value, seen.as_deref_mut())? {
                None if seen.is_none() => return Ok(()),
                None => fits = true,
                Some(misfit) => misfits.push(misfit),
            }
        }
        if fits { Ok(()) } else { Err(nearest(misfits, Why::AnyOf)) }
    }

    fn exactly_one(&mut self, nodes: &[NodeId], value: Json<'_>, mut seen: Option<&mut Seen>) -> Checked<'s> {
        let mut misfits = Vec::new();
        for node in nodes {
            if let Some(misfit) = self.attempt(*node, value, seen.as_deref_mut())? {
                misfits.push(misfit);
            }
        }
        match nodes.len() - misfits.len() {
            0 => Err(nearest(misfits, Why::OneOfNone)),
            1 => Ok(()),
            _ => Err(Why::OneOfSeveral.into()),
        }
    }

    /// Tries a schema: the misfit if there is one. What cannot be decided ends the whole check: taking it for a misfit
    /// would let `not` turn it into a fit.
    fn attempt(
        &mut self,
        id: NodeId,
        value: Json<'_>,
        seen: Option<&mut Seen>,
    ) -> Result<Option<Stop<'s>>, Stop<'s>> {
        let mut own = seen.is_some().then(Seen::default);
        match self.node(id, value, own.as_mut()) {
            Ok(()) => {
                if let (Some(seen), Some(own)) = (seen, own) {
                    seen.join(own);
                }
                Ok(None)
            }
            Err(stop) if stop.why.is_undecided() => Err(stop),
            Err(misfit) => Ok(Some(misfit)),
        }
    }

    fn spend(&mut self, work: usize) -> Checked<'s> {
        self.work = self.work.checked_sub(work).ok_or(Why::Endless)?;
        Ok(())
    }
}

fn number<'s>(rules: &NumberRules, value: Json<'_>) -> Checked<'s> {
    let number = value::number(value).ok_or(Why::UnknownNumber)?;
    let is_below = |bound: &Option<Number<'_>>| bound.as_ref().is_some_and(|bound| number < *bound);
    let is_above = |bound: &Option<Number<'_>>| bound.as_ref().is_some_and(|bound| number > *bound);
    let is_at = |bound: &Option<Number<'_>>| bound.as_ref().is_some_and(|bound| number == *bound);
    if is_below(&rules.minimum) {
        return Err(Why::Minimum.into());
    }
    if is_above(&rules.maximum) {
        return Err(Why::Maximum.into());
    }
    if is_below(&rules.exclusive_minimum) || is_at(&rules.exclusive_minimum) {
        return Err(Why::ExclusiveMinimum.into());
    }
    if is_above(&rules.exclusive_maximum) || is_at(&rules.exclusive_maximum) {
        return Err(Why::ExclusiveMaximum.into());
    }
    let Some(divisor) = &rules.multiple_of else { return Ok(()) };
    match number.is_multiple_of(divisor) {
        Some(true) => Ok(()),
        Some(false) => Err(Why::MultipleOf.into()),
        None => Err(Why::UnknownNumber.into()),
    }
}
