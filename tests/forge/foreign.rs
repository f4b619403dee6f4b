//! Signatures that no key of ours can make, over our default statement and artifact: made once, and their private halves thrown away.

use airtight_keys::strict_json::standard_base64;
use airtight_keys::verifier::{HashFunction, VerifierKey};

/// A signature of somebody else's key.
#[derive(Clone, Copy)]
pub struct Foreign {
    /// SubjectPublicKeyInfo, base64 of DER.
    spki: &'static str,
    /// Base64.
    signature: &'static str,
    /// What an entry of Rekor v2 says that the key is.
    pub key_details: &'static str,
    /// What an entry of Rekor v2 hashes with.
    pub hash: HashFunction,
}

impl Foreign {
    /// The key.
    pub fn key(&self) -> VerifierKey {
        VerifierKey::from_spki_der(&standard_base64(self.spki).unwrap()).unwrap()
    }

    /// The signature's bytes.
    pub fn signature(&self) -> Vec<u8> {
        standard_base64(self.signature).unwrap()
    }
}

/// P-384 over SHA-384, over the statement.
pub const P384_SHA384: Foreign = Foreign {
    spki: P384,
    signature: P384_SHA384_SIGNATURE,
    key_details: "PKIX_ECDSA_P384_SHA_384",
    hash: HashFunction::Sha384,
};

/// The same key over SHA-256, as Rekor v1 and older signers have it.
pub const P384_SHA256: Foreign = Foreign {
    spki: P384,
    signature: P384_SHA256_SIGNATURE,
    key_details: "PKIX_ECDSA_P384_SHA_256",
    hash: HashFunction::Sha256,
};

/// P-521 over SHA-512, over the statement.
pub const P521_SHA512: Foreign = Foreign {
    spki: P521,
    signature: P521_SHA512_SIGNATURE,
    key_details: "PKIX_ECDSA_P521_SHA_512",
    hash: HashFunction::Sha512,
};

/// The same key over SHA-256.
pub const P521_SHA256: Foreign = Foreign {
    spki: P521,
    signature: P521_SHA256_SIGNATURE,
    key_details: "PKIX_ECDSA_P521_SHA_256",
    hash: HashFunction::Sha256,
};

/// RSA of 2,048 bits, PKCS #1 v1.5, over the statement.
pub const RSA_PKCS1: Foreign = Foreign {
    spki: RSA,
    signature: RSA_PKCS1_SIGNATURE,
    key_details: "PKIX_RSA_PKCS1V15_2048_SHA256",
    hash: HashFunction::Sha256,
};

/// The same key, PSS.
pub const RSA_PSS: Foreign = Foreign {
    spki: RSA,
    signature: RSA_PSS_SIGNATURE,
    key_details: "PKIX_RSA_PSS_2048_SHA256",
    hash: HashFunction::Sha256,
};

/// RSA of a length that Sigstore has no name for, PKCS #1 v1.5, over the statement.
pub const RSA_2304: Foreign = Foreign {
    spki: RSA_2304_KEY,
    signature: RSA_2304_SIGNATURE,
    key_details: "PKIX_RSA_PKCS1V15_2304_SHA256",
    hash: HashFunction::Sha256,
};

/// P-384 over the SHA-256 of the artifact.
pub const P384_MESSAGE: Foreign = Foreign {
    spki: P384,
    signature: P384_MESSAGE_SIGNATURE,
    key_details: "PKIX_ECDSA_P384_SHA_256",
    hash: HashFunction::Sha256,
};

/// P-384 over the SHA-384 of the artifact.
pub const P384_MESSAGE_SHA384: Foreign = Foreign {
    spki: P384_M,
    signature: P384_MESSAGE_SHA384_SIGNATURE,
    key_details: "PKIX_ECDSA_P384_SHA_384",
    hash: HashFunction::Sha384,
};

/// P-521 over the SHA-512 of the artifact.
pub const P521_MESSAGE_SHA512: Foreign = Foreign {
    spki: P521_M,
    signature: P521_MESSAGE_SHA512_SIGNATURE,
    key_details: "PKIX_ECDSA_P521_SHA_512",
    hash: HashFunction::Sha512,
};

/// The same key over the SHA-256 of the artifact.
pub const P521_MESSAGE_SHA256: Foreign = Foreign {
    spki: P521_M,
    signature: P521_MESSAGE_SHA256_SIGNATURE,
    key_details: "PKIX_ECDSA_P521_SHA_256",
    hash: HashFunction::Sha256,
};

/// RSA of 2,048 bits, PKCS #1 v1.5, over the SHA-256 of the artifact.
pub const RSA_MESSAGE: Foreign = Foreign {
    spki: RSA_M,
    signature: RSA_MESSAGE_SIGNATURE,
    key_details: "PKIX_RSA_PKCS1V15_2048_SHA256",
    hash: HashFunction::Sha256,
};

/// Ed25519ph, which is over the SHA-512 of the artifact.
pub const ED25519PH_MESSAGE: Foreign = Foreign {
    spki: ED25519_M,
    signature: ED25519PH_MESSAGE_SIGNATURE,
    key_details: "PKIX_ED25519_PH",
    hash: HashFunction::Sha512,
};

const P384: &str = concat!(
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEavgGgCXSNVpjLUVGXfhqbRHBZgrPZ/dwxhX2Z7Gaj7njIPEj3Eeg3B3pSTuthFoZQ90p",
    "i8Oo86Ws9cCiMCaeMTz6y063/RwlblQ869GCeLSUaQSXB2IZGaA7mjQt/5wj",
);
const P521: &str = concat!(
    "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBOmM7twyE053V8DX/76jYu08tG1MGk4AUhdJEh38VbBsCMyShi9whGx6+bVKCAxjK",
    "qASgv/RB07LCC0Ior8mEAAEAlYu+2RRPzqQVMn9Hsh9iR9t30OZUX0R2bVwGtmXfhENxrUB5H9vQqPhVjFUKuOQ1UPmnzadQiSDY",
    "EckwnaeL+F0=",
);
const RSA: &str = concat!(
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnZLKJmPPXUCOtHeKEuOJDKaJ3dWskP4lWNBpXRcOM3x1Mw8pjEKLq2MP",
    "/t2wVndPXi36A3DvZ96BK/LBp68v6dYuU2ABnUHsJZ0hlEkSGsq4aUgSLRy8w4MS0jyPsUx1p0k8K/cvBIABzRk6lcMtoW9kWTQ/",
    "PblG+04bF1lSBmSJ4HBEFQ9x1Ay6m5HzT1bQBoU2unj39Y7ncM62kCmyuq+2EDJoFEYBe2EWvH9VJNTlO88/H+2Sd0YhXm2gNUsn",
    "WWgE7WoDdJD7UjmMhpMuAQrLhTcKqwVA8trtUUNh4Au9evAMH+YemNdD+4utF3PLsEfVL9kHrEgXs6rWCFRt+QIDAQAB",
);
const P384_SHA384_SIGNATURE: &str = concat!(
    "MGUCMBEY5IhXexojdTT1KSPV4AvtbHeVar/3Cg11OXQkuAl+u/aLX24EymqC7lhsobjoNQIxAIQ+Ax3RrPlBVMRdiNUWIK0JUUF+",
    "pDbr9cYYUZgGTruCFe2oAaR/EtQm9b+s9vml5w==",
);
const P384_SHA256_SIGNATURE: &str = concat!(
    "MGQCME3Vcm5FF2KdFdF0vRhcpkSN2NsgypblddxG1Tu2YezsDQO0BoKz8JTjL0Lc9HD6HwIwVdPKBNIv6eh2Lip3haAQP8Um9VKE",
    "Ee+rKfHQHWWKRiBCUfZo1KvX5tFIaRNTuPcc",
);
const P521_SHA512_SIGNATURE: &str = concat!(
    "MIGIAkIB/v9+LoGeYyae0Gc3tJtmrt0DdMIvrolLvDw00XBn9zVLEn2zgLUBzJIBZipyuFITp9t2LZorD0E2+KkKg1hIAlECQgDR",
    "oLzHl3h63pS66HiIzyyNp73Wgn594fdpuniugcPbHISKm4da6iv0XMwgLtEcIHr+uWdSNGFJ/t1yE2Rx9FP7/w==",
);
const P521_SHA256_SIGNATURE: &str = concat!(
    "MIGHAkIBVfIe7J8D9DPzLySHsqQmxbigslfK1di1lCBT4e5Irr0ToQmvvKaAMcwaTECjRpuXJE2NpMZs0eb7rec165ZFjRUCQXwc",
    "b1FsMhP8YmMDyr3flqdG4igJ6TJ/3nC3fJTO8Sjj15NVFkdiCRWItEhNm9u/a81Kh6lYK9eZvLv3SXUZX9N2",
);
const RSA_PKCS1_SIGNATURE: &str = concat!(
    "BdI6WaNXwITCyymDkfvfiWiC4Z/xuhGoMcCkpbTmnsk+geUjrpIXsIOJJu+XMkDqt8XPJ+nWXk4sDp0OpsFWr9dnszxepTdsED3X",
    "efguo1fVcGhJ4e0BRmvQurcBuiLW9CRFIkq89xCfZH9MP+JMIsr//0JMPUvllC4SCxYvFvlzqo1/FEXC8wAifdwgFmDvB4CGp97e",
    "MTJfQ3qyqEAOs5sqPJ4PNVtqJXkJ52Uj8sUINnUDVdYVygcSo5QPwgPnETvBjC+HrXoHoOFmOd1jfo1ZlxmiLizXm5VL1l+RhWMI",
    "jWzu1R56AlMGvMkBsK52DL1hqhGptez7l8sjCfD/AA==",
);
const RSA_PSS_SIGNATURE: &str = concat!(
    "nUtZC2nyP46Z6mNWjZUFbheE6+Ywukb7OfOEToSHk5Yh/ZomWyDHCYdjcnByFXX3AsNwYPOS/MwSeqFVWKcsLi/wjf84EloP/oC0",
    "5f02uZvicxCCNmLnk4vLk9UjcCqzAlPlJc08eCBaaRnlbDgYaFe/YhfbKJBNpkquqOSGHZhJz+tHIwPzJMOYWeFarmfdfCUEkLWp",
    "YxxVEt2ASm/AXA4++BFi8J/VZxN5Hl+z+O3ue5LZ2gBV5zTTMo1FapTjG4mPa5vuk7MhmvzWhTKBjAXfzYV97qulq6SC5ORu5FZj",
    "yi9vlqxvYmh2WJnQdkRX/y61/WZY4UBaHbcwYjFkcg==",
);
const P384_MESSAGE_SIGNATURE: &str = concat!(
    "MGUCMQCGmpGEIhS6wimv9Y9eJ58WdwJw44o04zjx3Ke1wYLANFRqDYoGZBWmMdUjlP/G7MUCMASUpqnhzvjl8hhl7OUzc0Jb6RV6",
    "0uvwfLPU8mvQewyV3d2noKldK1u8SJ1ZjH1LhA==",
);
const P384_M: &str = concat!(
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEjfopJczxob6//yUYvmPMcQOPBjscz+v2fOJvPiYJv0k2oa9ktrPm/MtNdazc700johbS",
    "6suqu2VsMuopFwWf8IxJJbuFHnzA5nfpoKo1ecOXfqxP4HlDrdIoFTi2KSy5",
);
const P521_M: &str = concat!(
    "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBRM2j/gLYwJYHiwBNbAJDdCNe7NxTZVpWiYzPaAjz/ont7myWUYYqNlvkt6OrLq0N",
    "j86G+BBIqMbSj9+YOjGsj6kBkVzTd/7KpedbgywUnLiX0W50PzaxuE43uEbFeqHgAXKt3iG4fe5qkWmY9pDi9yZJv9WYFLbs0e2Q",
    "CIhPxxSxNmE=",
);
const RSA_M: &str = concat!(
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuQt530B+2jHxqQf5j02yrB3pc35uiGaTKTLZWYcl5WslUEE/sE94oS2X",
    "Mf1ANBCuiWyfE3guaLxLMBfmLbAjMmoPbvx1aJ4gLq3kwNm+NCPOYr7OrLf6MXLGWXlRYF3TOChk0JYDIDOOQ0SegeRKghrev8cr",
    "jq5330pyTPpaTb4ljNKWBYTov10s4gUMG+0SkBUtt2XRScWmX23g3DCU85YHHsopr+HDakqm0QXT8FXCXWJEUJkRrHqLNJVYFupR",
    "1xQ/adEx/SFTJT0RY19Vs7IpRNV1gBQgWix1fmxtniCF7pR78Uca6OZkAQv5M41vuiSBimqg1BUBF5fVMMR+8QIDAQAB",
);
const ED25519_M: &str = "MCowBQYDK2VwAyEAwh1TINeOQJ7LbXY9a3dE7iUn7C8Fm4+dAMDBVey3WAg=";
const P384_MESSAGE_SHA384_SIGNATURE: &str = concat!(
    "MGUCMG47aR3joVMCrGIoIEm+HEwEsqVD2bhzNhBpobaSvnO7p5fMF4xX6ki0cCCld+lizwIxALMkpzyE7/eAitvm15Pw2PHgmMXC",
    "aJbASmqogDRhDogvdk0FE2+UFP3rUvUmGmmmNQ==",
);
const P521_MESSAGE_SHA512_SIGNATURE: &str = concat!(
    "MIGIAkIBubxpnA3z/bOigx13r0QGHI7tt7MERc4+2BnJqN2rJXy5rAuIGq0vb9T5Sqb5AY+h0mhoGyzwoLq8ivYcKzcquvoCQgGS",
    "cFWIQxjmtFetaRHRn2giBG1+OXfV0CyPYTRmiqXLdP9ilKxnk66+7+ts3E2wzyWGTSFbiLv7RHujYz0kCFll5Q==",
);
const P521_MESSAGE_SHA256_SIGNATURE: &str = concat!(
    "MIGIAkIAgLN1NBSGRPRLvLAYC2YiDeZWfc/icpBz+7OIdK8msmLnyKOlOK/RAXA/yi5s7I+DxFKkeucq9ge7s8oqQj34AAwCQgCW",
    "syyu4KFaH7ny8BKk9NRzKpKnZbGHlUQz+nBynHEWLzu7G1EWSefQrSYlRJLAt7mI3n7eXy8QyFGvsy12mhZV8w==",
);
const RSA_MESSAGE_SIGNATURE: &str = concat!(
    "RVT1zDXDenC+DjkvqAWMKWfKju7/OdVJPnInrSB948dTaUa6wJeEybyNmflSmjRevCuUOvOCCYpVXFyYYWDH/CuNmhlgKnQRSV4R",
    "4yByX9Q7sGSeDV/ttkD/2i2n6WJCIPjh9kWW7lWm5zSSzt9HKjsYVY55UkimCAScv65jnA6CIz1P3U6JkGTajdg8WAaQk/ffQ3L/",
    "2pffMA0xMUso2IVn1KiRCNKXKYfLKNdpd1VWAhKjkvVG7Opcrt5uyWw8GprxavVh08yW+hLMmEaCBJ8YiCn1HZQYc/MwxF2ufHq0",
    "nMxMWJVIwLqMQrqEyPGOG+XZX6Neq1xUreVcDXeqbA==",
);
const ED25519PH_MESSAGE_SIGNATURE: &str =
    "WqrIUu44nAKrIx+xNIHwa9YWOaXvH0Jx7KtUOOvlCMI3zzfQtnfwfhKYvtOCM6U0TijWFaPz1VDU1k+weQioDw==";
const RSA_2304_KEY: &str = concat!(
    "MIIBQjANBgkqhkiG9w0BAQEFAAOCAS8AMIIBKgKCASEAojrWtCSrnv/rNYe6KAvvCje7HcJvIoO7CGC3snPgfTQyxHGBGJbuo2K5",
    "unns/g3NKXjWHzjOoie0WxzxLJBMOAQbuSmMvU+BrN8GEK/qRucvXhUYAO6slKAHsQsAnpztA+Q3+Uon3WFuUiCjRv1Aa8yUPKl9",
    "t53x8KhToEmT/YSt4SfvmMS1yqx9UqbH9DjDvrlxtR/s3nuDgr+kbUDM4ebdOOW2CX8lgeY+Wr9HTS8mWlPeE0QLNQX/URtgY5Ek",
    "ahmATgAUSJmIyMO+OGkX/qkM+0aHPYzSeBuG9UP1zmEQQvjkGyx9NJHx1fkGgl63XmonIcfzhzIYGH05E0xhKyPSc6+QPrXr/AiQ",
    "Yu9kC5u4mg8Us4NBKmWHSf5Gij2xAgMBAAE=",
);
const RSA_2304_SIGNATURE: &str = concat!(
    "Fr17sLJgIUMcnJiBiCjo/x8/Qrjf5q4YGAZgvqYWaAfCAHrtn8qO+22Q7qx8zKxYZ7heoOlGRIcZngMH2v2w47Ah+hO5vapDlCnz",
    "8ANTrJdpOvSZUgYJ+Izhfy4hW1NvCU9Oxxai14elRbuAsfdFWgzHvvdBdz3iPMO0+sire1v09eMM1Od1bjdAQG10MgsRVChk7kut",
    "j3UaLimY32HHb/OjBqNr2P58In+TWiKjxorHt+Fnhvbb1N3fQcNh2oIWqba7WVPNN+YXgcXfAbvAquhxtkCEj6FBinWyUxThmW5a",
    "LEkytG7fB0iG3OllwE21mNhepgku2Sq9xW1Vf8jSiVpE6j1uQLlkVRf+LhNxY1fG0a1P0/R8AqkdAN1McVui",
);
