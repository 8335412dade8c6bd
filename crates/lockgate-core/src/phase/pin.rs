//! Is the server, and what the call names, what was approved? Asked of what was found when its definition came by.

use lockgate_model::Finding;

use super::Call;
use crate::Core;

pub(super) fn check(core: &Core, call: &Call<'_>) -> Option<Finding> {
    core.withheld(call.server, call.subject)
}
