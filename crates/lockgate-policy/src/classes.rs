use lockgate_model::{Class, Tier};

use crate::Action;

/// What is done with a call by its class alone, and by how many people where it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Treatment {
    /// What is done.
    pub action: Action,
    /// How many different people must approve, where the call is held. At least 1.
    pub approvers: u8,
}

impl From<Action> for Treatment {
    fn from(action: Action) -> Self {
        Self { action, approvers: 1 }
    }
}

/// What holds for each class of tools where no rule matches, for servers of one tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassTable([Treatment; 5]);

impl ClassTable {
    /// The table of a tier: reading runs and everything else asks, except that what can be changed back runs on servers
    /// of tier `internal` and `core`, and that only `read-low` runs on those in quarantine. `said` is what the operator
    /// wants instead, for all tiers; in quarantine it counts only where it is stricter.
    pub fn new(tier: Tier, said: &[(Class, Treatment)]) -> Self {
        Self(Class::ALL.map(|class| {
            let usual = Treatment::from(usual(class, tier));
            let said = said.iter().find(|(other, _)| *other == class).map(|(_, said)| *said);
            match said {
                Some(said) if tier == Tier::Quarantined && said.action < usual.action => usual,
                Some(said) => said,
                None => usual,
            }
        }))
    }

    /// What is done with a tool of this class. One whose class is not known counts as the worst.
    pub fn of(&self, class: Option<Class>) -> Treatment {
        let [read_low, read_high, write_low, write_high, execute] = self.0;
        match class.unwrap_or(Class::Execute) {
            Class::ReadLow => read_low,
            Class::ReadHigh => read_high,
            Class::WriteLow => write_low,
            Class::WriteHigh => write_high,
            Class::Execute => execute,
        }
    }
}

fn usual(class: Class, tier: Tier) -> Action {
    match (class, tier) {
        (Class::ReadLow, _)
        | (Class::ReadHigh, Tier::Open | Tier::Mixed | Tier::Internal | Tier::Core)
        | (Class::WriteLow, Tier::Internal | Tier::Core) => Action::Allow,
        (Class::ReadHigh, Tier::Quarantined)
        | (Class::WriteLow, Tier::Quarantined | Tier::Open | Tier::Mixed)
        | (Class::WriteHigh | Class::Execute, _) => Action::Ask,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worse_class_and_a_less_trusted_server_are_never_treated_better() {
        for (count, tier) in Tier::ALL.into_iter().enumerate() {
            let table = ClassTable::new(tier, &[]);
            let actions = Class::ALL.map(|class| table.of(Some(class)).action);
            assert!(actions.is_sorted(), "{tier:?} {actions:?}");
            for trusted in Tier::ALL.into_iter().skip(count) {
                let other = ClassTable::new(trusted, &[]);
                for class in Class::ALL {
                    assert!(other.of(Some(class)).action <= table.of(Some(class)).action, "{class:?}");
                }
            }
        }
    }

    #[test]
    fn the_operators_word_counts_but_lifts_no_quarantine() {
        let two = Treatment { action: Action::Ask, approvers: 2 };
        let said = [(Class::WriteLow, Action::Allow.into()), (Class::Execute, two)];
        let said = [&said[..], &[(Class::ReadLow, Action::Deny.into())]].concat();
        for (tier, actions) in [
            (Tier::Quarantined, [Action::Deny, Action::Ask, Action::Ask, Action::Ask, Action::Ask]),
            (Tier::Mixed, [Action::Deny, Action::Allow, Action::Allow, Action::Ask, Action::Ask]),
        ] {
            let table = ClassTable::new(tier, &said);
            assert_eq!(Class::ALL.map(|class| table.of(Some(class)).action), actions);
            assert_eq!(table.of(None), two);
        }
    }
}
