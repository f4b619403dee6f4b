//! cosign's older file, `cosign sign-blob --bundle` before 3.0, written as a bundle of version 0.1: nothing is added and nothing left out.
//!
//! ```text
//! {"base64Signature":"<base64 of the signature, or of a DSSE envelope>",
//!  "cert":"<base64 of PEM; absent or empty where a plain key signed>",
//!  "rekorBundle":{"SignedEntryTimestamp":"<base64>",
//!                 "Payload":{"body":"<base64>","integratedTime":1693323623,"logIndex":33351527,"logID":"<hex>"}}}
//! ```
//!
//! There is a promise of the log and no proof of inclusion, so a verdict asks that promises be accepted. Kind and version of the entry are what
//! its body says; the digest of an artifact that was signed is the one in the body, which the verdict compares with both.

use airtight_keys::strict_json::{self, Object};
use serde::Deserialize;
use serde_json::json;

/// The media type of what is written: the version that has promises.
const MEDIA_TYPE_V01: &str = "application/vnd.dev.sigstore.bundle+json;version=0.1";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    #[serde(rename = "base64Signature")]
    signature: String,
    #[serde(default)]
    cert: String,
    #[serde(rename = "rekorBundle")]
    rekor: Object<Rekor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Rekor {
    signed_entry_timestamp: String,
    payload: Object<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Entry {
    body: String,
    integrated_time: u64,
    log_index: u64,
    #[serde(rename = "logID")]
    log_id: String,
}

#[derive(Deserialize)]
struct Body {
    kind: String,
    #[serde(rename = "apiVersion")]
    version: String,
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    data: Option<Signed>,
}

#[derive(Deserialize)]
struct Signed {
    hash: Option<Hashed>,
}

#[derive(Deserialize)]
struct Hashed {
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeSignature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// Writes a file of cosign's as a bundle.
///
/// # Errors
/// What is not as cosign writes it, in words.
pub(super) fn bundle(text: &str) -> Result<String, String> {
    let Object(file) = serde_json::from_str::<Object<Payload>>(text).map_err(|error| error.to_string())?;
    let Object(Rekor { signed_entry_timestamp, payload: Object(entry) }) = file.rekor;
    let body = strict_json::standard_base64(&entry.body).map_err(|_| "Payload.body is not base64".to_owned())?;
    let body: Body = serde_json::from_slice(&body).map_err(|error| format!("the entry's body: {error}"))?;
    let log_id = hex_bytes(&entry.log_id).ok_or_else(|| format!("logID is {:?}", entry.log_id))?;
    let signer = match file.cert.is_empty() {
        true => json!({ "publicKey": { "hint": "" } }),
        false => json!({ "x509CertificateChain": { "certificates": certificates(&file.cert)? } }),
    };
    let mut material = signer;
    material["tlogEntries"] = json!([{
        "logIndex": entry.log_index.to_string(),
        "logId": { "keyId": strict_json::to_standard_base64(&log_id) },
        "kindVersion": { "kind": body.kind, "version": body.version },
        "integratedTime": entry.integrated_time.to_string(),
        "inclusionPromise": { "signedEntryTimestamp": signed_entry_timestamp },
        "canonicalizedBody": entry.body,
    }]);
    let mut bundle = json!({ "mediaType": MEDIA_TYPE_V01, "verificationMaterial": material });
    match body.spec.data.and_then(|data| data.hash).filter(|_| body.kind == "hashedrekord") {
        Some(hash) => {
            let digest = hex_bytes(&hash.value).ok_or_else(|| format!("the body's hash is {:?}", hash.value))?;
            let digest = json!({ "algorithm": "SHA2_256", "digest": strict_json::to_standard_base64(&digest) });
            bundle["messageSignature"] = json!({ "messageDigest": digest, "signature": file.signature });
        }
        None => bundle["dsseEnvelope"] = envelope(&file.signature)?,
    }
    Ok(bundle.to_string())
}

/// Reads the envelope that stands in the signature's place.
fn envelope(base64: &str) -> Result<serde_json::Value, String> {
    let text = strict_json::standard_base64(base64).map_err(|_| "base64Signature is not base64".to_owned())?;
    let Object(envelope) = serde_json::from_slice::<Object<Envelope>>(&text)
        .map_err(|error| format!("base64Signature is no envelope: {error}"))?;
    let signature = |one: EnvelopeSignature| match one.keyid.is_empty() {
        true => json!({ "sig": one.sig }),
        false => json!({ "sig": one.sig, "keyid": one.keyid }),
    };
    let signatures: Vec<serde_json::Value> = envelope.signatures.into_iter().map(signature).collect();
    Ok(json!({ "payload": envelope.payload, "payloadType": envelope.payload_type, "signatures": signatures }))
}

/// Takes the DER of each certificate out of base64 of PEM.
fn certificates(base64: &str) -> Result<Vec<serde_json::Value>, String> {
    let pem = strict_json::standard_base64(base64).map_err(|_| "cert is not base64".to_owned())?;
    let pem = String::from_utf8(pem).map_err(|_| "cert is no PEM".to_owned())?;
    let mut found = Vec::new();
    for part in pem.split("-----BEGIN CERTIFICATE-----").skip(1) {
        let (der, _) = part.split_once("-----END CERTIFICATE-----").ok_or("cert is cut off")?;
        found.push(json!({ "rawBytes": der.split_whitespace().collect::<String>() }));
    }
    if found.is_empty() { Err("cert holds no certificate in PEM".to_owned()) } else { Ok(found) }
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit()) && text.len().is_multiple_of(2);
    is_hex.then(|| (0..text.len()).step_by(2).map(pair).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "{\"apiVersion\":\"0.0.1\",\"kind\":\"hashedrekord\",\"spec\":{\"data\":{\"hash\":{\"algorithm\":\"sha256\",\"value\":\"0c0c\"}}}}";

    fn file(signature: &str, cert: &str, body: &str) -> String {
        let body = strict_json::to_standard_base64(body.as_bytes());
        format!(
            r#"{{"base64Signature":"{signature}","cert":"{cert}","rekorBundle":{{"SignedEntryTimestamp":"AA==","Payload":{{"body":"{body}","integratedTime":9,"logIndex":5,"logID":"0a0b"}}}}}}"#
        )
    }

    fn read(text: &str) -> serde_json::Value {
        serde_json::from_str(&bundle(text).unwrap()).unwrap()
    }

    #[test]
    fn every_member_has_its_place() {
        let found = read(&file("c2ln", "", BODY));
        let entry = &found["verificationMaterial"]["tlogEntries"][0];
        assert_eq!(found["verificationMaterial"]["publicKey"]["hint"], "");
        assert_eq!((&entry["logIndex"], &entry["integratedTime"]), (&json!("5"), &json!("9")));
        assert_eq!(entry["logId"]["keyId"], "Cgs=");
        assert_eq!(entry["kindVersion"], json!({ "kind": "hashedrekord", "version": "0.0.1" }));
        assert_eq!(entry["inclusionPromise"]["signedEntryTimestamp"], "AA==");
        assert_eq!(found["messageSignature"]["messageDigest"]["digest"], "DAw=");
        assert_eq!(found["messageSignature"]["signature"], "c2ln");
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n";
        let found = read(&file("c2ln", &strict_json::to_standard_base64(pem.as_bytes()), BODY));
        let chain = &found["verificationMaterial"]["x509CertificateChain"]["certificates"];
        assert_eq!(chain, &json!([{ "rawBytes": "AAAABBBB" }]));
        let envelope = r#"{"payloadType":"t","payload":"e30=","signatures":[{"keyid":"","sig":"AA=="}]}"#;
        let body = BODY.replace("hashedrekord", "dsse");
        let found = read(&file(&strict_json::to_standard_base64(envelope.as_bytes()), "", &body));
        assert_eq!(found["dsseEnvelope"]["signatures"], json!([{ "sig": "AA==" }]));
    }

    #[test]
    fn what_is_not_as_cosign_writes_it_is_no_bundle() {
        let good = file("c2ln", "", BODY);
        for (from, to, said) in [
            ("\"logID\":\"0a0b\"", "\"logID\":\"0a0\"", "logID"),
            ("\"integratedTime\":9", "\"integratedTime\":\"9\"", "u64"),
            ("\"cert\":\"\"", "\"cert\":\"AA==\"", "PEM"),
            ("\"cert\":\"\"", "\"more\":\"\"", "unknown field"),
            ("\"Payload\":", "\"payload\":", "unknown field"),
        ] {
            let error = bundle(&good.replace(from, to)).unwrap_err();
            assert!(error.contains(said), "{from}: {error}");
        }
        assert!(bundle(&file("c2ln", "", "{}")).unwrap_err().contains("body"));
        assert!(bundle(&file("c2ln", "", &BODY.replace("hashedrekord", "dsse"))).unwrap_err().contains("envelope"));
    }
}
