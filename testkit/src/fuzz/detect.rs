//! What is found in texts, objects, pictures, pages and programs.

use std::borrow::Cow;
use std::sync::LazyLock;

use lockgate_detect::code::python::{Allowed, check};
use lockgate_detect::hidden::{clean, look};
use lockgate_detect::indicators::Indicators;
use lockgate_detect::injection::atr;
use lockgate_detect::media::markup::sanitise;
use lockgate_detect::media::metadata;
use lockgate_detect::{Genre, Inspector, Level};
use lockgate_model::Json;

static INSPECTOR: LazyLock<Inspector> = LazyLock::new(Inspector::new);

/// Names of arguments of every kind: each takes another way.
const NAMES: [&str; 9] = ["", "path", "url", "host", "id", "command", "sql", "template", "code"];

/// A text, by its first byte of a genre and a name: every finding is a part of it, and none is worse than the whole. What was
/// taken out of it is not found again.
pub fn text(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let which = usize::from(*first);
    let genre = Genre::ALL.get(which % 4).copied().unwrap_or(Genre::Result);
    let name = NAMES.get(which / 4 % NAMES.len()).copied().unwrap_or_default();
    let report = INSPECTOR.text(genre, name, &text);
    let spans = report.findings.iter().map(|spot| &spot.span);
    let spans = spans.chain(report.secrets.iter().map(|secret| &secret.span));
    for span in spans.chain(report.personal.iter().map(|datum| &datum.span)) {
        assert!(text.get(span.clone()).is_some(), "{span:?}: {report:?}");
    }
    assert!((0.0..=1.0).contains(&report.score), "{}", report.score);
    assert!(report.findings.iter().all(|spot| spot.level <= report.level), "{report:?}");
    let cleaned = clean(&text, &look(&text)).into_owned();
    assert!(
        matches!(clean(&cleaned, &look(&cleaned)), Cow::Borrowed(_)),
        "{text:?} is cleaned again: {cleaned:?}"
    );
}

/// An object: whatever is found in it is in a text that is there.
pub fn object(bytes: &[u8]) {
    let Ok(object) = Json::check(bytes, 128) else { return };
    let other: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    for genre in Genre::ALL {
        let report = INSPECTOR.object(genre, object);
        let places = report.findings.iter().map(|placed| (&placed.at, placed.in_name, &placed.found.span));
        let places = places
            .chain(report.secrets.iter().map(|placed| (&placed.at, placed.in_name, &placed.found.span)));
        for (at, in_name, span) in places {
            // A pointer that was cut, or in which a credential is hidden, leads nowhere.
            let Some(value) = other.pointer(at).filter(|_| !in_name) else { continue };
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            assert!(text.get(span.clone()).is_some(), "{at} {span:?}");
        }
        assert!(report.findings.iter().all(|placed| placed.found.level <= report.level));
    }
}

/// A picture or a sound: notes are in it, in what is cleaned there is none, and to clean again changes nothing.
pub fn media(bytes: &[u8]) {
    for note in metadata::look(bytes) {
        assert!(bytes.get(note.span.clone()).is_some(), "{note:?}");
    }
    let Ok(cleaned) = metadata::clean(bytes) else { return };
    assert!(cleaned.len() <= bytes.len());
    assert_eq!(metadata::clean(&cleaned).as_deref(), Ok(&*cleaned), "cleaned once more");
}

/// A page: no script is left, and to sanitise again changes nothing.
pub fn page(bytes: &[u8]) {
    let safe = sanitise(&String::from_utf8_lossy(bytes));
    assert!(!safe.to_ascii_lowercase().contains("<script"), "{safe}");
    assert_eq!(sanitise(&safe), safe);
}

/// A program in Python: every finding is a part of it.
pub fn python(bytes: &[u8]) {
    let source = String::from_utf8_lossy(bytes);
    for spot in check(&source, &Allowed::default()) {
        assert!(source.get(spot.span.clone()).is_some(), "{spot:?}");
    }
}

/// A rule of Agent Threat Rules on the first line, a text on the others: what is taken is run and says nothing out of place.
pub fn foreign_rule(bytes: &[u8]) {
    let (rule, text) =
        bytes.iter().position(|byte| *byte == b'\n').map_or((bytes, &[][..]), |at| bytes.split_at(at));
    let Ok(rule) = Json::check(rule, 64) else { return };
    let Ok(rule) = atr::read(rule, &|_| "imported") else { return };
    assert!(rule.taken() > 0);
    let imported = atr::Imported::new(vec![rule], Level::Review);
    let text = String::from_utf8_lossy(text);
    for genre in Genre::ALL {
        for spot in imported.judge(genre, &text) {
            assert!(text.get(spot.span.clone()).is_some(), "{spot:?}");
        }
    }
}

/// A list of indicators, and behind the first zero a text: any list is read or refused, and whatever is found is a part of the text.
pub fn indicators(bytes: &[u8]) {
    let all = String::from_utf8_lossy(bytes);
    let (list, text) = all.split_once('\0').unwrap_or((&all, &all));
    if let Ok(indicators) = Indicators::read(&[list]) {
        for (_, span) in indicators.find(text) {
            assert!(text.get(span.clone()).is_some(), "{span:?}");
        }
    }
}
