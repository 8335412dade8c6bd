//! Sigstore bundles: a signature with all that is needed to verify it later and offline.

use lockgate_model::hex;
use sha2::{Digest, Sha256, Sha512};
use sigstore_verify::types::{
    self, Bundle, DigestBytes, HashAlgorithm, SignatureContent, VerificationMaterialContent,
};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult};

use crate::signer::Identity;
use crate::trust::Root;
use crate::{DEPTH, Envelope, LARGEST, PAYLOAD, PublicKey, Signer, Statement, Trust, Unproven};

/// What is said to be signed.
#[derive(Clone, Copy, Debug)]
pub enum Artefact<'a> {
    /// All of it.
    Bytes(&'a [u8]),
    /// Its SHA-256.
    Sha256([u8; 32]),
    /// Its SHA-512.
    Sha512([u8; 64]),
}

/// What was verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Proven {
    /// Who has signed.
    pub by: SignedBy,
    /// What they say of the artefact; none where they signed the artefact itself.
    pub statement: Option<Statement>,
    /// What the statement calls the artefact, such as `pkg:npm/name@1.0.0` or a file's name. A proof that is not of the
    /// name that is expected is the proof of something else.
    pub names: Vec<String>,
    /// When, as far as a log or a time stamp proves it. Seconds since 1970; the earliest of several.
    pub at: Option<i64>,
}

/// Who has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedBy {
    /// Somebody with a certificate.
    Identity(Box<Claims>),
    /// Who has the key with this id.
    Key(String),
}

/// What a certificate says of who has signed. The authority has checked it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// The name.
    pub name: String,
    /// Who vouches for it.
    pub issuer: String,
    /// The workflow that was run, with its branch or tag: an address. This and all below is known of builds alone.
    pub builder: Option<String>,
    /// The repository the artefact was built from: an address.
    pub source: Option<String>,
    /// The branch or tag: `refs/heads/main`.
    pub reference: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// The file of the workflow at the top, with its branch or tag: an address.
    pub workflow: Option<String>,
    /// Whose machine it ran on: `github-hosted` or `self-hosted`.
    pub runner: Option<String>,
}

/// Verifies that a bundle (v0.1 to v0.3) is of this artefact and of this signer. Time and log are proven by the bundle;
/// where the signer is a key, a log entry is not needed, and verified if there is one.
pub fn verify_bundle(
    bundle: &[u8],
    artefact: Artefact<'_>,
    signer: &Signer,
    trust: &Trust,
) -> Result<Proven, Unproven> {
    verify(&read(bundle)?, artefact, signer, trust)
}

/// Verifies a statement that is itself the artefact: in a DSSE envelope signed with a key, or in a bundle.
pub fn verify_statement(bytes: &[u8], signer: &Signer, trust: &Trust) -> Result<Proven, Unproven> {
    if is_bundle(bytes)? {
        let bundle = read(bytes)?;
        let statement = statement(&bundle)?.ok_or(Unproven::Unsupported)?;
        let artefact = statement.subjects.iter().find_map(itself).ok_or(Unproven::Unsupported)?;
        return verify(&bundle, artefact, signer, trust);
    }
    let envelope = Envelope::read(bytes)?;
    let Signer::Keys(keys) = signer else { return Err(Unproven::Identity) };
    let (payload, key) = envelope.verify(PAYLOAD, keys)?;
    let statement = Statement::read(payload)?;
    Ok(Proven { by: SignedBy::Key(key.id()), statement: Some(statement), names: Vec::new(), at: None })
}

fn is_bundle(bytes: &[u8]) -> Result<bool, Unproven> {
    let document: serde_json::Value = crate::strict(bytes)?;
    Ok(document.get("mediaType").is_some())
}

fn read(bytes: &[u8]) -> Result<Bundle, Unproven> {
    if bytes.len() > LARGEST {
        return Err(Unproven::TooLarge);
    }
    lockgate_model::Json::check(bytes, DEPTH).map_err(|_| Unproven::Malformed)?;
    let text = std::str::from_utf8(bytes).map_err(|_| Unproven::Malformed)?;
    Bundle::from_json(text).map_err(|_| Unproven::Malformed)
}

fn verify(
    bundle: &Bundle,
    artefact: Artefact<'_>,
    signer: &Signer,
    trust: &Trust,
) -> Result<Proven, Unproven> {
    let keyed = matches!(bundle.verification_material.content, VerificationMaterialContent::PublicKey(_));
    let (by, result) = match signer {
        Signer::Identity(_) if keyed => return Err(Unproven::Identity),
        Signer::Keys(_) if !keyed => return Err(Unproven::Key),
        Signer::Identity(identity) => {
            let (claims, result) = of_identity(bundle, artefact, identity, trust)?;
            (SignedBy::Identity(Box::new(claims)), result)
        }
        Signer::Keys(keys) => {
            let (id, result) = of_keys(bundle, artefact, keys, trust)?;
            (SignedBy::Key(id), result)
        }
    };
    let statement = statement(bundle)?;
    let names = statement.as_ref().map(|statement| names(statement, artefact)).unwrap_or_default();
    let at = result.verified_timestamps().iter().map(|time| time.as_second()).min();
    Ok(Proven { by, statement, names, at })
}

fn of_identity(
    bundle: &Bundle,
    artefact: Artefact<'_>,
    identity: &Identity,
    trust: &Trust,
) -> Result<(Claims, VerificationResult), Unproven> {
    let result = first(&trust.roots, |root| {
        let policy = VerificationPolicy::any_identity().require_issuer(&identity.issuer);
        // What names no log vouches with time stamps, which are always asked for.
        let policy = if root.logged { policy } else { policy.skip_tlog_unsafe().skip_sct() };
        Ok(root.verifier.verify(theirs(artefact)?, bundle, &policy)?)
    })?;
    let claims = claims(&result);
    if !result.certificate_verified() || claims.issuer != identity.issuer {
        return Err(Unproven::Issuer);
    }
    if !identity.name.matches(&claims.name) {
        return Err(Unproven::Identity);
    }
    Ok((claims, result))
}

fn of_keys(
    bundle: &Bundle,
    artefact: Artefact<'_>,
    keys: &[PublicKey],
    trust: &Trust,
) -> Result<(String, VerificationResult), Unproven> {
    let bare = [Root::bare()?];
    let logged = !bundle.verification_material.tlog_entries.is_empty();
    let roots = if logged { &trust.roots[..] } else { &bare };
    let each = keys.iter().map(|key| {
        let policy = PublicKeyVerificationPolicy::new(key.sigstore());
        let policy = if logged { policy } else { policy.skip_tlog_unsafe() };
        let verified = first(roots, |root| Ok(root.verifier.verify(theirs(artefact)?, bundle, &policy)?));
        verified.map(|result| (key.id(), result))
    });
    sooner(each)
}

/// What the first of these roots gives that gives anything.
fn first<T>(roots: &[Root], verify: impl Fn(&Root) -> Result<T, Unproven>) -> Result<T, Unproven> {
    sooner(roots.iter().map(verify))
}

/// The first success; else what went wrong where most was right.
fn sooner<T>(each: impl Iterator<Item = Result<T, Unproven>>) -> Result<T, Unproven> {
    let mut worst = None;
    for one in each {
        match one {
            Ok(good) => return Ok(good),
            Err(error) => {
                let far = |error: Unproven| {
                    use Unproven::{Certificate, Log, Malformed, Roots, Time};
                    !matches!(error, Certificate | Log | Malformed | Roots | Time)
                };
                if worst.is_none_or(|before| far(error) && !far(before)) {
                    worst = Some(error);
                }
            }
        }
    }
    Err(worst.unwrap_or(Unproven::Roots))
}

fn statement(bundle: &Bundle) -> Result<Option<Statement>, Unproven> {
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else { return Ok(None) };
    Statement::read(envelope.payload.as_bytes()).map(Some)
}

fn names(statement: &Statement, artefact: Artefact<'_>) -> Vec<String> {
    let digests: Vec<(&str, String)> = match artefact {
        Artefact::Bytes(bytes) => {
            vec![("sha256", hex(&Sha256::digest(bytes))), ("sha512", hex(&Sha512::digest(bytes)))]
        }
        Artefact::Sha256(digest) => vec![("sha256", hex(&digest))],
        Artefact::Sha512(digest) => vec![("sha512", hex(&digest))],
    };
    statement.about(&digests).map(|subject| subject.name.clone()).collect()
}

/// A subject as the artefact that it names.
fn itself(subject: &crate::Subject) -> Option<Artefact<'static>> {
    let digest = |name: &str| DigestBytes::from_hex(subject.digest.get(name)?).ok();
    let short = digest("sha256").and_then(|bytes| bytes.as_bytes().try_into().ok()).map(Artefact::Sha256);
    short
        .or_else(|| digest("sha512").and_then(|bytes| bytes.as_bytes().try_into().ok()).map(Artefact::Sha512))
}

fn theirs(artefact: Artefact<'_>) -> Result<types::Artifact<'_>, Unproven> {
    let digest = |algorithm, bytes: &[u8]| {
        let digest = types::ArtifactDigest::new(algorithm, DigestBytes::new(bytes.to_vec()));
        digest.map(types::Artifact::from_digest).map_err(|_| Unproven::Unsupported)
    };
    match artefact {
        Artefact::Bytes(bytes) => Ok(types::Artifact::from_blob(bytes)),
        Artefact::Sha256(bytes) => digest(HashAlgorithm::Sha2256, &bytes),
        Artefact::Sha512(bytes) => digest(HashAlgorithm::Sha2512, &bytes),
    }
}

fn claims(result: &VerificationResult) -> Claims {
    let name = result.identity().map(|name| name.as_str().to_owned()).unwrap_or_default();
    let issuer = result.issuer().unwrap_or_default().to_owned();
    let Some(certificate) = result.certificate() else { return Claims { name, issuer, ..Claims::default() } };
    let all = certificate.ci_claims.clone();
    let old = all.deprecated_github;
    let at_github = |repository: String| format!("https://github.com/{repository}");
    Claims {
        name,
        issuer,
        builder: all.build_signer_uri,
        source: all.source_repository_uri.or_else(|| old.workflow_repository.map(at_github)),
        reference: all.source_repository_ref.or(old.workflow_ref),
        commit: all.source_repository_digest.or(old.workflow_sha),
        workflow: all.build_config_uri,
        runner: all.runner_environment,
    }
}
