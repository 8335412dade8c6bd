//! Numbers as people write them: with a currency, groups of three, and zeros that say nothing.

/// The number that the whole text writes, as digits with at most one point: `$1,200.00` is `1200`. Nothing where the text
/// is no number, or has leading zeros as ids have.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let text = text.trim();
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let rest = rest.trim_matches(|letter: char| "$€£¥ ".contains(letter));
    let (whole, part) = split(rest)?;
    if whole.len() > 1 && whole.starts_with('0') {
        return None;
    }
    let part = part.trim_end_matches('0');
    let point = if part.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{part}"))
}

/// The ways to write a whole canonical number in groups of three; nothing where it has no group.
pub(crate) fn grouped(canonical: &str) -> Vec<String> {
    let (whole, part) = canonical.split_once('.').unwrap_or((canonical, ""));
    if whole.len() < 4 {
        return Vec::new();
    }
    [(',', '.'), ('.', ','), (' ', '.'), ('\'', '.'), ('_', '.')]
        .iter()
        .map(|(group, point)| {
            let mut out = String::with_capacity(whole.len() * 2);
            for (place, digit) in whole.chars().enumerate() {
                if place > 0 && digit.is_ascii_digit() && (whole.len() - place).is_multiple_of(3) {
                    out.push(*group);
                }
                out.push(digit);
            }
            if !part.is_empty() {
                out.push(*point);
                out.push_str(part);
            }
            out
        })
        .collect()
}

/// All numbers of a folded text in their canonical form.
pub(crate) fn numbers(folded: &str) -> impl Iterator<Item = String> + '_ {
    folded
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || "-.,'_$€£¥".contains(letter)))
        .map(|word| word.trim_end_matches(['.', ',', '\'']))
        .filter(|word| word.bytes().any(|byte| byte.is_ascii_digit()))
        .filter_map(canonical)
}

/// The digits before and after the point. Commas, apostrophes, spaces and underscores group; a point or comma that
/// groups of three do not explain is the decimal point.
fn split(text: &str) -> Option<(String, String)> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let groups = |text: &str, mark: char| -> Option<String> {
        let mut parts = text.split(mark);
        let first = parts.next().filter(|first| digits(first))?;
        let mut whole = first.to_owned();
        let mut alone = true;
        for part in parts {
            alone = false;
            if part.len() != 3 || !digits(part) || first.len() > 3 {
                return None;
            }
            whole.push_str(part);
        }
        (alone || !whole.starts_with('0')).then_some(whole)
    };
    for mark in [',', '\'', ' ', '_'] {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        if let Some(whole) = groups(whole, mark)
            && (part.is_empty() || digits(part))
        {
            return Some((whole, part.to_owned()));
        }
    }
    // As much of Europe writes: `1.200,50`.
    let (whole, part) = text.split_once(',')?;
    let whole = groups(whole, '.')?;
    digits(part).then(|| (whole, part.to_owned()))
}
