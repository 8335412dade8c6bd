//! The vectors of the Sigstore conformance suite (`test/assets/bundle-verify`), through the product's own path.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lockgate_attest::{
    Artefact, BuildPolicy, Instance, Pattern, PublicKey, SignedBy, Signer, Statement, Trust, Unproven,
    npm_attestations, pypi_attestations, verify_bundle, verify_statement,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const FOLDER: &str = "test/assets/bundle-verify/";
const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// The files of the suite by path; none where it is not beside the checkout.
fn suite() -> Option<BTreeMap<String, Vec<u8>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.ancestors().map(|above| above.join("shared/data/sigstore-bundle-verify.tar.gz"));
    let Some(file) = file.into_iter().find(|file| file.exists()) else {
        eprintln!("skipped: the Sigstore vectors are not beside the checkout");
        return None;
    };
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_end(&mut tar).unwrap();
    let text =
        |field: &[u8]| String::from_utf8(field.split(|byte| *byte == 0).next().unwrap().to_vec()).unwrap();
    let (mut files, mut at) = (BTreeMap::new(), 0);
    while tar[at] != 0 {
        let head = &tar[at..at + 512];
        let size = usize::from_str_radix(text(&head[124..136]).trim(), 8).unwrap();
        if head[156] == b'0' {
            let (name, above) = (text(&head[..100]), text(&head[345..500]));
            let path = if above.is_empty() { name } else { format!("{above}/{name}") };
            files.insert(path, tar[at + 512..at + 512 + size].to_vec());
        }
        at += 512 + size.div_ceil(512) * 512;
    }
    Some(files)
}

struct Case<'f> {
    bundle: &'f [u8],
    artefact: &'f [u8],
    signer: Signer,
    trust: Trust,
}

fn case<'f>(files: &'f BTreeMap<String, Vec<u8>>, name: &str) -> Case<'f> {
    let file = |file: &str| files.get(&format!("{FOLDER}{name}/{file}")).map(Vec::as_slice);
    let text = |name: &str| file(name).map(|bytes| std::str::from_utf8(bytes).unwrap().trim().to_owned());
    let signer = match text("key.pub") {
        // One vector's key is no key at all: nobody has it.
        Some(pem) => Signer::Keys(PublicKey::all_from_pem(&pem).unwrap_or_default()),
        None => Signer::identity(
            &text("identity").unwrap_or_else(|| IDENTITY.to_owned()),
            &text("issuer").unwrap_or_else(|| ISSUER.to_owned()),
        )
        .unwrap(),
    };
    let trust = match file("trusted_root.json") {
        Some(root) => Trust::read(root).unwrap_or_else(|_| Trust::none()),
        None => Trust::of(&[Instance::PublicGood]).unwrap(),
    };
    let artefact = file("artifact").unwrap_or_else(|| &files[&format!("{FOLDER}a.txt")]);
    Case { bundle: file("bundle.sigstore.json").unwrap(), artefact, signer, trust }
}

#[test]
fn every_vector_of_the_suite_is_right() {
    let Some(files) = suite() else { return };
    let names =
        files.keys().filter_map(|path| path.strip_prefix(FOLDER)?.split_once('/').map(|(name, _)| name));
    let names: BTreeSet<&str> = names.collect();
    let mut wrong = Vec::new();
    for name in &names {
        let case = case(&files, name);
        let result = verify_bundle(case.bundle, Artefact::Bytes(case.artefact), &case.signer, &case.trust);
        if result.is_ok() == name.ends_with("_fail") {
            wrong.push(format!("{name}: {:?}", result.err()));
        }
    }
    assert_eq!((names.len(), wrong), (70, Vec::new()));
}

#[test]
fn a_digest_is_as_good_as_the_bytes_and_a_byte_more_is_nothing() {
    let Some(files) = suite() else { return };
    for name in
        ["happy-path-v0.3", "rekor2-happy-path", "happy-path-intoto-in-dsse-v3", "managed-key-happy-path"]
    {
        let case = case(&files, name);
        let digest = Artefact::Sha256(Sha256::digest(case.artefact).into());
        let proven = verify_bundle(case.bundle, digest, &case.signer, &case.trust).unwrap();
        assert_eq!(
            proven,
            verify_bundle(case.bundle, Artefact::Bytes(case.artefact), &case.signer, &case.trust).unwrap()
        );
        let more = [case.artefact, b"x"].concat();
        let refused = verify_bundle(case.bundle, Artefact::Bytes(&more), &case.signer, &case.trust);
        assert!(matches!(refused, Err(Unproven::Artefact | Unproven::Signature)), "{name}: {refused:?}");
    }
}

#[test]
fn the_signer_is_the_one_that_is_named() {
    let Some(files) = suite() else { return };
    let case = case(&files, "happy-path-v0.3");
    let verify = |name: &str, issuer: &str| {
        let signer = Signer::identity(name, issuer).unwrap();
        verify_bundle(case.bundle, Artefact::Bytes(case.artefact), &signer, &case.trust)
    };
    let owner = "https://github.com/sigstore-conformance/";
    let proven = verify(&format!("{owner}**"), ISSUER).unwrap();
    let SignedBy::Identity(claims) = &proven.by else { panic!("signed by a key") };
    assert_eq!((claims.name.as_str(), claims.issuer.as_str()), (IDENTITY, ISSUER));
    assert!(proven.at.unwrap() > 1_600_000_000);
    assert_eq!(verify("https://github.com/somebody-else/**", ISSUER), Err(Unproven::Identity));
    assert_eq!(verify(&IDENTITY.replace("main", "other"), ISSUER), Err(Unproven::Identity));
    assert_eq!(verify(IDENTITY, "https://accounts.google.com"), Err(Unproven::Issuer));
    let build = proven.build().unwrap();
    assert_eq!(build.source.as_deref(), IDENTITY.split("/.github").next());
    let pattern = |text: &str| Some(Pattern::new(text).unwrap());
    let policy = BuildPolicy {
        reference: pattern("refs/heads/main"),
        source: pattern(&format!("{owner}*")),
        builder: None,
    };
    assert_eq!(policy.check(&build), Ok(()));
    // Without roots, and with the wrong ones, nobody is anybody.
    for trust in [Trust::none(), Trust::of(&[Instance::GitHub]).unwrap()] {
        let refused = verify_bundle(case.bundle, Artefact::Bytes(case.artefact), &case.signer, &trust);
        assert!(refused.is_err(), "{trust:?}");
    }
    let key = PublicKey::all_from_pem(
        std::str::from_utf8(&files[&format!("{FOLDER}managed-key-happy-path/key.pub")]).unwrap(),
    );
    let refused =
        verify_bundle(case.bundle, Artefact::Bytes(case.artefact), &Signer::Keys(key.unwrap()), &case.trust);
    assert_eq!(refused, Err(Unproven::Key));
}

#[test]
fn a_statement_in_a_bundle_is_verified_without_its_artefact() {
    let Some(files) = suite() else { return };
    let good = case(&files, "happy-path-intoto-in-dsse-v3");
    let proven = verify_statement(good.bundle, &good.signer, &good.trust).unwrap();
    let statement = proven.statement.unwrap();
    assert!(!statement.subjects.is_empty() && statement.predicate_type.starts_with("https://"));
    let bad = case(&files, "dsse-invalid-sig_fail");
    assert!(verify_statement(bad.bundle, &bad.signer, &bad.trust).is_err());
    let plain = case(&files, "happy-path-v0.3");
    assert_eq!(verify_statement(plain.bundle, &plain.signer, &plain.trust), Err(Unproven::Unsupported));
}

#[test]
fn no_byte_of_a_bundle_can_be_another() {
    let Some(files) = suite() else { return };
    let case = case(&files, "happy-path-intoto-in-dsse-v3");
    let whole =
        verify_bundle(case.bundle, Artefact::Bytes(case.artefact), &case.signer, &case.trust).unwrap();
    for at in (0..case.bundle.len()).step_by(case.bundle.len() / 150) {
        let mut changed = case.bundle.to_vec();
        changed[at] ^= 1;
        // What is changed is refused, or makes no difference (an unused field, or the space between two).
        if let Ok(proven) = verify_bundle(&changed, Artefact::Bytes(case.artefact), &case.signer, &case.trust)
        {
            assert_eq!(proven, whole, "byte {at}");
        }
    }
}

#[test]
fn an_attestation_of_pypi_is_a_bundle_with_other_names() {
    let Some(files) = suite() else { return };
    let case = case(&files, "happy-path-intoto-in-dsse-v3");
    let bundle: Value = serde_json::from_slice(case.bundle).unwrap();
    let (material, envelope) = (&bundle["verificationMaterial"], &bundle["dsseEnvelope"]);
    let publisher = |repository: &str| json!({ "kind": "GitHub", "repository": repository, "workflow": "extremely-dangerous-oidc-beacon.yml" });
    let document = |publisher: Value| {
        json!({ "version": 1, "attestation_bundles": [{ "publisher": publisher, "attestations": [{
            "version": 1,
            "verification_material": { "certificate": material["certificate"]["rawBytes"], "transparency_entries": material["tlogEntries"] },
            "envelope": { "statement": envelope["payload"], "signature": envelope["signatures"][0]["sig"] },
        }] }] })
    };
    let verify = |publisher: Value| {
        let read = pypi_attestations(document(publisher).to_string().as_bytes()).unwrap();
        let signer = read[0].publisher.signer().unwrap();
        verify_bundle(&read[0].bundle, Artefact::Bytes(case.artefact), &signer, &case.trust)
    };
    let real = publisher("sigstore-conformance/extremely-dangerous-public-oidc-beacon");
    assert_eq!(
        verify(real),
        verify_bundle(case.bundle, Artefact::Bytes(case.artefact), &case.signer, &case.trust)
    );
    assert_eq!(verify(publisher("somebody/else")), Err(Unproven::Identity));
}

/// What comes with the library for its own tests: bundles of real packages. None where the library's source is not here.
fn of_library(name: &str) -> Option<Vec<u8>> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let sources = std::fs::read_dir(home.join("registry/src")).ok().into_iter().flatten().flatten();
    let file =
        sources.map(|source| source.path().join("sigstore-verify-0.15.1/test_data/bundles").join(name));
    let found = file.into_iter().find_map(|file| std::fs::read(file).ok());
    if found.is_none() {
        eprintln!("skipped: the source of sigstore-verify is not here");
    }
    found
}

/// The first digest of this kind among the subjects of a bundle.
fn subject(bundle: &[u8], algorithm: &str) -> Vec<u8> {
    let bundle: Value = serde_json::from_slice(bundle).unwrap();
    let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    let statement = Statement::read(&payload).unwrap();
    let text = statement.subjects.iter().find_map(|subject| subject.digest.get(algorithm)).unwrap();
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn a_real_package_of_npm_says_where_it_was_built() {
    let Some(bundle) = of_library("sigstore.js@2.0.0-provenance.sigstore.json") else { return };
    let document = format!(
        "{{\"attestations\":[{{\"predicateType\":\"https://slsa.dev/provenance/v1\",\"bundle\":{}}}]}}",
        String::from_utf8(bundle).unwrap()
    );
    let attestation = npm_attestations(document.as_bytes()).unwrap().remove(0);
    let digest: [u8; 64] = subject(&attestation.bundle, "sha512").try_into().unwrap();
    let signer = Signer::identity(
        "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/*",
        ISSUER,
    );
    let (signer, trust) = (signer.unwrap(), Trust::embedded().unwrap());
    let verify = |digest| verify_bundle(&attestation.bundle, Artefact::Sha512(digest), &signer, &trust);
    let proven = verify(digest).unwrap();
    assert_eq!(proven.names, ["pkg:npm/sigstore@2.0.0"]);
    let build = proven.build().unwrap();
    assert_eq!(build.source.as_deref(), Some("https://github.com/sigstore/sigstore-js"));
    assert_eq!(build.reference.as_deref(), Some("refs/heads/main"));
    assert_eq!(build.workflow.as_deref(), Some(".github/workflows/release.yml"));
    assert_eq!(build.commit.as_deref(), Some("f0b49a04e5a62250e0f60fb128004a73110fe311"));
    assert_eq!(build.builder.as_deref(), Some("https://github.com/actions/runner/github-hosted"));
    let tags =
        BuildPolicy { reference: Some(Pattern::new("refs/tags/*").unwrap()), ..BuildPolicy::default() };
    assert_eq!(tags.check(&build), Err(Unproven::Ref));
    let mut other = digest;
    other[0] ^= 1;
    assert_eq!(verify(other), Err(Unproven::Artefact));
}

#[test]
fn roots_without_a_log_vouch_with_time_stamps_and_nobody_is_without_an_issuer() {
    let Some(bundle) = of_library("github-private-attestation.sigstore.json") else { return };
    let artefact = Artefact::Sha256(subject(&bundle, "sha256").try_into().unwrap());
    let signer = Signer::identity("https://dotcom.releases.github.com", ISSUER).unwrap();
    let verify = |trust: Trust| verify_bundle(&bundle, artefact, &signer, &trust);
    // All holds but this: the certificate of GitHub's releases names no issuer.
    assert_eq!(verify(Trust::embedded().unwrap()), Err(Unproven::Issuer));
    assert_eq!(verify(Trust::of(&[Instance::GitHub]).unwrap()), Err(Unproven::Issuer));
    assert_eq!(verify(Trust::of(&[Instance::PublicGood]).unwrap()), Err(Unproven::Malformed));
}
