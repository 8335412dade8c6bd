use std::fmt;

/// A value of a client's file that nobody may read on a screen or in a log. `Debug` prints stars and there is no `Display`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Secret(String);

impl Secret {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. For the file it came from, and for starting what it belongs to, nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Does it refer to something that the client puts in its place, as `${NAME}` or `${input:name}`?
    pub fn refers(&self) -> bool {
        self.0.contains("${") || self.0.contains("{env:") || self.0.contains("{file:")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
