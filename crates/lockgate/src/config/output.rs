//! `detect.output`: what may be in a result, whatever it says.

use lockgate_core::{Detect, Handling};
use schemars::JsonSchema;

use super::bounds;
use super::error::{At, Report, quoted};
use super::schema;
use super::section::Section;
use super::words::{BESIDE, PAGES};

/// What may be in a result.
#[derive(JsonSchema)]
#[schemars(rename = "Output", deny_unknown_fields)]
pub(super) struct RawOutput {
    /// Are texts of results put between marks that say they are data of outsiders, with a word in them that nobody can guess?
    #[schemars(with = "Option<bool>", extend("default" = false))]
    mark: Option<At<bool>>,
    /// Most parts of one result; then `output_too_large`.
    #[schemars(with = "Option<schema::Count>")]
    parts: At<u64>,
    /// Types of files that may be in a result, as `image/png` or `text/*`. Others, and files that cannot be read, are refused with
    /// `media_refused`. Without it, every type. A file that is not what it is said to be is always refused.
    #[schemars(with = "Option<Vec<String>>", extend("uniqueItems" = true))]
    types: Option<At<Vec<At<String>>>>,
    /// Most bytes of one file in a result; then `media_refused`.
    #[schemars(with = "Option<schema::Size>")]
    media_bytes: At<u64>,
    /// What is done with what stands in pictures and sound beside what is seen and heard: comments, EXIF, what is behind the end.
    /// Where it gives orders, `results.injection` counts.
    #[schemars(with = "Option<schema::Beside>", extend("default" = "off"))]
    metadata: Option<At<Handling>>,
    /// What is done with HTML.
    #[schemars(with = "Option<schema::Pages>", extend("default" = "keep"))]
    html: Option<At<bool>>,
    /// Are members of `_meta` taken out of results that the protocol does not define?
    #[schemars(with = "Option<bool>", extend("default" = false))]
    strip_meta: Option<At<bool>>,
    /// Are the `instructions` of servers, what they tell the model to do with them, left out? They are looked at and pinned all the same.
    #[schemars(with = "Option<bool>", extend("default" = false))]
    strip_instructions: Option<At<bool>>,
}

impl RawOutput {
    pub(super) fn read(section: Section<'_>, report: &Report) -> Self {
        let raw = Self {
            mark: section.switch("mark"),
            parts: section.measure(&bounds::OUTPUT_PARTS),
            types: section.texts("types"),
            media_bytes: section.measure(&bounds::MEDIA_BYTES),
            metadata: section.word("metadata", BESIDE),
            html: section.word("html", PAGES),
            strip_meta: section.switch("strip_meta"),
            strip_instructions: section.switch("strip_instructions"),
        };
        section.close();
        for kind in raw.types.iter().flat_map(|types| &types.value).filter(|kind| !is_type(&kind.value)) {
            let message = format!("{} is no type of files", quoted(&kind.value));
            report.error(kind.place, message, "write `image/png`, `image/*` or `*/*`");
        }
        raw
    }

    pub(super) fn apply(&self, detect: &mut Detect) {
        if let Some(mark) = &self.mark {
            detect.marks = mark.value;
        }
        if self.parts.is_written() {
            detect.most_parts = usize::try_from(self.parts.value).unwrap_or(usize::MAX);
        }
        if let Some(types) = &self.types {
            detect.types = Some(types.value.iter().map(|kind| kind.value.clone()).collect());
        }
        if self.media_bytes.is_written() {
            detect.most_media_bytes = usize::try_from(self.media_bytes.value).unwrap_or(usize::MAX);
        }
        if let Some(metadata) = &self.metadata {
            detect.metadata = metadata.value;
        }
        if let Some(sanitises) = &self.html {
            detect.sanitises = sanitises.value;
        }
        if let Some(strips) = &self.strip_meta {
            detect.strips_meta = strips.value;
        }
        if let Some(strips) = &self.strip_instructions {
            detect.strips_instructions = strips.value;
        }
    }
}

/// Is it a media type, or a pattern of some? `*/png` is none.
fn is_type(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    match text.split_once('/') {
        Some((family, "*")) => family == "*" || is_name(family),
        Some((family, name)) => is_name(family) && is_name(name),
        None => false,
    }
}
