//! The entry by which a client reaches Lockgate, as that client wants it.

use serde_json::{Map, Value, json};

use crate::client::{Client, Style};
use crate::{Secret, Variable};

/// How a client gets to Lockgate.
#[derive(Clone, Debug)]
pub enum Route {
    /// It starts the program.
    Stdio {
        /// The program and its arguments.
        words: Vec<String>,
        /// Variables for it, with values as they stood in the client's file.
        env: Vec<(String, Secret)>,
        /// Variables of the client's environment that it hands on only where it is told to.
        inherits: Vec<String>,
    },
    /// It connects to a gateway that runs.
    Http {
        /// The address.
        url: String,
    },
}

/// The entry, or `None` where the client cannot go that way. It holds the values of the variables: it is for the file alone.
pub fn entry(client: &Client, name: &str, route: &Route) -> Option<Value> {
    let mut entry = Map::new();
    match route {
        Route::Http { url } => {
            let reached = client.reached?;
            named(client, name, &mut entry);
            if let Some(kind) = reached.kind {
                entry.insert("type".to_owned(), json!(kind));
            }
            entry.insert(reached.key.to_owned(), json!(url));
        }
        Route::Stdio { words, env, inherits } => {
            let (program, arguments) = words.split_first()?;
            let env: Map<String, Value> =
                env.iter().map(|(name, value)| (name.clone(), json!(value.reveal()))).collect();
            named(client, name, &mut entry);
            let (command, args, variables) = match client.style {
                Style::OpenCode => {
                    entry.insert("type".to_owned(), json!("local"));
                    entry.insert("command".to_owned(), json!(words));
                    (None, None, "environment")
                }
                Style::Goose => {
                    entry.insert("type".to_owned(), json!("stdio"));
                    (Some("cmd"), Some("args"), "envs")
                }
                Style::Typed => {
                    entry.insert("type".to_owned(), json!("stdio"));
                    (Some("command"), Some("args"), "env")
                }
                Style::Plain | Style::Named => (Some("command"), Some("args"), "env"),
            };
            entry.extend(command.map(|key| (key.to_owned(), json!(program))));
            entry.extend(args.map(|key| (key.to_owned(), json!(arguments))));
            if !env.is_empty() {
                entry.insert(variables.to_owned(), Value::Object(env));
            }
            if !inherits.is_empty() {
                entry.insert("env_vars".to_owned(), json!(inherits));
            }
        }
    }
    Some(Value::Object(entry))
}

fn named(client: &Client, name: &str, entry: &mut Map<String, Value>) {
    match client.style {
        Style::Goose => {
            entry.insert("name".to_owned(), json!(name));
            entry.insert("enabled".to_owned(), json!(true));
        }
        Style::Named => {
            entry.insert("name".to_owned(), json!(name));
        }
        Style::Plain | Style::Typed | Style::OpenCode => {}
    }
}

impl Variable {
    /// Its name and value.
    pub fn pair(&self) -> (String, Secret) {
        (self.name.clone(), self.value.clone())
    }
}
