/// How sure a finding is. Ordered: the surer is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sure {
    /// It stands where such a thing stands and looks like one.
    Likely,
    /// Its sum is right, or nothing else has this form.
    Checked,
}

impl Sure {
    /// The word used in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Likely => "likely",
            Self::Checked => "checked",
        }
    }
}
