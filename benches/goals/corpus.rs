//! The corpus: statements like those of a build service, the same each time.
//!
//! A payload of 946 bytes: an in-toto Statement v1 with SLSA provenance v1, two subjects, a commit, a run's number. What no
//! compressor can shorten in it are two SHA-256 digests, the 20 bytes of the commit, and the signature. Under an Ed25519
//! signature the envelope has 1,437 bytes, under a P-256 one 1,441 to 1,449.

use airtight::statement::Statement;
use airtight_keys::envelope::{Envelope, EnvelopeSignature, IN_TOTO_PAYLOAD_TYPE};
use airtight_keys::public::Algorithm;

/// Bytes of every payload.
pub const PAYLOAD_LEN: usize = 946;
/// Bytes of every envelope under an Ed25519 signature.
pub const ENVELOPE_LEN: usize = 1_437;

/// A seeded source of bytes (SplitMix64).
pub struct Seeded(pub u64);

impl Seeded {
    /// Gives the next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Gives a number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(digits);
        text
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 8);
        while bytes.len() < len {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(len);
        bytes
    }
}

impl airtight_keys::sign::Random for Seeded {
    fn fill(&mut self, into: &mut [u8]) -> Result<(), airtight_keys::sign::RandomUnavailable> {
        into.copy_from_slice(&self.bytes(into.len()));
        Ok(())
    }
}

/// Makes the payload of entry `number` of a series; two series share none.
pub fn payload(series: u64, number: u64) -> Vec<u8> {
    let mut random = Seeded(series.rotate_left(40) ^ number);
    let service = random.below(500);
    let (amd64, arm64, commit) = (random.hex(64), random.hex(64), random.hex(40));
    let run = 1_000_000_000 + number;
    let text = format!(
        concat!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":["#,
            r#"{{"name":"service-{service:03}-linux-amd64.tar.gz","digest":{{"sha256":"{amd64}"}}}},"#,
            r#"{{"name":"service-{service:03}-linux-arm64.tar.gz","digest":{{"sha256":"{arm64}"}}}}],"#,
            r#""predicateType":"https://slsa.dev/provenance/v1","predicate":{{"buildDefinition":{{"#,
            r#""buildType":"https://builds.example/workflow/v1","externalParameters":{{"workflow":{{"#,
            r#""ref":"refs/heads/main","repository":"https://git.example/acme/service-{service:03}","path":"ci/release.yml"}}}},"internalParameters":{{}},"#,
            r#""resolvedDependencies":[{{"uri":"git+https://git.example/acme/service-{service:03}@refs/heads/main","#,
            r#""digest":{{"gitCommit":"{commit}"}}}}]}},"runDetails":{{"builder":{{"#,
            r#""id":"https://builds.example/workflow/hosted@refs/tags/v4"}},"metadata":{{"#,
            r#""invocationId":"https://builds.example/acme/service-{service:03}/runs/{run}/attempts/1"}}}}}}}}"#,
        ),
        service = service,
        amd64 = amd64,
        arm64 = arm64,
        commit = commit,
        run = run,
    );
    assert_eq!(text.len(), PAYLOAD_LEN, "{text}");
    text.into_bytes()
}

/// Makes a statement, ready to be attested.
pub fn statement(series: u64, number: u64) -> Statement {
    Statement::ready(payload(series, number)).unwrap()
}

/// Makes an envelope whose signature has the form of one and is none: the log's store does not ask, and signing a million
/// of them is not what is measured.
pub fn envelope(algorithm: Algorithm, series: u64, number: u64) -> Envelope {
    let mut random = Seeded(!(series.rotate_left(40) ^ number));
    let signature = match algorithm {
        Algorithm::Ed25519 => random.bytes(64),
        Algorithm::P256 => {
            let mut integer = || {
                let mut bytes = random.bytes(32);
                bytes[0] &= 0x7f;
                [&[0x02, 0x20], bytes.as_slice()].concat()
            };
            let both = [integer(), integer()].concat();
            [&[0x30, 0x44], both.as_slice()].concat()
        }
    };
    let signatures = vec![EnvelopeSignature { signature, keyid: None }];
    Envelope::from_parts(IN_TOTO_PAYLOAD_TYPE.to_owned(), payload(series, number), signatures).unwrap()
}
