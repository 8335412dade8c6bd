//! Do the handles in this call stand for secrets that may go there?

use lockgate_flow::for_each_text;
use lockgate_model::{Effect, Finding, Phase, Reason};
use lockgate_policy::Subject;

use super::Call;
use crate::Core;
use crate::handles::reach;

/// What is decided before and after sees the handle, never the secret.
pub(super) fn check(core: &Core, call: &Call<'_>, effect: Effect) -> Option<Finding> {
    let (mut reason, mut length) = (None, 0);
    let mut look = |text: &str, effect: Effect| {
        reason = reason.or_else(|| core.bad_handle(text, call.server, effect, &mut length));
    };
    if let Some((Subject::Resource, address)) = call.subject {
        look(address, effect);
    }
    if let Some(arguments) = call.arguments {
        for_each_text(arguments, &mut |text| look(text, reach(text, effect)));
    }
    if length > core.boundary.limits.request_bytes {
        reason = reason.or(Some(Reason::MessageTooLarge));
    }
    reason.map(|reason| Finding::deny(Phase::Flow, reason, "flow.secrets"))
}
