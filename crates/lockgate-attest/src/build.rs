//! From what, by whom and how an artefact was built: SLSA provenance, and what the signer's certificate says.

use serde_json::Value;

use crate::{Claims, Pattern, Proven, SignedBy, Unproven};

/// Predicates that say how something was built.
const V1: &str = "https://slsa.dev/provenance/v1";
const V0_2: &str = "https://slsa.dev/provenance/v0.2";

/// From what, by whom and how an artefact was built, as far as it is known.
///
/// What the certificate of the signer says goes before what the statement says: an authority has checked it, and the
/// statement may be written by the build itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// Who built it: an address.
    pub builder: Option<String>,
    /// The repository: an address, without `git+` and `.git`.
    pub source: Option<String>,
    /// The branch or tag: `refs/heads/main`.
    pub reference: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// The file of the workflow in its repository.
    pub workflow: Option<String>,
}

/// How it must have been built. What is not said here is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildPolicy {
    /// By whom.
    pub builder: Option<Pattern>,
    /// From which repository.
    pub source: Option<Pattern>,
    /// From which branch or tag.
    pub reference: Option<Pattern>,
}

impl Proven {
    /// How the artefact was built. Where statement and certificate do not agree, nothing is proven.
    pub fn build(&self) -> Result<Build, Unproven> {
        let said = self.statement.as_ref().map(|statement| match statement.predicate_type.as_str() {
            V1 => v1(&statement.predicate),
            V0_2 => v0_2(&statement.predicate),
            _ => Build::default(),
        });
        let said = said.unwrap_or_default();
        match &self.by {
            SignedBy::Key(_) => Ok(said),
            SignedBy::Identity(claims) => said.beside(claims),
        }
    }
}

impl Build {
    fn beside(self, claims: &Claims) -> Result<Self, Unproven> {
        let runner = "https://github.com/actions/runner";
        if let Some(builder) =
            self.builder.as_deref().filter(|builder| builder.starts_with("https://github.com/"))
        {
            let machine = builder.strip_prefix(runner).and_then(|rest| rest.strip_prefix('/'));
            let agrees = builder == runner
                || machine
                    .is_some_and(|machine| claims.runner.as_deref().is_none_or(|runner| runner == machine))
                || claims.builder.as_deref().is_none_or(|known| known == builder);
            if !agrees {
                return Err(Unproven::Contradiction);
            }
        }
        let same = |said: &Option<String>, known: &Option<String>| match (said, known) {
            (Some(said), Some(known)) => said == known,
            _ => true,
        };
        let source = claims.source.as_deref().map(repository);
        if !same(&self.source, &source)
            || !same(&self.reference, &claims.reference)
            || !same(&self.commit, &claims.commit)
        {
            return Err(Unproven::Contradiction);
        }
        let path = |workflow: &String| {
            let path = workflow.strip_prefix(source.as_deref()?)?.strip_prefix('/')?;
            Some(path.split('@').next().unwrap_or_default().to_owned())
        };
        Ok(Self {
            builder: self.builder.or_else(|| claims.builder.clone()),
            workflow: claims.workflow.as_ref().and_then(path).or(self.workflow),
            source: source.or(self.source),
            reference: claims.reference.clone().or(self.reference),
            commit: claims.commit.clone().or(self.commit),
        })
    }
}

impl BuildPolicy {
    /// Was it built as it must be? What is asked for and not known was not.
    pub fn check(&self, build: &Build) -> Result<(), Unproven> {
        let holds = |wanted: &Option<Pattern>, known: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| known.as_deref().is_some_and(|known| wanted.matches(known)))
        };
        if !holds(&self.builder, &build.builder) {
            return Err(Unproven::Builder);
        }
        if !holds(&self.source, &build.source) {
            return Err(Unproven::Source);
        }
        if holds(&self.reference, &build.reference) { Ok(()) } else { Err(Unproven::Ref) }
    }
}

fn v1(predicate: &Value) -> Build {
    let text = |pointer: &str| predicate.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let inputs = predicate.pointer("/buildDefinition/resolvedDependencies").and_then(Value::as_array);
    let input = inputs
        .into_iter()
        .flatten()
        .find(|input| input.get("uri").and_then(Value::as_str).is_some_and(|uri| uri.starts_with("git+")));
    let (from, from_ref) = input
        .and_then(|input| input.get("uri").and_then(Value::as_str))
        .map(address)
        .map_or((None, None), |(source, reference)| (Some(source), reference));
    let parameters =
        ["workflow", "buildConfigSource"].map(|name| format!("/buildDefinition/externalParameters/{name}"));
    let said = |field: &str| parameters.iter().find_map(|place| text(&format!("{place}/{field}")));
    let commit = ["gitCommit", "sha1"].iter().find_map(|name| {
        input?.pointer(&format!("/digest/{name}")).and_then(Value::as_str).map(str::to_owned)
    });
    Build {
        builder: text("/runDetails/builder/id"),
        source: said("repository").map(|source| repository(&source)).or(from),
        reference: said("ref").or(from_ref),
        commit,
        workflow: said("path"),
    }
}

fn v0_2(predicate: &Value) -> Build {
    let text = |pointer: &str| predicate.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let (source, reference) = text("/invocation/configSource/uri")
        .map(|uri| address(&uri))
        .map_or((None, None), |(source, reference)| (Some(source), reference));
    Build {
        builder: text("/builder/id"),
        source,
        reference,
        commit: text("/invocation/configSource/digest/sha1"),
        workflow: text("/invocation/configSource/entryPoint"),
    }
}

/// `git+https://host/owner/repository.git@refs/heads/main`, taken apart.
fn address(uri: &str) -> (String, Option<String>) {
    match uri.rsplit_once("@refs/") {
        Some((source, rest)) => (repository(source), Some(format!("refs/{rest}"))),
        None => (repository(uri), None),
    }
}

fn repository(uri: &str) -> String {
    let uri = uri.strip_prefix("git+").unwrap_or(uri);
    uri.strip_suffix(".git").unwrap_or(uri).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Statement;

    fn proven(kind: &str, predicate: Value, by: SignedBy) -> Proven {
        let statement = Statement { subjects: Vec::new(), predicate_type: kind.to_owned(), predicate };
        Proven { by, statement: Some(statement), names: Vec::new(), at: None }
    }

    fn predicate() -> Value {
        json!({
            "buildDefinition": {
                "externalParameters": { "workflow": { "ref": "refs/tags/v1", "repository": "https://github.com/org/repo", "path": ".github/workflows/release.yml" } },
                "resolvedDependencies": [{ "uri": "git+https://github.com/org/repo@refs/tags/v1", "digest": { "gitCommit": "abc" } }]
            },
            "runDetails": { "builder": { "id": "https://github.com/actions/runner/github-hosted" } }
        })
    }

    fn claims() -> Claims {
        Claims {
            name: "https://github.com/org/repo/.github/workflows/release.yml@refs/tags/v1".to_owned(),
            issuer: "https://token.actions.githubusercontent.com".to_owned(),
            builder: Some(
                "https://github.com/org/repo/.github/workflows/release.yml@refs/tags/v1".to_owned(),
            ),
            source: Some("https://github.com/org/repo".to_owned()),
            reference: Some("refs/tags/v1".to_owned()),
            commit: Some("abc".to_owned()),
            workflow: Some(
                "https://github.com/org/repo/.github/workflows/release.yml@refs/tags/v1".to_owned(),
            ),
            runner: Some("github-hosted".to_owned()),
        }
    }

    fn key() -> SignedBy {
        SignedBy::Key("k".to_owned())
    }

    #[test]
    fn both_versions_are_read() {
        let wanted = Build {
            builder: Some("https://github.com/actions/runner/github-hosted".to_owned()),
            source: Some("https://github.com/org/repo".to_owned()),
            reference: Some("refs/tags/v1".to_owned()),
            commit: Some("abc".to_owned()),
            workflow: Some(".github/workflows/release.yml".to_owned()),
        };
        assert_eq!(proven(V1, predicate(), key()).build().unwrap(), wanted);
        assert_eq!(proven(V1, predicate(), SignedBy::Identity(Box::new(claims()))).build().unwrap(), wanted);
        let old = json!({
            "builder": { "id": "https://github.com/actions/runner/github-hosted" },
            "invocation": { "configSource": { "uri": "git+https://github.com/org/repo.git@refs/tags/v1", "digest": { "sha1": "abc" }, "entryPoint": ".github/workflows/release.yml" } }
        });
        assert_eq!(proven(V0_2, old, key()).build().unwrap(), wanted);
    }

    #[test]
    fn a_statement_that_says_something_else_than_the_certificate_proves_nothing() {
        for (pointer, lie) in [
            ("/buildDefinition/externalParameters/workflow/repository", "https://github.com/org/other"),
            ("/buildDefinition/externalParameters/workflow/ref", "refs/tags/v2"),
            ("/buildDefinition/resolvedDependencies/0/digest/gitCommit", "abd"),
            ("/runDetails/builder/id", "https://github.com/actions/runner/self-hosted"),
            (
                "/runDetails/builder/id",
                "https://github.com/slsa-framework/other/.github/workflows/x.yml@refs/tags/v1",
            ),
        ] {
            let mut changed = predicate();
            *changed.pointer_mut(pointer).unwrap() = json!(lie);
            let lying = proven(V1, changed, SignedBy::Identity(Box::new(claims())));
            assert_eq!(lying.build(), Err(Unproven::Contradiction), "{lie}");
        }
    }

    #[test]
    fn what_is_asked_for_and_not_known_does_not_hold() {
        let pattern = |text: &str| Some(Pattern::new(text).unwrap());
        let build = proven(V1, predicate(), key()).build().unwrap();
        let nothing = proven("other", predicate(), key()).build().unwrap();
        let good = BuildPolicy {
            builder: pattern("https://github.com/actions/runner/github-hosted"),
            source: pattern("https://github.com/org/*"),
            reference: pattern("refs/tags/*"),
        };
        assert_eq!(good.check(&build), Ok(()));
        assert_eq!(good.check(&nothing), Err(Unproven::Builder));
        assert_eq!(BuildPolicy::default().check(&nothing), Ok(()));
        let other = BuildPolicy { source: pattern("https://github.com/other/*"), ..good.clone() };
        assert_eq!(other.check(&build), Err(Unproven::Source));
        let branch = BuildPolicy { reference: pattern("refs/heads/main"), ..good };
        assert_eq!(branch.check(&build), Err(Unproven::Ref));
    }
}
