//! Tables per keyword, schemas of real servers, schemas that mean harm, and properties.

mod hostile;
mod keywords;
mod properties;
mod real;

use lockgate_model::Json;

use super::{BadSchema, Misfit, Schema, Undeclared};

fn json(text: &str) -> Json<'_> {
    Json::check(text.as_bytes(), 128).unwrap_or_else(|reason| panic!("{reason:?}: {text}"))
}

fn closed(schema: &str) -> Schema {
    Schema::compile(json(schema), Undeclared::Refuse).unwrap_or_else(|bad| panic!("{bad} {schema}"))
}

fn open(schema: &str) -> Schema {
    Schema::compile(json(schema), Undeclared::Allow).unwrap_or_else(|bad| panic!("{bad} {schema}"))
}

fn bad(schema: &str) -> BadSchema {
    Schema::compile(json(schema), Undeclared::Refuse).unwrap_err()
}

/// `ok`, or the keyword and the place of the misfit.
fn verdict(schema: &Schema, value: &str) -> String {
    match schema.check(Some(json(value))) {
        Ok(()) => "ok".to_owned(),
        Err(misfit) => format!("{} at {:?}", misfit.keyword(), misfit.place().forward()),
    }
}

/// A compiled schema is shared by all sessions.
#[test]
fn a_schema_can_be_shared() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&closed("{}"));
}
