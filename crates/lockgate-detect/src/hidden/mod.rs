//! What nobody sees in a text, and what moves or paints over what is seen.
//!
//! A model reads characters; a person reads what is drawn. What only the model reads is where orders are hidden. What honest
//! texts never have is [`Level::Block`]; what they have now and then is [`Level::Review`]; what is ordinary and still not
//! seen, as a comment in HTML, is found with [`Level::None`], so that whoever calls can judge what it says.
//!
//! SAFE-MCP T1402 (instruction steganography), T1401; Boucher and Anderson, *Trojan Source* (2021), for directions.

mod clean;
mod decode;
mod disguise;
mod found;
mod gap;
mod letters;
mod markup;
mod skim;
mod style;
mod terminal;

use std::borrow::Cow;
use std::ops::Range;

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::Level;

pub use clean::clean;
pub(crate) use markup::unseen;

/// Most findings of a level in one text. Where there are more of those that count, the last one covers the rest of the text;
/// more of level [`Level::None`] are not told.
pub const MOST: usize = 1024;
/// Most of what one finding says. Bytes.
pub const DECODED: usize = 2048;

/// Something that is not seen, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// What it is.
    pub kind: HiddenKind,
    /// The bytes of the text that it takes up; it begins and ends between characters.
    pub span: Range<usize>,
    /// What a model would read in it, where that is other than what stands there: at most [`DECODED`] bytes.
    pub decoded: Option<String>,
    /// How bad that is, whatever it says.
    pub level: Level,
}

/// Ways to hide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HiddenKind {
    /// Characters without width: spaces, joiners, fillers, soft hyphens.
    ZeroWidth,
    /// Characters that turn the direction of text around.
    Direction,
    /// Tag characters: ASCII that is not shown.
    Tags,
    /// Variation selectors that select nothing: bytes that are not shown.
    Selectors,
    /// A word with letters of another alphabet that look like its own.
    Disguise,
    /// Orders to a terminal that hide text, move over it, or have another effect.
    Terminal,
    /// A comment in HTML or Markdown.
    Comment,
    /// An element of HTML that is not drawn, or so that nobody sees it.
    Styled,
    /// So much white space that what follows is out of sight.
    Gap,
    /// Control characters.
    Control,
    /// Characters without a meaning that all know.
    Private,
    /// Markup that cannot be read to its end.
    Unread,
}

impl HiddenKind {
    /// The rule, as it stands in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::ZeroWidth => "hidden_zero_width",
            Self::Direction => "hidden_direction",
            Self::Tags => "hidden_tags",
            Self::Selectors => "hidden_selectors",
            Self::Disguise => "hidden_disguise",
            Self::Terminal => "hidden_terminal",
            Self::Comment => "hidden_comment",
            Self::Styled => "hidden_styled",
            Self::Gap => "hidden_gap",
            Self::Control => "hidden_control",
            Self::Private => "hidden_private",
            Self::Unread => "hidden_unread",
        }
    }
}

/// What is hidden in the text, by where it begins. Findings may overlap: a comment may have tag characters in it. Linear.
pub fn look(text: &str) -> Vec<Hidden> {
    let skim = skim::skim(text.as_bytes());
    let mut found = found::Found::new(text);
    if skim.odd {
        letters::find(text, &mut found);
    }
    if skim.gap {
        gap::find(text, &mut found);
    }
    if skim.markup {
        markup::elements(text, &mut found);
    }
    if skim.bracket {
        markup::notes(text, &mut found);
    }
    found.finish()
}

/// The text in normal form C (UAX #15), in which the same text is always written the same. Linear; allocates only where
/// something changes.
pub fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

#[cfg(test)]
mod tests;
