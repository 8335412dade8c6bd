use lockgate_model::{Effect, Label, ServerName, Tier};

/// The cross-server rule (SAFE-T1701): text read from a server that outsiders can write to may not drive a spending,
/// rights-giving or destructive tool of another server. Gives the first server, in order of names, whose text stands
/// against the call.
///
/// A session carries a high-water mark: once text has been read, every later call may have been steered by it.
pub fn drives<'a>(
    label: &'a Label,
    tier: impl Fn(&ServerName) -> Tier,
    target: &ServerName,
    effect: Effect,
) -> Option<&'a ServerName> {
    match effect {
        Effect::Read | Effect::Write | Effect::Egress => None,
        Effect::Commit | Effect::Grant | Effect::Destructive => {
            label.origins().find(|origin| *origin != target && tier(origin) <= Tier::Mixed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ServerName {
        ServerName::parse(text).unwrap()
    }

    #[test]
    fn text_of_an_open_server_drives_only_harmless_tools_of_others() {
        let mut label = Label::clean();
        assert_eq!(drives(&label, |_| Tier::Open, &name("db"), Effect::Destructive), None);
        label.absorb(&name("db"), Tier::Open);
        assert_eq!(drives(&label, |_| Tier::Open, &name("db"), Effect::Destructive), None, "its own text");
        label.absorb(&name("web"), Tier::Open);
        for effect in Effect::ALL {
            let found = drives(&label, |_| Tier::Open, &name("db"), effect);
            assert_eq!(found.is_some(), effect >= Effect::Commit, "{}", effect.word());
        }
        assert_eq!(drives(&label, |_| Tier::Internal, &name("db"), Effect::Destructive), None);
    }
}
