//! What each keyword says.

use std::borrow::Cow;

use lockgate_model::{Json, Kind};

use super::bad_schema::{BadSchema, Fault};
use super::compile::{Compiler, Dialect, Words};
use super::node::{
    Applied, ArrayRules, Condition, Contains, NumberRules, ObjectRules, Range, TextRules, Types,
};
use super::value::{self, Value};
use crate::number::Number;

impl<'a> Compiler<'a> {
    pub(super) fn applied(
        &mut self,
        words: &Words<'a>,
        resource: usize,
    ) -> Result<Option<Box<Applied>>, BadSchema> {
        // Without `if` the other two mean nothing, but a reference may point into them.
        let test = self.one(words, "if", resource)?;
        let then = self.one(words, "then", resource)?;
        let otherwise = self.one(words, "else", resource)?;
        let condition = test.map(|test| Condition { test, then, otherwise });
        let applied = Applied {
            all: self.list(words, "allOf", resource)?.unwrap_or_default(),
            any: self.list(words, "anyOf", resource)?,
            one: self.list(words, "oneOf", resource)?,
            not: self.one(words, "not", resource)?,
            condition,
            ..Applied::default()
        };
        let is_said = !applied.all.is_empty()
            || applied.any.is_some()
            || applied.one.is_some()
            || applied.not.is_some()
            || applied.condition.is_some();
        Ok(is_said.then(|| Box::new(applied)))
    }

    pub(super) fn types(&self, words: &Words<'a>) -> Result<Option<Types>, BadSchema> {
        let Some(json) = words.get("type") else { return Ok(None) };
        let mut types = Types::default();
        let mut add = |json: Json<'_>| json.text().is_some_and(|name| types.add(&name));
        let is_known = match json.kind() {
            Kind::Array => json.elements().all(add),
            Kind::String | Kind::Object | Kind::Number | Kind::Bool | Kind::Null => add(*json),
        };
        if is_known { Ok(Some(types)) } else { Err(self.bad(Fault::Keyword("type"))) }
    }

    pub(super) fn choices(&self, words: &Words<'a>) -> Result<Option<Vec<Value<'static>>>, BadSchema> {
        let Some(json) = words.get("enum") else { return Ok(None) };
        if json.kind() != Kind::Array {
            return Err(self.bad(Fault::Keyword("enum")));
        }
        let mut choices = json.elements().map(|value| self.value(value)).collect::<Result<Vec<_>, _>>()?;
        choices.sort_unstable();
        Ok(Some(choices))
    }

    pub(super) fn number(&self, words: &Words<'a>) -> Result<Option<Box<NumberRules>>, BadSchema> {
        let rules = NumberRules {
            minimum: self.decimal(words, "minimum")?,
            maximum: self.decimal(words, "maximum")?,
            exclusive_minimum: self.decimal(words, "exclusiveMinimum")?,
            exclusive_maximum: self.decimal(words, "exclusiveMaximum")?,
            multiple_of: self.decimal(words, "multipleOf")?,
        };
        if rules.multiple_of.as_ref().is_some_and(|divisor| !divisor.is_positive()) {
            return Err(self.bad(Fault::Keyword("multipleOf")));
        }
        let is_said = [
            &rules.minimum,
            &rules.maximum,
            &rules.exclusive_minimum,
            &rules.exclusive_maximum,
            &rules.multiple_of,
        ]
        .into_iter()
        .any(Option::is_some);
        Ok(is_said.then(|| Box::new(rules)))
    }

    pub(super) fn text(&mut self, words: &Words<'a>) -> Result<Option<Box<TextRules>>, BadSchema> {
        let length = self.range(words, "minLength", "maxLength")?;
        let pattern = match words.get("pattern") {
            Some(json) => {
                let pattern = json.text().ok_or_else(|| self.bad(Fault::Keyword("pattern")))?;
                Some(self.pattern(&pattern))
            }
            None => None,
        };
        Ok((pattern.is_some() || length != Range::ANY).then(|| Box::new(TextRules { length, pattern })))
    }

    pub(super) fn array(
        &mut self,
        words: &Words<'a>,
        resource: usize,
    ) -> Result<Option<Box<ArrayRules>>, BadSchema> {
        let length = self.range(words, "minItems", "maxItems")?;
        let unique = match words.get("uniqueItems").map(|json| json.bool()) {
            Some(None) => return Err(self.bad(Fault::Keyword("uniqueItems"))),
            said => said.flatten().unwrap_or(false),
        };
        // Before 2020-12 a list of `items` was what `prefixItems` is now. In a newer schema a list can mean nothing
        // else, so it is read so in all of them.
        let is_list = words.get("items").is_some_and(|items| items.kind() == Kind::Array);
        let (first, rest) = if is_list {
            (self.list(words, "items", resource)?, self.one(words, "additionalItems", resource)?)
        } else {
            self.one(words, "additionalItems", resource)?;
            (self.list(words, "prefixItems", resource)?, self.one(words, "items", resource)?)
        };
        let count = self.range(words, "minContains", "maxContains")?;
        let least = if words.contains_key("minContains") { count.least } else { 1 };
        let contains = self.one(words, "contains", resource)?.map(|node| Contains {
            node,
            count: Range { least, ..count },
            marks: self.dialect == Dialect::Draft2020,
        });
        let rules = ArrayRules { length, unique, first: first.unwrap_or_default(), rest, contains };
        let is_said = length != Range::ANY
            || unique
            || !rules.first.is_empty()
            || rules.rest.is_some()
            || rules.contains.is_some();
        Ok(is_said.then(|| Box::new(rules)))
    }

    pub(super) fn object(
        &mut self,
        words: &Words<'a>,
        resource: usize,
    ) -> Result<Option<Box<ObjectRules>>, BadSchema> {
        let mut rules = ObjectRules {
            count: self.range(words, "minProperties", "maxProperties")?,
            properties: self.schemas_by_name(words, "properties", resource)?.into_iter().collect(),
            required: match words.get("required") {
                Some(json) => self.strings(*json, "required")?,
                None => Vec::new(),
            },
            additional: self.one(words, "additionalProperties", resource)?,
            names: self.one(words, "propertyNames", resource)?,
            dependent_schemas: self.schemas_by_name(words, "dependentSchemas", resource)?,
            ..ObjectRules::default()
        };
        for (pattern, node) in self.schemas_by_name(words, "patternProperties", resource)? {
            rules.patterns.push((self.pattern(&pattern), node));
        }
        for word in ["dependentRequired", "dependencies"] {
            self.dependent(words, word, resource, &mut rules)?;
        }
        let is_said = rules.count != Range::ANY
            || !rules.properties.is_empty()
            || !rules.required.is_empty()
            || !rules.patterns.is_empty()
            || rules.additional.is_some()
            || rules.names.is_some()
            || !rules.dependent_required.is_empty()
            || !rules.dependent_schemas.is_empty();
        Ok(is_said.then(|| Box::new(rules)))
    }

    /// `dependentRequired`, and `dependencies` of old, where a list of names and a schema stand side by side.
    fn dependent(
        &mut self,
        words: &Words<'a>,
        word: &'static str,
        resource: usize,
        rules: &mut ObjectRules,
    ) -> Result<(), BadSchema> {
        let Some(json) = self.object_of(words, word)? else { return Ok(()) };
        for (key, value) in json.members() {
            let name = Box::from(key.text());
            if value.kind() == Kind::Array {
                rules.dependent_required.push((name, self.strings(value, word)?));
            } else if word == "dependencies" {
                let node = self.inside([Cow::Borrowed(word), key.text()], value, resource)?;
                rules.dependent_schemas.push((name, node));
            } else {
                return Err(self.bad(Fault::Keyword(word)));
            }
        }
        Ok(())
    }

    // ---- plain values ----

    pub(super) fn value(&self, json: Json<'_>) -> Result<Value<'static>, BadSchema> {
        Value::read(json).map(Value::into_owned).ok_or_else(|| self.bad(Fault::Number))
    }

    fn decimal(&self, words: &Words<'a>, word: &'static str) -> Result<Option<Number<'static>>, BadSchema> {
        let Some(json) = words.get(word) else { return Ok(None) };
        if json.kind() != Kind::Number {
            return Err(self.bad(Fault::Keyword(word)));
        }
        let number = value::number(*json).ok_or_else(|| self.bad(Fault::Number))?;
        Ok(Some(number.into_owned()))
    }

    fn range(&self, words: &Words<'a>, least: &'static str, most: &'static str) -> Result<Range, BadSchema> {
        Ok(Range {
            least: self.count(words, least)?.unwrap_or(Range::ANY.least),
            most: self.count(words, most)?.unwrap_or(Range::ANY.most),
        })
    }

    fn count(&self, words: &Words<'a>, word: &'static str) -> Result<Option<usize>, BadSchema> {
        let Some(json) = words.get(word) else { return Ok(None) };
        let count = (json.kind() == Kind::Number).then(|| value::number(*json)).flatten();
        let count = count.and_then(|count| count.to_count());
        count.map(Some).ok_or_else(|| self.bad(Fault::Keyword(word)))
    }

    /// A list of strings, sorted, each once.
    fn strings(&self, json: Json<'a>, word: &'static str) -> Result<Vec<Box<str>>, BadSchema> {
        let texts = json.elements().map(|name| name.text().map(Box::from)).collect::<Option<Vec<Box<str>>>>();
        let mut texts =
            texts.filter(|_| json.kind() == Kind::Array).ok_or_else(|| self.bad(Fault::Keyword(word)))?;
        texts.sort_unstable();
        texts.dedup();
        Ok(texts)
    }
}
