use super::*;

const NOW: u64 = 1_785_231_000_000;
const DAY: u64 = 86_400_000;

fn labelled(session: &str, agent: &str, origins: &[&str]) -> Labelled {
    let compartments = ["customer".to_owned(), "pii".to_owned()].into();
    let secrecy = Secrecy { level: Confidentiality::Private, compartments };
    let mut label = Label::clean();
    for origin in origins {
        label.absorb(&ServerName::parse(origin).unwrap(), Integrity::FreeText, &secrecy);
    }
    Labelled { session: session.to_owned(), principal: "ann".to_owned(), agent: agent.to_owned(), label }
}

#[test]
fn what_was_open_is_left_when_its_gateway_ends_and_for_as_long_as_it_counts() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (labelled("s-1", "a", &["web"]), labelled("s-2", "b", &["mail", "web"]));
    let first = Labels::open(folder.path()).unwrap();
    let second = Labels::open(folder.path()).unwrap();
    first.keep(&[one.clone(), two.clone(), labelled("s-3", "a", &["web"])], NOW).unwrap();
    first.keep(&[labelled("s-1", "a", &["db", "web"])], NOW + 1).unwrap();
    first.end(&["s-3".to_owned(), "unknown".to_owned()]).unwrap();
    assert_eq!(second.left(DAY, NOW + 2).unwrap(), [], "the first still runs");
    drop(first);
    let left = [two, labelled("s-1", "a", &["db", "web"])];
    assert_eq!(second.left(DAY, NOW + 2).unwrap(), left);
    let third = Labels::open(folder.path()).unwrap();
    assert_eq!(third.left(DAY, NOW + DAY).unwrap(), left);
    assert_eq!(third.left(DAY, NOW + DAY + 1).unwrap(), left[1..], "what is too old is forgotten");
    assert_eq!(third.left(DAY, NOW).unwrap(), left[1..], "for good");
    let running = fs::read_dir(folder.path().join("gateways")).unwrap().count();
    assert_eq!(running, 2, "of who has ended nothing lies about");
}

#[test]
fn labels_are_bounded_and_damage_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let labels = Labels::open(folder.path()).unwrap();
    let most = usize::try_from(MOST).unwrap();
    let many: Vec<_> = (0..=most).map(|number| labelled(&format!("s-{number}"), "a", &["web"])).collect();
    labels.keep(&many, NOW).unwrap();
    drop(labels);
    let labels = Labels::open(folder.path()).unwrap();
    let left = labels.left(DAY, NOW).unwrap();
    assert_eq!(left.len(), most);
    assert!(left.iter().all(|one| one.session != "s-0"));
    labels.database.write(|at| Ok(at.execute("UPDATE labels SET integrity = 'good'", [])?)).unwrap();
    assert!(matches!(labels.left(DAY, NOW), Err(StateError::Damaged)));
}
