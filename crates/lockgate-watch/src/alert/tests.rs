use lockgate_model::{Principal, Reason, ServerName, SessionId, Verdict};
use proptest::prelude::*;

use super::*;

fn event(name: EventName, session: usize) -> Event {
    Event::new(name).within(Some(&SessionId::new(&format!("s{session}"))), Some(&Principal::new("carol")))
}

fn told<'a>(acts: &'a [Act]) -> Vec<&'a Alert> {
    let alert = |act: &'a Act| match act {
        Act::Tell(_, alert) => Some(&**alert),
        Act::Contain(_) => None,
    };
    acts.iter().filter_map(alert).collect()
}

proptest! {
    /// Whatever happens, each event is told, counted in an alert, or still waiting for one; and no rule, channel or
    /// memory goes beyond its most.
    #[test]
    fn nothing_is_lost_and_everything_has_an_end(
        steps in prop::collection::vec((0_u64..400_000, 0_usize..4, 0_usize..3), 1..300),
        quiet in 0_u64..2_000_000,
        most in 1_u32..5,
    ) {
        let names = [EventName::CrossServerFlow, EventName::CallRefused, EventName::ArtefactChanged];
        let rule = Rule { quiet, ..Rule::new("all", names.into_iter().collect(), vec![0]) };
        let mut alerts = Alerts::new(vec![rule], &[most], "a");
        let (mut now, mut seen, mut accounted, mut times) = (UnixMillis(1_000_000), 0, 0, Vec::new());
        for (later, session, name) in steps {
            now.0 += later;
            seen += 1;
            let mut acts = alerts.see(&event(names[name], session), now);
            acts.extend(alerts.pass(now));
            for alert in told(&acts) {
                times.push((now.0, alert.event.name.severity()));
                accounted += 1;
            }
        }
        for (at, severity) in &times {
            let hour = times.iter().filter(|(other, same)| same == severity && *other + HOUR > *at && other <= at);
            prop_assert!(hour.count() <= most as usize);
        }
        // Everything that waits is told once time has passed.
        for _ in 0..1_000 {
            now.0 += HOUR;
            accounted += told(&alerts.pass(now)).len();
        }
        prop_assert!(accounted >= 1 && accounted <= seen * 2);
        prop_assert_eq!(alerts.kept(), 0);
    }

    /// The sum of what alerts speak of is what happened, as long as no rate stands in between.
    #[test]
    fn counts_add_up(steps in prop::collection::vec((0_u64..400_000, 0_usize..4), 1..200), quiet in 1_u64..2_000_000) {
        let rule = Rule { quiet, most: 10_000, ..Rule::new("all", EventNames::NONE.with(EventName::DataLeak), vec![0]) };
        let mut alerts = Alerts::new(vec![rule], &[10_000], "a");
        let (mut now, mut seen, mut spoken) = (UnixMillis(0), 0, 0);
        let mut add = |acts: Vec<Act>, summary: bool| {
            for alert in told(&acts) {
                spoken += if summary { alert.swallowed } else { alert.swallowed + u64::from(alert.count) };
            }
        };
        for (later, session) in steps {
            now.0 += later;
            seen += 1;
            add(alerts.pass(now), true);
            add(alerts.see(&event(EventName::DataLeak, session), now), false);
        }
        now.0 += 10_000_000;
        add(alerts.pass(now), true);
        prop_assert_eq!(spoken, seen);
    }
}

#[test]
fn what_is_beyond_the_most_is_told_and_stopped_together() {
    let on = EventNames::NONE.with(EventName::ForgedMessage);
    let rule = Rule { contain: Some((Per::Session, None)), most: 10_000, ..Rule::new("all", on, vec![0]) };
    let mut alerts = Alerts::new(vec![rule], &[10_000], "a");
    let now = UnixMillis(5);
    let (mut contained, mut tells) = (0, 0);
    for session in 0..MOST_KEYS + 100 {
        let acts = alerts.see(&event(EventName::ForgedMessage, session), now);
        contained += acts.iter().filter(|act| matches!(act, Act::Contain(_))).count();
        tells += told(&acts).len();
    }
    assert_eq!((contained, tells, alerts.kept()), (MOST_KEYS + 100, MOST_KEYS + 1, MOST_KEYS + 1));
    let later = alerts.pass(UnixMillis(600_005));
    assert_eq!(told(&later).iter().map(|alert| alert.swallowed).sum::<u64>(), 99);
}

#[test]
fn nothing_is_stopped_that_is_not_named() {
    let on = EventNames::NONE.with(EventName::ForgedMessage);
    let rule = Rule { per: Per::Server, contain: Some((Per::Server, None)), ..Rule::new("all", on, vec![0]) };
    let mut alerts = Alerts::new(vec![rule], &[60], "a");
    let acts = alerts.see(&event(EventName::ForgedMessage, 1), UnixMillis(5));
    assert!(matches!(&acts[..], [Act::Tell(0, alert)] if alert.contain.is_none()), "{acts:?}");
}

#[test]
fn an_alert_is_one_line_and_plain_text() {
    let event = Event {
        reason: Some(Reason::UntrustedContentReachesSink),
        rule: Some("servers.db.\u{e9}<!channel>".to_owned()),
        verdict: Some(Verdict::Deny),
        found: vec!["conceals_from_user"],
        ..event(EventName::CrossServerFlow, 1).about(ServerName::parse("db").as_ref()).noting("x")
    };
    let contain = Containment {
        target: (Per::Server, "db".to_owned()),
        until: Some(9),
        alert: String::new(),
        rule: String::new(),
    };
    let alert = Alert {
        id: "a-1".to_owned(),
        rule: "flows".to_owned(),
        at: UnixMillis(0),
        event,
        count: 3,
        swallowed: 2,
        left_out: 1,
        contain: Some(contain),
    };
    let line = alert.to_json("1970-01-01T00:00:00Z");
    assert!(line.is_ascii() && !line.contains('\n'));
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    for (name, expected) in [
        ("alert", "cross_server_flow"),
        ("severity", "high"),
        ("server", "db"),
        ("session", "s1"),
        ("reason", "untrusted_content_reaches_sink"),
        ("rule", "servers.db.\u{e9}<!channel>"),
        ("alert_rule", "flows"),
        ("contained", "server"),
    ] {
        assert_eq!(value[name], expected, "{name}");
    }
    assert_eq!((&value["count"], &value["swallowed"], &value["left_out"]), (&3.into(), &2.into(), &1.into()));
    assert_eq!(alert.subject(), "[high] cross_server_flow server db session s1 principal carol");
    let text = alert.text("now");
    assert!(text.contains("rule: servers.db.??!channel?\n"), "{text}");
    assert!(text.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)));
}
