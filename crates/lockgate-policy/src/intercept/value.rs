//! Values as Go's `any` holds them: what a YAML scalar stands for, and how `fmt` writes a value with `%v`.

use lockgate_model::{Json, Kind};

use super::yaml::{self, Node};

/// A value of the policy file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer that needs the 64th bit. Go compares it with no other number.
    Unsigned(u64),
    Float(f64),
    Text(String),
    /// A timestamp, as `%v` writes it.
    Time(String),
    List(Vec<Value>),
    /// Sorted by key.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// What the node stands for. Keys are texts.
    pub(super) fn of(node: &Node) -> Self {
        match &node.kind {
            yaml::Kind::Broken => Self::Null,
            yaml::Kind::Scalar { text, plain: false } => Self::Text(text.clone()),
            yaml::Kind::Scalar { text, plain: true } => Self::plain(text),
            yaml::Kind::List(items) => Self::List(items.iter().map(Self::of).collect()),
            yaml::Kind::Map(members) => {
                let mut members: Vec<_> =
                    members.iter().map(|(key, value)| (key.text.clone(), Self::of(value))).collect();
                members.sort_by(|a, b| a.0.cmp(&b.0));
                Self::Map(members)
            }
        }
    }

    /// An unquoted scalar. YAML 1.2 words; numbers as Go reads them.
    pub(super) fn plain(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Null,
            "true" | "True" | "TRUE" => return Self::Bool(true),
            "false" | "False" | "FALSE" => return Self::Bool(false),
            ".nan" | ".NaN" | ".NAN" => return Self::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Self::Float(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => return Self::Float(f64::NEG_INFINITY),
            _ => {}
        }
        match text.as_bytes().first() {
            Some(b'0'..=b'9' | b'+' | b'-') => {}
            Some(b'.') => return float(text).map_or_else(|| Self::Text(text.to_owned()), Self::Float),
            _ => return Self::Text(text.to_owned()),
        }
        if let Some(time) = timestamp(text) {
            return Self::Time(time);
        }
        let digits = text.replace('_', "");
        integer(&digits)
            .or_else(|| float(&digits).map(Self::Float))
            .unwrap_or_else(|| Self::Text(text.to_owned()))
    }

    /// As a number, where Go takes it for one.
    #[expect(clippy::cast_precision_loss, reason = "the original compares as float64")]
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Int(int) => Some(*int as f64),
            Self::Float(float) => Some(*float),
            Self::Null
            | Self::Bool(_)
            | Self::Unsigned(_)
            | Self::Text(_)
            | Self::Time(_)
            | Self::List(_)
            | Self::Map(_) => None,
        }
    }

    /// As `fmt.Sprintf("%v")` writes it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Null => "<nil>".to_owned(),
            Self::Bool(bool) => bool.to_string(),
            Self::Int(int) => int.to_string(),
            Self::Unsigned(int) => int.to_string(),
            Self::Float(float) => show_float(*float),
            Self::Text(text) | Self::Time(text) => text.clone(),
            Self::List(items) => show_list(items.iter().map(Self::shown)),
            Self::Map(members) => {
                show_map(members.iter().map(|(key, value)| (key.clone(), value.shown())).collect())
            }
        }
    }
}

/// An argument as `fmt.Sprintf("%v")` writes what `encoding/json` made of it.
pub(super) fn show_json(json: Json<'_>) -> String {
    match json.kind() {
        Kind::Null => "<nil>".to_owned(),
        Kind::Bool => (json.bool() == Some(true)).to_string(),
        Kind::Number => number_of(json).map(show_float).unwrap_or_default(),
        Kind::String => json.text().unwrap_or_default().into_owned(),
        Kind::Array => show_list(json.elements().map(show_json)),
        Kind::Object => {
            show_map(json.members().map(|(key, value)| (key.text().into_owned(), show_json(value))).collect())
        }
    }
}

/// The number an argument is.
pub(super) fn number_of(json: Json<'_>) -> Option<f64> {
    if json.kind() == Kind::Number { json.written().parse().ok() } else { None }
}

fn show_list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(" "))
}

fn show_map(mut members: Vec<(String, String)>) -> String {
    members.sort();
    let members: Vec<_> = members.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    format!("map[{}]", members.join(" "))
}

/// `%v` of a float64: the fewest digits that read back, with an exponent below 1e-4 and from 1e6 on.
pub(super) fn show_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if value != 0.0 && !(-4..EXPONENT_FROM).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    value.to_string()
}

/// From this power of ten on, Go writes a float with an exponent.
const EXPONENT_FROM: i32 = 6;

/// `strconv.ParseInt` and `ParseUint` with base 0, after the underscores are gone.
fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if let Some(rest) = lower.strip_prefix('0').filter(|rest| !rest.is_empty()) {
        (8, rest)
    } else {
        (10, lower.as_str())
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return 0_i64.checked_sub_unsigned(value).map(Value::Int);
    }
    match i64::try_from(value) {
        Ok(int) => Some(Value::Int(int)),
        // `ParseUint` takes no sign.
        Err(_) if text.starts_with('+') => None,
        Err(_) => Some(Value::Unsigned(value)),
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, and finite.
fn float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let mantissa = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(part) || !all_digits(exponent) {
        return None;
    }
    if exponent.is_empty() || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// A date, or a date and a time, as `time.Time` prints: `2024-01-01 00:00:00 +0000 UTC`.
fn timestamp(text: &str) -> Option<String> {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, Some((text.get(at..at + 1)?, text.get(at + 1..)?))),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let (year, month, day) = (ranged(year, 0, 9999)?, ranged(month, 1, 12)?, ranged(day, 1, 31)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if day > longest {
        return None;
    }
    let day = format!("{year:04}-{month:02}-{day:02}");
    let Some((separator, time)) = time else { return Some(format!("{day} 00:00:00 +0000 UTC")) };
    let (clock, zone) =
        if separator == " " { (time, "Z") } else { time.split_at_checked(time.find(['Z', '+', '-'])?)? };
    Some(format!("{day} {} {}", clock_of(clock)?, zone_of(zone)?))
}

/// `15:4:5.999999999`, printed with two digits each and without trailing zeros.
fn clock_of(text: &str) -> Option<String> {
    let mut parts = text.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (second, fraction) = match second.split_once('.') {
        Some((second, fraction)) if !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit()) => {
            (second, fraction.get(..9).unwrap_or(fraction).trim_end_matches('0'))
        }
        Some(_) => return None,
        None => (second, ""),
    };
    let (hour, minute, second) = (ranged(hour, 0, 23)?, ranged(minute, 0, 59)?, ranged(second, 0, 59)?);
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{hour:02}:{minute:02}:{second:02}{point}{fraction}"))
}

/// `Z` or `+01:00`, printed as an offset and the name Go has for the zone.
fn zone_of(text: &str) -> Option<String> {
    if text == "Z" {
        return Some("+0000 UTC".to_owned());
    }
    let (hour, minute) = text.get(1..)?.split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute) = (ranged(hour, 0, 24)?, ranged(minute, 0, 60)?);
    let offset = format!("{}{hour:02}{minute:02}", text.get(..1)?);
    // Without an offset it is the zone of the machine the original runs on, taken for UTC.
    Some(if hour == 0 && minute == 0 { "+0000 UTC".to_owned() } else { format!("{offset} {offset}") })
}

fn ranged(text: &str, from: u32, to: u32) -> Option<u32> {
    let wanted = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|value| wanted && (from..=to).contains(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_are_read_as_go_reads_them() {
        for (text, wanted) in [
            ("yes", Value::Text("yes".to_owned())),
            ("0x10", Value::Int(16)),
            ("0o17", Value::Int(15)),
            ("010", Value::Int(8)),
            ("08", Value::Float(8.0)),
            ("0b11", Value::Int(3)),
            ("1_000", Value::Int(1000)),
            ("+5", Value::Int(5)),
            ("-9223372036854775808", Value::Int(i64::MIN)),
            ("18446744073709551615", Value::Unsigned(u64::MAX)),
            ("99999999999999999999", Value::Float(1e20)),
            ("1e3", Value::Float(1000.0)),
            (".5", Value::Float(0.5)),
            ("5.", Value::Float(5.0)),
            ("1e400", Value::Text("1e400".to_owned())),
            ("1.2.3", Value::Text("1.2.3".to_owned())),
            ("-", Value::Text("-".to_owned())),
            ("--5", Value::Text("--5".to_owned())),
            ("2024-01-01", Value::Time("2024-01-01 00:00:00 +0000 UTC".to_owned())),
            ("2024-02-30", Value::Text("2024-02-30".to_owned())),
            ("2024-1-2T3:4:5.60Z", Value::Time("2024-01-02 03:04:05.6 +0000 UTC".to_owned())),
            ("2024-01-02t03:04:05+01:00", Value::Time("2024-01-02 03:04:05 +0100 +0100".to_owned())),
            ("2024-01-02 03:04:05", Value::Time("2024-01-02 03:04:05 +0000 UTC".to_owned())),
        ] {
            assert_eq!(Value::plain(text), wanted, "{text}");
        }
    }

    #[test]
    fn floats_are_written_as_go_writes_them() {
        for (value, wanted) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (5.0, "5"),
            (5.5, "5.5"),
            (1e20, "1e+20"),
            (1_000_000.0, "1e+06"),
            (999_999.0, "999999"),
            (123_456_789.0, "1.23456789e+08"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e100, "1e+100"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(show_float(value), wanted);
        }
    }
}
