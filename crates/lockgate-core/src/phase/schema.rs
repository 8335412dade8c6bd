//! Do the arguments have the form that the tool declares? Nothing is coerced, and what is not declared is refused unless
//! the operator says otherwise. `null` for an argument that may be left out is taken for leaving it out.

use lockgate_model::{Finding, Json, Reason};

use super::Call;
use crate::{Core, form};

pub(super) fn check(core: &Core, call: &Call<'_>) -> Option<Finding> {
    let tool = call.tool?;
    let undeclared = core.boundary.servers.get(call.server)?.undeclared;
    // A tool that is not offered has been refused by name already.
    let offered = core.peers.get(call.server)?.catalogue.find(tool.as_str())?;
    let misfit = offered.input.check(call.arguments, undeclared).err()?;
    if let Some(kept) = call.arguments.and_then(form::without_null)
        && let Ok(kept) = Json::check(&kept, core.boundary.limits.argument_depth)
        && offered.input.check(Some(kept), undeclared).is_ok()
    {
        return None;
    }
    Some(form::misfit(misfit, Reason::ArgumentsDoNotFit, Reason::UndeclaredArgument))
}
