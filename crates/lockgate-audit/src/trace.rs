//! The trace a request belongs to, as its sender says. <https://www.w3.org/TR/trace-context/>

/// Which trace a request is a part of, and which span of the sender's made it. Never zero, as the format has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    id: u128,
    span: u64,
    sampled: bool,
}

/// The length of a `traceparent` of version 00. Characters.
const LENGTH: usize = 55;

impl Trace {
    /// Reads a `traceparent`: `00-`, 32 and 16 hexadecimal digits in lower case, and two of flags. Of a later version its
    /// beginning counts, which is the same. None where it is anything else: the format wants it ignored then.
    pub fn parse(text: &str) -> Option<Self> {
        let version = hex(text.get(..2)?)?;
        let (first, rest) = (text.get(..LENGTH)?, text.get(LENGTH..)?);
        if version == 0xff
            || (version == 0 && !rest.is_empty())
            || !(rest.is_empty() || rest.starts_with('-'))
        {
            return None;
        }
        let mut fields = first.splitn(4, '-').skip(1);
        let mut field = |digits: usize| hex(fields.next().filter(|field| field.len() == digits)?);
        let (id, span, flags) = (field(32)?, field(16)?, field(2)?);
        Some(Self { id, span: u64::try_from(span).ok()?, sampled: flags & 1 == 1 })
            .filter(|trace| trace.id > 0 && trace.span > 0)
    }

    /// The trace.
    pub fn id(&self) -> u128 {
        self.id
    }

    /// The sender's span.
    pub fn span(&self) -> u64 {
        self.span
    }

    /// Does the sender keep the trace?
    pub fn is_sampled(&self) -> bool {
        self.sampled
    }
}

/// Hexadecimal digits in lower case, at most 32.
fn hex(text: &str) -> Option<u128> {
    let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    u128::from_str_radix(text, 16).ok().filter(|_| text.bytes().all(lower))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn only_what_the_format_allows_is_a_trace() {
        let good = Trace::parse(GOOD).unwrap();
        assert_eq!(
            (good.id(), good.span()),
            (0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 0x00f0_67aa_0ba9_02b7)
        );
        assert!(good.is_sampled());
        for (from, to, good) in [
            ("-01", "-00", true),
            ("-01", "-fe", true),
            ("-01", "-01-more", false),
            ("00-4", "cc-4", true),
            ("00-4", "ff-4", false),
            ("00-4", "0-4", false),
            ("00-4", "0G-4", false),
            ("4bf9", "4BF9", false),
            ("4bf9", "4bg9", false),
            ("4bf9", "+bf9", false),
            ("4bf9", "4bf", false),
            ("4bf9", "4bf99", false),
            ("4bf92f3577b34da6a3ce929d0e0e4736", "00000000000000000000000000000000", false),
            ("00f067aa0ba902b7", "0000000000000000", false),
            ("-01", "-0", false),
            ("-01", "-0 ", false),
            ("-01", "-01 ", false),
            ("-01", "-0\u{e9}", false),
            ("-00f0", "00-f0", false),
            (GOOD, "", false),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_eq!(Trace::parse(&text).is_some(), good, "{text}");
        }
        let later = format!("{}-more", GOOD.replacen("00", "01", 1));
        assert_eq!(Trace::parse(&later), Trace::parse(GOOD), "a later version may say more");
        assert_eq!(Trace::parse(&later.replacen("-more", "more", 1)), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(id in 1..=u128::MAX, span in 1..=u64::MAX, flags in 0..=255u8) {
            let trace = Trace::parse(&format!("00-{id:032x}-{span:016x}-{flags:02x}"));
            prop_assert_eq!(trace, Some(Trace { id, span, sampled: flags & 1 == 1 }));
        }

        #[test]
        fn nothing_stops_it(text in "\\PC{0,80}") {
            let _read = Trace::parse(&text);
        }
    }
}
