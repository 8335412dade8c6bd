//! What the MCP registry's `server.json` beside a package says of it.

use std::path::Path;

use serde_json::Value;

use crate::owner::{self, Owner};
use crate::read::{self, at};

/// Who a `server.json` in the folder says answers for this package. One that is for another package says nothing: it must
/// list the package, or be for the name that the package gives itself in `mcpName`.
pub(crate) fn owner(folder: &Path, package: &str) -> Owner {
    let Some(entry) = read::json(&folder.join("server.json")) else { return Owner::default() };
    let packages = entry.get("packages").and_then(Value::as_array);
    let lists = packages.is_some_and(|all| all.iter().any(|one| at(one, "identifier") == Some(package)));
    let manifest = read::json(&folder.join("package.json"));
    let own_name = manifest.as_ref().and_then(|manifest| at(manifest, "mcpName"));
    let names = own_name.is_some() && own_name == at(&entry, "name");
    if !lists && !names {
        return Owner::default();
    }
    let repository = entry.get("repository").and_then(|repository| at(repository, "url"));
    // A name there is proven to be its holder's: a domain or an account, turned around.
    let maintainer = at(&entry, "name").and_then(|name| name.split('/').next());
    Owner {
        maintainer: maintainer.and_then(owner::shown),
        repository: repository.and_then(owner::shown),
        ..Owner::default()
    }
}
