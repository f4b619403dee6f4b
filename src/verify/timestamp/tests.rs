//! What a time stamp's signer says of when it signed; the tokens of `tests/timestamp.rs` do not say it otherwise than their certificates allow.

use super::*;

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [&[tag, u8::try_from(content.len()).unwrap()], &content[..]].concat()
}

/// Signed attributes: one signing time of these values for each list.
fn attributes(times: &[&[Vec<u8>]]) -> SignedAttributes {
    let oid = SIGNING_TIME.to_der().unwrap();
    let one = |values: &&[Vec<u8>]| tlv(0x30, &[&oid, &tlv(0x31, &[&values.concat()])]);
    let all: Vec<u8> = times.iter().map(one).collect::<Vec<_>>().concat();
    SignedAttributes::from_der(&tlv(0x31, &[&all])).unwrap()
}

#[test]
fn a_signing_time_lies_in_the_validity_of_the_certificate_where_there_is_one() {
    let pem = include_str!("../../../tests/timestamps/tsa.pem");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let certificate = Certificate::from_der(&airtight_keys::strict_json::standard_base64(&body).unwrap()).unwrap();
    let (start, end) = validity(&certificate);
    let utc = |seconds: u64| {
        let time = jiff::Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap();
        let text = time.strftime("%Y%m%d%H%M%SZ").to_string();
        // RFC 5652 §11.3: to 2049 with two digits of the year.
        if seconds < 2_524_608_000 { tlv(0x17, &[&text.as_bytes()[2..]]) } else { tlv(0x18, &[text.as_bytes()]) }
    };
    let said =
        |times: &[&[Vec<u8>]]| check_signing_time(&attributes(times), &certificate).map_err(|refusal| refusal.code());
    assert_eq!(said(&[]), Ok(()));
    for (time, expected) in [
        (start, Ok(())),
        (end, Ok(())),
        (start - 1, Err("timestamp_certificate_validity")),
        (end + 1, Err("timestamp_certificate_validity")),
    ] {
        assert_eq!(said(&[&[utc(time)]]), expected, "{time}");
    }
    for other in [vec![], vec![utc(start), utc(end)], vec![tlv(0x0c, &[b"now"])]] {
        assert_eq!(said(&[&other]), Err("timestamp_attributes"));
    }
}
