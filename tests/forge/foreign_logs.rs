//! Logs with keys that no log of ours has: signatures over the checkpoints and promises of our recipes, made once, their private halves thrown away.

use airtight_keys::strict_json::{standard_base64, to_standard_base64 as base64};
use airtight_log::digest::sha256;

use super::json::{Json, text};
use super::{Recipe, Scene};

/// A log key of another kind than ours.
#[derive(Clone, Copy)]
pub struct ForeignLog {
    /// SubjectPublicKeyInfo, base64 of DER.
    spki: &'static str,
    key_details: &'static str,
    is_rsa: bool,
}

/// P-384.
pub const P384: ForeignLog = ForeignLog { spki: P384_KEY, key_details: "PKIX_ECDSA_P384_SHA_384", is_rsa: false };
/// P-521.
pub const P521: ForeignLog = ForeignLog { spki: P521_KEY, key_details: "PKIX_ECDSA_P521_SHA_512", is_rsa: false };
/// RSA of 2,048 bits.
pub const RSA: ForeignLog = ForeignLog { spki: RSA_KEY, key_details: "PKIX_RSA_PKCS1V15_2048_SHA256", is_rsa: true };

impl ForeignLog {
    /// The scene of a recipe in this log, as far as the log's id and its key go.
    fn enter(&self, recipe: &Recipe) -> Scene {
        let mut scene = recipe.make();
        let id = text(&base64(sha256(&standard_base64(self.spki).unwrap()).as_bytes()));
        *scene.entry().at("/logId/keyId") = id.clone();
        *scene.root.at("/tlogs/0/logId/keyId") = id;
        *scene.root.at("/tlogs/0/publicKey/rawBytes") = text(self.spki);
        *scene.root.at("/tlogs/0/publicKey/keyDetails") = text(self.key_details);
        scene
    }

    /// The four bytes before a signature over the checkpoint of a log of this name, in the manner of Rekor v2 where it is so.
    fn key_id(&self, name: &str, is_c2sp: bool) -> Vec<u8> {
        let spki = standard_base64(self.spki).unwrap();
        let of = match is_c2sp && self.is_rsa {
            true => [name.as_bytes(), b"\n\xffPKIX-RSA-PKCS#1v1.5", &spki].concat(),
            false => spki,
        };
        sha256(&of).as_bytes()[..4].to_vec()
    }

    fn signed(&self, scene: &mut Scene, name: &str, is_c2sp: bool, signature: &str) {
        let line = base64(&[self.key_id(name, is_c2sp), standard_base64(signature).unwrap()].concat());
        scene.rewrite_entry("/inclusionProof/checkpoint/envelope", |note| {
            let (said, _) = note.split_once("\n\n").unwrap();
            format!("{said}\n\n\u{2014} {name} {line}\n")
        });
    }

    /// Our statement in such a log in the manner of Rekor v2, under this signature.
    pub fn v2(&self, signature: &str) -> Scene {
        let mut scene = self.enter(&Recipe::file().in_v2());
        self.signed(&mut scene, "log2.example", true, signature);
        scene
    }

    /// The same in the manner of Rekor v1, without a promise.
    pub fn v1(&self, signature: &str) -> Scene {
        let mut scene = self.enter(&Recipe { promise: false, ..Recipe::file() });
        self.signed(&mut scene, "log.example", false, signature);
        scene
    }

    /// Puts a promise of this log into a scene.
    pub fn promise(&self, mut scene: Scene, signature: &str) -> Scene {
        let promise = Json::parse(&format!(r#"{{"signedEntryTimestamp":"{signature}"}}"#));
        let entry = "/verificationMaterial/tlogEntries/0";
        scene.bundle.add(entry, "integratedTime", text(&Recipe::file().time.to_string()));
        scene.bundle.add(entry, "inclusionPromise", promise);
        scene
    }

    /// The same in a bundle of v0.1 with a promise alone, which is accepted.
    pub fn promised(&self, signature: &str) -> Scene {
        let mut scene = self.promise(self.enter(&Recipe { promise: false, ..Recipe::file() }), signature);
        scene.rewrite("/mediaType", |_| "application/vnd.dev.sigstore.bundle+json;version=0.1".to_owned());
        scene.entry().drop_member("/inclusionProof");
        scene.accept_promise = true;
        scene
    }
}

const P384_KEY: &str = concat!(
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEn6aIMD8LG4agsITPFeiDj44vPDTE/RJuVn5nxaEzg1Hhjy/g15WlvJ8myANOO5JH+kcD",
    "igRggMKADWqRwJZJJjQd+/Tpc6uAHYmZbaFGq4CSP7Ere3rkPO0aNVLjw16b",
);
const P521_KEY: &str = concat!(
    "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBjwuaqX8r53b4hxj5PIEPCvCNOOqz/Wjue3ErTtAV3tqvvJqinWHlRKVZYF8Vl+Ru",
    "aLveDGs2zigIxqtbNsBmNGQAONJlyh6EORAYh/UV0zttpp5r7DpKpoo+bQd6RxYKXX6wUAos5e33BV6Ve9wBCSFp8j0MkanCOh3G",
    "BVpg2vGjuNo=",
);
const RSA_KEY: &str = concat!(
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtKjDqc8jXMzCVbNjN6OePwgjAOhM6Bp59iNH+qHOIHw/fdU11ROXreGi",
    "+zoxvywK3rnGw+92gTChSr39T50qaS1uc3PhvponKSTW+UZcUnisV4vrOBpAEvM0hsIl2DGIOIC5bY+pGV4wfD7nU0YL7suNa8CO",
    "l7HD8Nd1wiZoo7E5xE4eoJD1gO2zPFwQIZnYLnn0CkkOE519RcERfL/bCiImZwrF5bH5IHJB7P3qyAz7Gf69w1AH3I2N2D2DTTFn",
    "8AX1do5HBJD+VnXS7tUHA3n4/ZRTZzDMNO1nVSONa8wotMrQG6TK4AC1+OG3ukYSp8vBgxo71f6bPlUENdDIHwIDAQAB",
);
/// SHA-384 over the C2SP checkpoint.
pub const P384_C2SP: &str = concat!(
    "MGUCMBNR4GxFXbq9J8yiesvnpqo1wrh9yG69V0WB2+VVh99r25a/cWYuZnE2acrmSgADLgIxAMa1iEG1Xuojh/2+4e+VATVw5x8Q",
    "WTw87oml+VLtvAtMtsflbxPlpBoHf1sEmR1Xig==",
);
/// SHA-256 over it.
pub const P384_C2SP_SHA256: &str = concat!(
    "MGUCMG/Nnjerte/hlASI9D5Pb6bsMi7c5DLLsyLAt7VVjgpYGyP0LEEWwHZt66E8jS6tqQIxAIZkKomgWnEut2ZcbOwxaEuP8M9o",
    "8B3GeHcxz0u8E1t8eQpuOcXwsdAuIoEqp9ytcQ==",
);
/// SHA-384 over the Rekor v1 checkpoint.
pub const P384_V1: &str = concat!(
    "MGYCMQDlF8kGXlKzn/WEz39lQlH9WSFKGK2+zahVTgETGEimRFrjGZrEVwzEyiaZ4nHI8sMCMQDbk6h77u7JSYOagStyN+WB4ZhC",
    "oRtf7no5hBihtMcnYfNgJh3nUCcB6QF34AyMaYo=",
);
/// SHA-256 over the promise.
pub const P384_PROMISE: &str = concat!(
    "MGUCMQCnmY0hugmXCu8Y+padZOXyigmCM5HeV+SHa3RzQCXTOSVkaJDQ5RgpHKYy6BNuUuICMD/apAGuMkZRm6a2xQ9T08yEEbl8",
    "4GVgLJR/yxCjJn7Un5cxTrKv/o4JnhrX1io+ZA==",
);
/// SHA-512 over the C2SP checkpoint.
pub const P521_C2SP: &str = concat!(
    "MIGIAkIBnVDIHLnae2shdvru4mMNtqUAKpD9+wc7k3CAn0XSkckqAppdxbdqD8R75QbwcitiisnHG4cuPfigX+IY+HxOY+MCQgEn",
    "2fX6xahsvCkSezlM6+i+dS72As2ZVEJUEgZnn9Vgla/NsJUGy0OMkEu7qGFCg2JnYWvQ1MQEjGYzwz3Yk8kWBw==",
);
/// SHA-256 over the promise.
pub const P521_PROMISE: &str = concat!(
    "MIGHAkFEjMOYuc89e5au8hHOXqEZakPNSmebe/cyiqOjqia/CR/iJz8ECG6L0juyjWZKeuQcFI1KHqnX2oKvRk1ehHvXuQJCAc4B",
    "27eWbDyVACZ7a+OxbsU2zu80MFJDheVvXkJmGqpcVc9iioMaEWimya6juvJasFJ8xMCUWiG4cf44EoB98csh",
);
/// PKCS #1 v1.5 over the C2SP checkpoint.
pub const RSA_C2SP: &str = concat!(
    "py3K47yGqpq0CG0+0FRtT6QCpti35rGH8FCQDPed9yzd5gQJ/qjzeeWIiGsmqTB5WqqA6R4df6sTV/lPaKIHQR1+xHn1fXmFvEW7",
    "3FZYnSSruZSvMUMefb7XCrlr/IIrSEoJzQ3Yfj/KYlebeA4Oj86tHoju8o/lFYluk6zkGCKpTf42vV+XTC4CP8Z/7ab166hJqr4f",
    "olXSircTipT28yHq/3RkCdPIB6Du0iMaxTF+UQ4YPfjYJBsibWf+9S8C2nwxn/fIavUM0DikdCIHt7aJ7xxeB1tAQX1dFgtay2m2",
    "YB0zbm1KnP+63AUn4v6SVZ+EnwMP951DxoKMFzA9BA==",
);
/// PKCS #1 v1.5 over the Rekor v1 checkpoint.
pub const RSA_V1: &str = concat!(
    "ZAsnsmho+4GVm3r4PuSFxMvMuQn5s0xaJ8Ztbb5YsuV6Jgn1UfJ5M5T2v1VP0/rqEO8nBvbpODHH1Uqar3XfYCz/qi/uD3mgd7Y1",
    "G/3PNtmii7Ua0hHsEkXIrsTCb086utcH4nCeMYgbsHslgL49b9BPE2XcitTxbth+0R0Q+vEQWj9rsAf9hQA+zIB4EtopR7Unx9Qb",
    "iVaqpCX7c0mvAtIo3Qs7gPmyB1K/WZEjh7Qao0JtxhPfZ+uqT2EcQnMxOvG9znBGq1Is28/mYT5HiFnAcawsBXgHrUZyh6ovYUyX",
    "VbNCYD8N47i/b68Xm31vEMSmjmyo+dgFgPhbj4rigQ==",
);
/// PSS over it.
pub const RSA_V1_PSS: &str = concat!(
    "FBT9dffpTWfBX3dM4p8ZimnQ+4BuNUtxn8PjuuyLs/0S0cGDJWlHBaE55//AxPmIO+G4y1gxEKZ7kGY0B9eI7rLksFyT0Kw8EoLY",
    "jfMb+3seRGJeMELfoHYzWOOW7eY4saVQo9Wl48NtIXmwwqYlrdWfqzdVysf+ZDlW/Wc2CAN1T/iO0KV9Brk/KP2gUMTdTwUKMtsO",
    "vfJo/FNNj7nLVve266LbixlxP3izRKlMXXXftJMWYyJ+PF2r2EgP0SJUKPsZVi7eTpyyvwdxKyQ6HZ57+00LR/2ER2T43d5ktjUU",
    "/Csmbn5Qs6cYtQo9QkZF3mDBNJWXoCFZLlgNF3j97A==",
);
/// PKCS #1 v1.5 over the promise.
pub const RSA_PROMISE: &str = concat!(
    "Q+XPvmJCCQ340aJkq3GqYnQwh+hCQSbwcuW577Ld2Kfd0oLqR8tQ7BP5Jp+HIJF6mI0H3YSbtGRPyZIMfc7DSP34qOlvdM2Y0Txi",
    "5yhkEIBwWLNVpgd80cZhABwvijXnsjT42No1Q97IWsbgaRq34iuB7EN0ngNEeAD5NbDkYuCY06kdF/engwmTWPHOZfLuTFdCpTTM",
    "uBMWb+VKC3MtVvW82/E7o3dAVi2kumAVSM3EkB4Py0YyOxzJmldoadsiWFc37tj0IzQ/S7kDgzwlL1O4Zj6muskcqxKzFzb0Jw41",
    "UxZy3+75+DAiYm9Chl7rcdPfrPXjeNX6p0hMScFkGA==",
);
