//! What is expected of where a server comes from: who answers for it, who vouches for it, and which key it has.

use lockgate_attest::{BuildPolicy, Pattern, Signer};
use lockgate_origin::{Origin, Owner, Part, Voucher};
use lockgate_transport::TlsKey;
use schemars::JsonSchema;

use super::Launch;
use super::error::{At, Place, Report, quoted};
use super::raw::RawServer;
use super::schema;
use super::section::{self, Section};
use super::server::reaches;

/// Longest text about an owner, in characters.
const LONGEST: usize = 200;

/// What is expected of where a server comes from, before it is started or spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// What the lock file says it comes from; none where the lock file does not have it.
    pub pinned: Option<Origin>,
    /// Is it refused where the lock file does not have it?
    pub must_be_pinned: bool,
    /// Who answers for it, as the operator says. Goes before what its package says.
    pub owner: Owner,
    /// What must be known of its owner.
    pub known: Vec<Part>,
    /// Who must have vouched for its files; none where nobody must.
    pub attested: Option<Voucher>,
    /// The key of a server elsewhere, where the operator has written it.
    pub key: Option<TlsKey>,
}

impl Expected {
    /// Is there nothing to look at before the server is started?
    pub fn is_nothing(&self) -> bool {
        self.pinned.is_none() && !self.must_be_pinned && self.known.is_empty() && self.attested.is_none()
    }
}

/// Who answers for a server. What is not written here is taken from its package, or from its entry in the MCP registry.
#[derive(JsonSchema)]
#[schemars(rename = "Owner", deny_unknown_fields)]
pub(super) struct RawOwner {
    /// Who maintains it: at most 200 characters, as all that stands here.
    #[schemars(with = "Option<String>")]
    maintainer: Option<At<String>>,
    /// Where its source is.
    #[schemars(with = "Option<String>")]
    repository: Option<At<String>>,
    /// How it is released, and who may.
    #[schemars(with = "Option<String>")]
    release: Option<At<String>>,
    /// Whom to tell of a weakness.
    #[schemars(with = "Option<String>")]
    security: Option<At<String>>,
}

/// Who must have vouched for the server's files, by an attestation of its registry. It counts with `require`.
#[derive(JsonSchema)]
#[schemars(rename = "Attestation", deny_unknown_fields)]
pub(super) struct RawAttestation {
    /// The identity in the certificate: `https://github.com/org/repo/.github/workflows/release.yml@refs/tags/*`. `*`
    /// stands for any run of characters but `/`, `**` for any at all.
    #[schemars(with = "String")]
    identity: Option<At<String>>,
    /// Who vouches for the identity: `https://token.actions.githubusercontent.com`.
    #[schemars(with = "String")]
    issuer: Option<At<String>>,
    /// The repository that it must be built from: `https://github.com/org/repo`.
    #[schemars(with = "Option<String>")]
    source: Option<At<String>>,
    /// What must have built it: `https://github.com/actions/runner/github-hosted`.
    #[schemars(with = "Option<String>")]
    builder: Option<At<String>>,
}

/// What must be known of a server before it is started.
#[derive(JsonSchema)]
#[schemars(rename = "Require", deny_unknown_fields)]
pub(super) struct RawRequire {
    /// What must be known of its owner, else `owner_unknown`.
    #[schemars(with = "Option<Vec<schema::OwnerPart>>", extend("uniqueItems" = true, "minItems" = 1))]
    owner: Option<At<Vec<At<Part>>>>,
    /// Must its files be attested as `attestation` says, else `artefact_unproven`?
    #[schemars(with = "Option<bool>", extend("default" = false))]
    attestation: Option<At<bool>>,
}

impl RawOwner {
    pub(super) fn read(section: Section<'_>) -> Self {
        let raw = Self {
            maintainer: section.text("maintainer"),
            repository: section.text("repository"),
            release: section.text("release"),
            security: section.text("security"),
        };
        section.close();
        raw
    }

    fn check(&self, report: &Report) -> Owner {
        let text = |at: &Option<At<String>>| {
            let at = at.as_ref()?;
            let sound = at.value.chars().count() <= LONGEST
                && !at.value.trim().is_empty()
                && !at.value.contains(char::is_control);
            if !sound {
                report.error(at.place, "this says nobody", "write one line of 1 to 200 characters");
            }
            Some(at.value.clone())
        };
        Owner {
            maintainer: text(&self.maintainer),
            repository: text(&self.repository),
            release: text(&self.release),
            security: text(&self.security),
            licence: None,
        }
    }
}

impl RawAttestation {
    pub(super) fn read(section: Section<'_>) -> Self {
        let raw = Self {
            identity: section.text("identity"),
            issuer: section.text("issuer"),
            source: section.text("source"),
            builder: section.text("builder"),
        };
        section.close();
        raw
    }
}

impl RawAttestation {
    fn check(&self, place: Place, report: &Report) -> Option<Voucher> {
        let (Some(identity), Some(issuer)) = (&self.identity, &self.issuer) else {
            let hint = "write both; without them anybody could have signed";
            report.error(place, "`attestation` needs `identity` and `issuer`", hint);
            return None;
        };
        let signer = Signer::identity(&identity.value, &issuer.value);
        let signer = signer.map_err(|error| {
            let hint = "write the certificate's identity and its issuer, as `docs/origins.md` shows";
            report.error(identity.place, format!("this names nobody: {error}"), hint);
        });
        let pattern = |at: &Option<At<String>>| {
            let at = at.as_ref()?;
            let pattern = Pattern::new(&at.value);
            if let Err(error) = &pattern {
                report.error(at.place, format!("this names nothing: {error}"), "write an address");
            }
            pattern.ok()
        };
        let build = BuildPolicy {
            builder: pattern(&self.builder),
            source: pattern(&self.source),
            ..BuildPolicy::default()
        };
        Some(Voucher { signer: signer.ok()?, build })
    }
}

impl RawRequire {
    pub(super) fn read(section: Section<'_>, report: &Report) -> Self {
        let raw = Self { owner: owner_parts(&section, report), attestation: section.switch("attestation") };
        section.close();
        raw
    }
}

/// What must be known of an owner.
pub(super) fn owner_parts(section: &Section<'_>, report: &Report) -> Option<At<Vec<At<Part>>>> {
    let parts = section.texts("owner")?;
    let words = Part::ALL.map(|part| (part.word(), part));
    let one = |text| At::map(text, |text| section::word("`owner`", text, &words, report));
    Some(At { value: parts.value.iter().filter_map(one).collect(), place: parts.place })
}

/// What is expected of a server, where anything is. What the lock file says is added when it is read.
pub(super) fn check(raw: &RawServer, launch: &Launch, report: &Report) -> Option<Expected> {
    let key = raw.tls_key.as_ref().and_then(|text| {
        let key = TlsKey::parse(&text.value);
        if key.is_none() {
            let hint = "write `sha256/` and the base64 of 32 bytes, as `lockgate pin` shows it";
            report.error(text.place, format!("{} is not a TLS key", quoted(&text.value)), hint);
        } else if !reaches(launch).is_some_and(|target| target.encrypted) {
            report.error(text.place, "`tls_key` has no effect on a server without https", "remove it");
        }
        key
    });
    let require = raw.require.as_ref();
    let attested = require.and_then(|require| require.attestation.as_ref()).filter(|at| at.value);
    let section = raw.attestation.as_ref();
    let attestation = section.and_then(|(raw, place)| raw.check(*place, report));
    match (attested, section) {
        (Some(at), None) => {
            let hint = "write `attestation: { identity: …, issuer: … }` for the server";
            report.error(at.place, "nothing says who must have attested it", hint);
        }
        (None, Some((_, place))) => {
            let hint = "write `require: { attestation: true }` beside it, or remove it";
            report.error(*place, "`attestation` has no effect: nothing requires it", hint);
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    if let (Some(at), Launch::Http { .. }) = (attested, launch) {
        let hint = "who runs it can change it at any time: `tls_key` pins it";
        report.error(at.place, "nothing attests a server elsewhere", hint);
    }
    let known = require.and_then(|require| require.owner.as_ref());
    let expected = Expected {
        pinned: None,
        must_be_pinned: false,
        owner: raw.owner.as_ref().map(|owner| owner.check(report)).unwrap_or_default(),
        known: known.map(|parts| parts.value.iter().map(|part| part.value).collect()).unwrap_or_default(),
        attested: attestation.filter(|_| attested.is_some()),
        key,
    };
    (expected != Expected::default()).then_some(expected)
}
