use crate::{ApprovalId, DefinitionId, Refusal, Voted, Which};

/// All that can be asked for, as the documentation writes it.
pub const PLACES: [&str; 13] = [
    "GET /healthz",
    "GET /v1/approvals",
    "GET /v1/approvals/{id}",
    "POST /v1/approvals/{id}/approve",
    "POST /v1/approvals/{id}/deny",
    "GET /v1/quarantine",
    "GET /v1/quarantine/{id}",
    "POST /v1/quarantine/{id}",
    "GET /v1/stops",
    "POST /v1/stops",
    "DELETE /v1/stops",
    "POST /v1/safe-mode",
    "GET /v1/sessions",
];

/// What a path stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Health,
    Approvals(Which),
    Approval(ApprovalId),
    Answer(ApprovalId, Voted),
    Quarantine(Which),
    Definition(DefinitionId),
    Stops,
    SafeMode,
    Sessions,
}

impl Place {
    /// Finds it. A path has one spelling: nothing is decoded, and no slash too many is forgiven.
    pub(crate) fn find(path: &str, query: Option<&str>) -> Result<Self, Refusal> {
        let id = |text| ApprovalId::parse(text).ok_or(Refusal::NoSuchPath);
        let segments: Vec<&str> = path.split('/').skip(1).take(5).collect();
        let place = match segments.as_slice() {
            ["healthz"] => Self::Health,
            ["v1", "approvals"] => Self::Approvals(Which::Waiting),
            ["v1", "approvals", name] => Self::Approval(id(name)?),
            ["v1", "approvals", name, "approve"] => Self::Answer(id(name)?, Voted::Approve),
            ["v1", "approvals", name, "deny"] => Self::Answer(id(name)?, Voted::Deny),
            ["v1", "quarantine"] => Self::Quarantine(Which::Waiting),
            ["v1", "quarantine", name] => {
                Self::Definition(DefinitionId::parse(name).ok_or(Refusal::NoSuchPath)?)
            }
            ["v1", "stops"] => Self::Stops,
            ["v1", "safe-mode"] => Self::SafeMode,
            ["v1", "sessions"] => Self::Sessions,
            _ => return Err(Refusal::NoSuchPath),
        };
        match (place, query) {
            (place, None) | (place @ (Self::Approvals(_) | Self::Quarantine(_)), Some("all=false")) => {
                Ok(place)
            }
            (Self::Approvals(_), Some("all=true")) => Ok(Self::Approvals(Which::All)),
            (Self::Quarantine(_), Some("all=true")) => Ok(Self::Quarantine(Which::All)),
            _ => Err(Refusal::BadQuery),
        }
    }

    /// The methods it knows.
    pub(crate) fn methods(&self) -> &'static str {
        match self {
            Self::Health | Self::Approvals(_) | Self::Approval(_) | Self::Quarantine(_) | Self::Sessions => {
                "GET"
            }
            Self::Definition(_) => "GET, POST",
            Self::Answer(..) | Self::SafeMode => "POST",
            Self::Stops => "GET, POST, DELETE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling() {
        let id = || ApprovalId::parse("apr-1").unwrap();
        for (path, query, place) in [
            ("/healthz", None, Ok(Place::Health)),
            ("/v1/approvals", None, Ok(Place::Approvals(Which::Waiting))),
            ("/v1/approvals", Some("all=false"), Ok(Place::Approvals(Which::Waiting))),
            ("/v1/approvals", Some("all=true"), Ok(Place::Approvals(Which::All))),
            ("/v1/approvals/apr-1", None, Ok(Place::Approval(id()))),
            ("/v1/approvals/apr-1/approve", None, Ok(Place::Answer(id(), Voted::Approve))),
            ("/v1/approvals/apr-1/deny", None, Ok(Place::Answer(id(), Voted::Deny))),
            ("/v1/quarantine", None, Ok(Place::Quarantine(Which::Waiting))),
            ("/v1/quarantine", Some("all=true"), Ok(Place::Quarantine(Which::All))),
            ("/v1/quarantine/def_1", None, Ok(Place::Definition(DefinitionId::parse("def_1").unwrap()))),
            ("/v1/quarantine/def_1", Some("all=true"), Err(Refusal::BadQuery)),
            ("/v1/quarantine/def_1/approve", None, Err(Refusal::NoSuchPath)),
            ("/v1/quarantine/def.1", None, Err(Refusal::NoSuchPath)),
            ("/v1/stops", None, Ok(Place::Stops)),
            ("/v1/approvals", Some(""), Err(Refusal::BadQuery)),
            ("/v1/approvals", Some("all=true&all=false"), Err(Refusal::BadQuery)),
            ("/v1/approvals", Some("all=TRUE"), Err(Refusal::BadQuery)),
            ("/v1/stops", Some("all=true"), Err(Refusal::BadQuery)),
            ("/v1/approvals/", None, Err(Refusal::NoSuchPath)),
            ("/v1//approvals", None, Err(Refusal::NoSuchPath)),
            ("//v1/approvals", None, Err(Refusal::NoSuchPath)),
            ("/v1/approvals/..", None, Err(Refusal::NoSuchPath)),
            ("/v1/approvals/apr-1/approve/", None, Err(Refusal::NoSuchPath)),
            ("/v1/approvals/apr-1/deny/../approve", None, Err(Refusal::NoSuchPath)),
            ("/v1/approvals/apr%2D1", None, Err(Refusal::NoSuchPath)),
            ("/v1/approvals/apr-1;x", None, Err(Refusal::NoSuchPath)),
            ("/V1/approvals", None, Err(Refusal::NoSuchPath)),
            ("/", None, Err(Refusal::NoSuchPath)),
            ("*", None, Err(Refusal::NoSuchPath)),
            ("", None, Err(Refusal::NoSuchPath)),
        ] {
            assert_eq!(Place::find(path, query), place, "{path} {query:?}");
        }
    }
}
