//! The phases of a call, each a question with its own file. The order stands here and nowhere else.

mod flow;
mod identify;
mod policy;

use lockgate_model::{Effect, Finding, ServerName, ToolName, Verdict};
use lockgate_policy::Subject;

use crate::Core;

/// A request to one server, before it is decided.
pub(crate) struct Call<'c> {
    pub(crate) server: &'c ServerName,
    /// What the operator's rules are asked about, and its name.
    pub(crate) subject: Option<(Subject, &'c str)>,
    /// The tool, where a tool is called, and what it does.
    pub(crate) tool: Option<&'c ToolName>,
    /// A call that a person has approved is not held again; it can still be denied.
    pub(crate) approved: bool,
}

/// What was decided of a call.
pub(crate) struct Decision {
    /// The strictest finding of all phases; none where nothing stands against the call.
    pub(crate) finding: Option<Finding>,
    /// The server whose text stands against it, and what the tool does.
    pub(crate) origin: Option<(ServerName, Effect)>,
    /// What the tool does.
    pub(crate) effect: Effect,
    /// The rule that allows it where nothing stands against it.
    pub(crate) rule: String,
}

/// Parse has been passed: what could not be read never gets here. Each phase sees the whole call; the strictest finding
/// counts, and of equals the earlier one.
pub(crate) fn decide(core: &Core, call: &Call<'_>) -> Decision {
    let effect = identify::effect(core, call);
    let mut decision = Decision { finding: None, origin: None, effect, rule: policy::rule(core, call) };
    let mut note = |finding: Option<Finding>| {
        let Some(finding) = finding else { return };
        if finding.verdict == Verdict::Hold && call.approved {
            return;
        }
        decision.finding = Some(match decision.finding.take() {
            Some(earlier) => earlier.stricter(finding),
            None => finding,
        });
    };
    note(identify::check(core, call));
    note(policy::check(core, call));
    let (finding, origin) = flow::check(core, call, effect);
    note(finding);
    decision.origin = origin.map(|origin| (origin, effect));
    decision
}
