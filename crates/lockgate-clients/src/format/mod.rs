//! The formats that files of clients are written in, each read into the same tree.

mod json;
mod toml;
mod yaml;

use std::path::Path;

use crate::tree::{Node, Trouble};

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON, with comments and commas at ends as editors write them.
    Json,
    /// TOML
    Toml,
    /// YAML
    Yaml,
}

/// What was read: as much as there is, and where it is broken. Offsets are those of the text.
pub(crate) struct Parsed {
    /// `None` where nothing could be read.
    pub(crate) root: Option<Node>,
    pub(crate) troubles: Vec<(Trouble, usize)>,
}

/// Deepest nesting.
const DEPTH: usize = 128;

/// Most troubles that are told of one file.
const TROUBLES: usize = 100;

impl Format {
    /// By the end of a file's name.
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => Self::Toml,
            Some("yaml" | "yml") => Self::Yaml,
            _ => Self::Json,
        }
    }

    pub(crate) fn parse(self, text: &str) -> Parsed {
        match self {
            Self::Json => json::parse(text),
            Self::Toml => toml::parse(text),
            Self::Yaml => yaml::parse(text),
        }
    }
}

/// The first byte of JSON from `at` on that is no space and in no comment.
pub(crate) fn skip(text: &str, at: usize) -> usize {
    json::skip(text, at)
}
