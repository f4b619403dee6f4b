//! A time stamp authority that is played: it signs for the moment it is told, with the key that `tests/timestamps/make.sh`
//! left behind, and every answer is one of OpenSSL's in which time, digest and nonce are others.
//!
//! [`stamp`] answers one request. [`serve`] answers over HTTP on a port of loopback, as the test says.
#![allow(dead_code, reason = "each test that shares this file uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;

use airtight_keys::public::Algorithm;
use airtight_keys::sign::{Sign as _, SoftKey};
use airtight_keys::strict_json::standard_base64;
use airtight_log::digest::sha256;
use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use der::asn1::{Any, Int, OctetString, SetOfVec};
use der::{Decode, Encode, Sequence, Tag};
use jiff::Timestamp;
use serde_json::{Value, json};

const MESSAGE_DIGEST: der::asn1::ObjectIdentifier = der::asn1::ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_TIME: der::asn1::ObjectIdentifier = der::asn1::ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");

#[derive(Sequence)]
struct Request {
    version: u8,
    imprint: Any,
    #[asn1(optional = "true")]
    nonce: Option<Int>,
    certificates: bool,
}

#[derive(Sequence)]
struct Stamp {
    version: u8,
    policy: Any,
    imprint: Any,
    serial: Any,
    time: Any,
    #[asn1(optional = "true")]
    nonce: Option<Int>,
}

#[derive(Sequence)]
struct Response {
    status: Any,
    token: ContentInfo,
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/timestamps").join(name)).unwrap()
}

/// An element of `timestampAuthorities` that names it.
pub fn trusted() -> Value {
    let certificate = |name: &str| {
        let pem = String::from_utf8(file(name)).unwrap();
        let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        json!({ "rawBytes": lines })
    };
    let chain = ["tsa.pem", "between.pem", "root.pem"].map(certificate);
    json!({
        "uri": "https://tsa.example",
        "certChain": { "certificates": chain },
        "validFor": { "start": "2024-01-01T00:00:00Z" },
    })
}

/// A trusted root with this authority in it.
pub fn with_authority(trusted_root: &str) -> String {
    let mut root: Value = serde_json::from_str(trusted_root).unwrap();
    root["timestampAuthorities"] = json!([trusted()]);
    root.to_string()
}

/// The key that every answer is signed with. A program that only verifies reads no key files: the secret is the 32 bytes of
/// the first octet string of that length (RFC 5915 §3).
fn key() -> SoftKey {
    let pem = String::from_utf8(file("tsa.key")).unwrap();
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = standard_base64(&lines).unwrap();
    let at = der.windows(2).position(|two| two == [0x04, 32]).unwrap() + 2;
    SoftKey::from_secret(Algorithm::P256, &der[at..at + 32].try_into().unwrap()).unwrap()
}

/// Answers a request, for a moment in seconds since the epoch.
pub fn stamp(request: &[u8], time: u64) -> Vec<u8> {
    let Request { imprint, nonce, .. } = Request::from_der(request).unwrap();
    let mut response = Response::from_der(&file("plain.tsr")).unwrap();
    let mut signed: SignedData = response.token.content.decode_as().unwrap();
    let content: OctetString = signed.encap_content_info.econtent.as_ref().unwrap().decode_as().unwrap();
    let moment = Timestamp::from_second(i64::try_from(time).unwrap()).unwrap().strftime("%Y%m%d%H%M%SZ").to_string();
    let stamp = Stamp {
        imprint,
        nonce,
        time: Any::new(Tag::GeneralizedTime, moment.into_bytes()).unwrap(),
        ..Stamp::from_der(content.as_bytes()).unwrap()
    };
    let content = stamp.to_der().unwrap();
    let digest = OctetString::new(sha256(&content).as_bytes().as_slice()).unwrap();
    signed.encap_content_info.econtent = Some(Any::encode_from(&OctetString::new(content).unwrap()).unwrap());
    let mut signer = signed.signer_infos.0.get(0).unwrap().clone();
    let mut attributes = Vec::new();
    for mut attribute in signer.signed_attrs.take().unwrap().into_vec() {
        if attribute.oid == MESSAGE_DIGEST {
            attribute.values = SetOfVec::try_from(vec![Any::encode_from(&digest).unwrap()]).unwrap();
        }
        if attribute.oid != SIGNING_TIME {
            attributes.push(attribute);
        }
    }
    let attributes = SetOfVec::try_from(attributes).unwrap();
    signer.signature = OctetString::new(key().sign(&attributes.to_der().unwrap()).unwrap()).unwrap();
    signer.signed_attrs = Some(attributes);
    signed.signer_infos.0 = SetOfVec::try_from(vec![signer]).unwrap();
    response.token.content = Any::encode_from(&signed).unwrap();
    response.to_der().unwrap()
}

/// Answers over HTTP for as long as the test runs: the nth request from 0, by status and body. Returns the address.
pub fn serve(mut answer: impl FnMut(usize, &[u8]) -> (u16, Vec<u8>) + Send + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}/api/v1/timestamp", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (count, mut connection) in listener.incoming().flatten().enumerate() {
            let mut reader = BufReader::new(&connection);
            let (mut line, mut len, mut kind) = (String::new(), 0, String::new());
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                let header = line.to_ascii_lowercase();
                match header.split_once(':') {
                    Some(("content-length", value)) => len = value.trim().parse().unwrap(),
                    Some(("content-type", value)) => kind = value.trim().to_owned(),
                    _ => {}
                }
                line.clear();
            }
            let mut body = vec![0; len];
            reader.read_exact(&mut body).unwrap();
            let (status, reply) =
                if kind == "application/timestamp-query" { answer(count, &body) } else { (415, Vec::new()) };
            let head = format!("HTTP/1.1 {status} .\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", reply.len());
            let _ = connection.write_all(&[head.as_bytes(), &reply].concat());
        }
    });
    address
}
