use super::Hash;

/// What a log says of itself at one moment (<https://c2sp.org/tlog-checkpoint>): so many records, with this root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log, as `example.org/lockgate`: one line, not empty.
    pub origin: String,
    /// How many records.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }

    /// Reads the text of a note. Lines after the third are extensions and do not matter here. None where it is not
    /// well-formed.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let number: u64 = size.parse().ok()?;
        // `+1` and `007` are other ways to write a number.
        if origin.is_empty() || number.to_string() != size || lines.any(str::is_empty) {
            return None;
        }
        Some(Self { origin: origin.to_owned(), size: number, root: Hash::parse(root)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_are_written_and_read() {
        let checkpoint =
            Checkpoint { origin: "example.org/log".to_owned(), size: 7, root: Hash::of_nothing() };
        let text = checkpoint.text();
        assert_eq!(text, "example.org/log\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
        assert_eq!(Checkpoint::parse(&text), Some(checkpoint.clone()));
        assert_eq!(Checkpoint::parse(&format!("{text}extension\n")), Some(checkpoint));
        for (good, bad) in [
            ("\n7\n", "\n07\n"),
            ("\n7\n", "\n+7\n"),
            ("example.org/log", ""),
            ("47DE", "47D"),
            ("\n7\n", "\n-7\n"),
        ] {
            assert_eq!(Checkpoint::parse(&text.replacen(good, bad, 1)), None, "{bad}");
        }
    }
}
