//! Is an element of HTML drawn so that nobody sees it?

use crate::Level;

/// Longest style that is read. Bytes.
const LONGEST: usize = 4096;

/// How bad a style is that hides; nothing for one that does not. `display: none` is on every page; small and faint letters
/// are not.
pub(super) fn hides(style: &str) -> Option<Level> {
    let style: String = style
        .get(..style.floor_char_boundary(LONGEST))?
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    let (mut ink, mut paper, mut worst) = (None, None, None);
    for rule in style.split(';') {
        let Some((name, value)) = rule.split_once(':') else { continue };
        let value = value.trim_end_matches("!important");
        let level = match name {
            "display" if value == "none" => Some(Level::None),
            "visibility" if value == "hidden" || value == "collapse" => Some(Level::None),
            "opacity" | "fill-opacity" if number(value) < 0.05 => Some(Level::Review),
            "font-size" if number(value) <= size_of_nothing(value) => Some(Level::Review),
            "text-indent" | "left" | "top" | "right" | "bottom" | "margin-left" | "margin-top"
                if number(value).abs() >= 999.0 && value.starts_with('-') =>
            {
                Some(Level::None)
            }
            "clip" if value.starts_with("rect(0") || value.starts_with("rect(1px,1px") => Some(Level::None),
            "clip-path" if value == "inset(50%)" || value == "inset(100%)" => Some(Level::None),
            "transform" if value.contains("scale(0)") => Some(Level::Review),
            "color" if value == "transparent" => Some(Level::Review),
            "color" => {
                ink = Some(colour(value));
                None
            }
            "background" | "background-color" => {
                paper = Some(colour(value));
                None
            }
            _ => None,
        };
        worst = worst.max(level);
    }
    if ink.is_some() && ink == paper { Some(Level::Review) } else { worst }
}

/// The number at the beginning, however its unit is called.
fn number(value: &str) -> f32 {
    let digits =
        value.find(|letter: char| !matches!(letter, '0'..='9' | '.' | '-' | '+')).unwrap_or(value.len());
    value.get(..digits).and_then(|digits| digits.parse().ok()).unwrap_or(f32::NAN)
}

/// The size up to which letters are not seen.
fn size_of_nothing(value: &str) -> f32 {
    if value.ends_with("px") || value.ends_with("pt") { 1.0 } else { 0.01 }
}

/// A colour in one of the ways to write it.
fn colour(value: &str) -> String {
    let hex = |digits: &str| digits.bytes().all(|b| b.is_ascii_hexdigit());
    match (value, value.strip_prefix('#')) {
        ("white", _) => "ffffff".to_owned(),
        ("black", _) => "000000".to_owned(),
        (_, Some(short)) if short.len() == 3 && hex(short) => {
            short.chars().flat_map(|digit| [digit, digit]).collect()
        }
        (_, Some(long)) => long.to_owned(),
        _ if value.starts_with("rgb(") => {
            let inside = value.trim_start_matches("rgb(").trim_end_matches(')');
            let number = |part: &str| u32::from(part.parse::<u8>().unwrap_or(0));
            format!("{:06x}", inside.split(',').fold(0, |all, part| (all << 8 | number(part)) & 0xff_ffff))
        }
        _ => value.to_owned(),
    }
}
