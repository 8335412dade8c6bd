//! What the maker of a server has signed, and who that must be.

use std::path::PathBuf;
use std::sync::Arc;

use lockgate_attest::{Manifest, PublicKey, Signer, Trust, Unproven, verify_statement};
use lockgate_core::Signed;
use lockgate_provenance::{Digest, Kind, Name};

use super::error::{At, Place, Report, quoted};
use super::raw::RawSignature;
use super::secret::{Resolver, plain};
use super::section::Section;

/// What stands in messages about signatures that do not hold, for whoever looks for it.
pub(crate) const INVALID: &str = "config_signature_invalid";

impl RawSignature {
    pub(super) fn read(section: Section<'_>, report: &Report) -> Self {
        let raw = Self {
            manifest: section.text("manifest"),
            required: section.switch("required"),
            keys: section.texts("keys"),
            identity: section.text("identity"),
            issuer: section.text("issuer"),
            trusted_root: section.text("trusted_root"),
        };
        let path = quoted(section.path());
        let has = |key| section.has(key);
        let wrong =
            |message: &str, hint: &str| report.error(section.place(), format!("{path} {message}"), hint);
        if !has("manifest") {
            wrong(
                "names no `manifest`",
                "write `manifest: FILE`, a file that `lockgate manifest sign` has written",
            );
        }
        match (has("keys"), has("identity") || has("issuer")) {
            (true, true) => {
                wrong("has both `keys` and an identity", "keep one: the keys, or `identity` and `issuer`");
            }
            (false, false) => {
                wrong(
                    "does not say who must have signed",
                    "write `keys: [FILE.pub]`, or `identity` and `issuer`",
                );
            }
            (false, true) if !(has("identity") && has("issuer")) => {
                wrong(
                    "has one of `identity` and `issuer`",
                    "write both: anybody can have a name at some issuer",
                );
            }
            (true | false, _) => {}
        }
        section.close();
        raw
    }
}

/// The definitions that were signed. `None` where the report says why.
pub(super) fn check(raw: &RawSignature, resolver: &Resolver<'_>) -> Option<Arc<Signed>> {
    let report = resolver.report;
    let file = raw.manifest.as_ref()?;
    let signer = signer(raw, resolver);
    let roots = roots(raw.trusted_root.as_ref(), resolver);
    let (signer, roots) = (signer?, roots?);
    let bytes = bytes(file, "a signed manifest", resolver)?;
    let manifest = verify_statement(&bytes, &signer, &roots).and_then(|proven| {
        let statement = proven.statement.ok_or(Unproven::Predicate)?;
        Manifest::read(&statement)
    });
    match manifest {
        Ok(manifest) => Some(Arc::new(Signed {
            required: raw.required.as_ref().is_none_or(|required| required.value),
            definitions: manifest.definitions.into_iter().filter_map(pin).collect(),
        })),
        Err(error) => {
            let message = format!("{INVALID}: {} is no proof: {error}", quoted(&file.value));
            report.error(
                file.place,
                message,
                "have its maker sign it again, or correct who must have signed",
            );
            None
        }
    }
}

/// What is signed, as it is pinned. What is of no kind that is known is offered by no server.
fn pin(((kind, name), digest): ((String, String), [u8; 32])) -> Option<(Name, Digest)> {
    Some((Name { kind: Kind::parse(&kind)?, name }, Digest::new(digest)))
}

fn signer(raw: &RawSignature, resolver: &Resolver<'_>) -> Option<Signer> {
    let report = resolver.report;
    if let Some(files) = &raw.keys {
        if files.value.is_empty() {
            report.error(files.place, "`keys` names no file", "write `keys: [FILE.pub]`");
            return None;
        }
        let read: Vec<Option<Vec<PublicKey>>> = files.value.iter().map(|file| keys(file, resolver)).collect();
        let keys: Option<Vec<_>> = read.into_iter().collect();
        return Some(Signer::Keys(keys?.concat()));
    }
    let (name, issuer) = (raw.identity.as_ref()?, raw.issuer.as_ref()?);
    match Signer::identity(&name.value, &issuer.value) {
        Ok(signer) => Some(signer),
        Err(error) => {
            let place = match error {
                lockgate_attest::BadSigner::Name(_) => name.place,
                lockgate_attest::BadSigner::Issuer => issuer.place,
            };
            let hint = "write the name in the certificate, and `*` only behind its owner: `https://github.com/org/**`";
            report.error(place, error.to_string(), hint);
            None
        }
    }
}

fn keys(file: &At<String>, resolver: &Resolver<'_>) -> Option<Vec<PublicKey>> {
    let bytes = bytes(file, "a file of public keys", resolver)?;
    let read = PublicKey::all_from_pem(&String::from_utf8_lossy(&bytes));
    let wrong = |error| {
        let message = format!("{} holds no public keys: {error}", quoted(&file.value));
        resolver.report.error(
            file.place,
            message,
            "name the file that `lockgate keys new` has written with `.pub`",
        );
    };
    read.map_err(wrong).ok()
}

fn roots(file: Option<&At<String>>, resolver: &Resolver<'_>) -> Option<Trust> {
    let read = match file {
        None => Trust::embedded(),
        Some(file) => Trust::read(&bytes(file, "roots of trust", resolver)?),
    };
    let wrong = |error| {
        let place = file.map_or(Place::default(), |file| file.place);
        resolver.report.error(place, format!("{error}"), "name a `trusted_root.json` of Sigstore");
    };
    read.map_err(wrong).ok()
}

fn bytes(file: &At<String>, what: &str, resolver: &Resolver<'_>) -> Option<Vec<u8>> {
    let path: PathBuf = resolver.base.join(resolver.expand(file)?);
    let wrong = |error| {
        let message = format!("{} cannot be read: {}", quoted(&file.value), plain(&error));
        let hint = format!("name {what}; the path is relative to the folder of the configuration");
        resolver.report.error(file.place, message, hint);
    };
    resolver.surroundings.file(&path).map_err(wrong).ok()
}
