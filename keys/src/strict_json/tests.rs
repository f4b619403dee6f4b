//! The laws of strict JSON and canonical base64.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Base64Error, Limits, Object, StrictJsonError, check, check_standard_base64, end_of_plain, parse, standard_base64,
    to_standard_base64,
};

const LIMITS: Limits = Limits::bytes(1 << 20);

fn judge(text: &str) -> Result<(), StrictJsonError> {
    check(text.as_bytes(), LIMITS)
}

fn is_syntax(text: &str) -> bool {
    matches!(judge(text), Err(StrictJsonError::Syntax { .. }))
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Outer<'a> {
    name: &'a str,
    inner: Object<Inner>,
    #[serde(default)]
    more: Vec<Object<Inner>>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Inner {
    size: u64,
}

#[test]
fn every_json_value_inside_an_object_passes() {
    for text in [
        "{}",
        " \t\r\n{ } \n",
        r#"{"a":null,"b":true,"c":false,"d":[],"e":{},"f":[1,2,[3]],"g":{"a":{"a":1}}}"#,
        r#"{"n":[0,-0,1,-1,10,1.5,0.0,1e3,1E+3,1e-3,12345678901234567890,-1.25e10]}"#,
        r#"{"s":"plain","e":"\"\\\/\b\f\n\r\t\u0041\ud83d\ude00","utf8":"ä…😀","":""}"#,
        "{ \"a\" : [ 1 , 2 ] , \"b\" : { } }",
        "{\"del\":\"\u{7f}\u{2028}\"}",
    ] {
        assert_eq!(judge(text), Ok(()), "{text}");
    }
}

#[test]
fn a_member_that_stands_twice_is_refused_at_any_depth() {
    for (text, line, column) in [
        (r#"{"a":1,"a":1}"#, 1, 8),
        ("{\"x\":[{\"y\":{\"b\":1,\n \"a\":2,\"a\":3}}]}", 2, 8),
        // The same name after its escapes are undone.
        (r#"{"a":1,"\u0061":2}"#, 1, 8),
        (r#"{"\u00e4":1,"ä":2}"#, 1, 13),
    ] {
        let refusal = judge(text);
        assert!(
            matches!(&refusal, Err(StrictJsonError::DuplicateMember { line: l, column: c, .. }) if (*l, *c) == (line, column)),
            "{text} {refusal:?}"
        );
    }
}

#[test]
fn one_name_in_two_objects_is_no_duplicate() {
    assert_eq!(judge(r#"{"a":{"a":{"b":1},"b":2},"b":[{"a":1},{"a":1}],"c":{"a":0}}"#), Ok(()));
}

#[test]
fn a_duplicate_is_found_among_many_members() {
    for count in [15, 16, 17, 18, 500] {
        let members = |names: &mut dyn Iterator<Item = usize>| {
            let members: Vec<String> = names.map(|n| format!("\"m{n}\":{{\"m0\":1}}")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert_eq!(judge(&members(&mut (0..count))), Ok(()));
        for twin in [0, count / 2, count - 1] {
            let text = members(&mut (0..count).chain([twin]));
            let found = judge(&text);
            let name = format!("m{twin}");
            assert!(
                matches!(&found, Err(StrictJsonError::DuplicateMember { name: n, .. }) if *n == name),
                "{count} {found:?}"
            );
        }
    }
}

#[test]
fn a_root_that_is_no_object_is_refused() {
    for (text, found) in
        [("[]", "an array"), ("\"a\"", "a string"), ("-1", "a number"), ("null", "a literal"), ("true", "a literal")]
    {
        assert_eq!(judge(text), Err(StrictJsonError::NotObject { found }), "{text}");
    }
    for text in ["", " ", "}", "\u{feff}{}"] {
        assert!(is_syntax(text), "{text:?}");
    }
}

#[test]
fn text_after_the_object_is_refused() {
    for text in ["{}{}", "{} x", "{},", "{}]", "{}}", "{}\u{0}"] {
        assert!(
            matches!(judge(text), Err(StrictJsonError::Syntax { message: "text after the end of the object", .. })),
            "{text:?}"
        );
    }
}

#[test]
fn what_json_does_not_have_is_refused() {
    for text in [
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{\"a\":[1}",
        "{\"a\":{]}",
        "{\"a\":1",
        "{\"a\":\"",
        "{\"a\":\"\\",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"12345678\u{1f}\"}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":1e}",
        "{\"a\":-}",
        "{\"a\":NaN}",
        "{\"a\":tru}",
        "{\"a\":nul",
        "{\"a\":True}",
        "{/**/}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":\"\\udc00\"}",
    ] {
        assert!(is_syntax(text), "{text:?} {:?}", judge(text));
    }
    assert_eq!(check(b"{\"a\":\"\xff\"}", LIMITS), Err(StrictJsonError::NotUtf8 { at: 6 }));
}

#[test]
fn the_scan_refuses_whatever_serde_json_refuses() {
    // Every text within one byte change of a good one: what we pass, the reader behind us must be able to read.
    let good = br#"{"a":[1,-2.5e1,"x\n\u00e9"],"b":{"c":null,"d":true}}"#;
    let mut passed = 0;
    for at in 0..good.len() {
        for byte in 0..=255u8 {
            let mut text = good.to_vec();
            text[at] = byte;
            if check(&text, LIMITS).is_ok() {
                passed += 1;
                assert!(
                    serde_json::from_slice::<serde_json::Value>(&text).is_ok(),
                    "{}",
                    String::from_utf8_lossy(&text)
                );
            }
        }
        let cut = &good[..at];
        assert!(check(cut, LIMITS).is_err());
    }
    assert!(passed > 500, "{passed}");
}

#[test]
fn limits_hold_to_the_byte_and_to_the_level() {
    let text = br#"{"a":[[1]]}"#;
    assert_eq!(check(text, Limits { bytes_max: text.len(), depth_max: 3 }), Ok(()));
    assert_eq!(
        check(text, Limits { bytes_max: text.len() - 1, depth_max: 3 }),
        Err(StrictJsonError::TooLarge { len: 11, max: 10 })
    );
    assert_eq!(
        check(text, Limits { bytes_max: text.len(), depth_max: 2 }),
        Err(StrictJsonError::TooDeep { max: 2, line: 1, column: 7 })
    );
    let deep = format!("{{\"a\":{}", "[".repeat(1 << 19));
    assert!(matches!(judge(&deep), Err(StrictJsonError::TooDeep { max: 64, .. })));
}

#[test]
fn a_type_is_read_from_objects_only() {
    let read: Outer<'_> = parse(br#"{"inner":{"size":1},"name":"n","more":[{"size":2}]}"#, LIMITS).unwrap();
    assert_eq!(read, Outer { name: "n", inner: Object(Inner { size: 1 }), more: vec![Object(Inner { size: 2 })] });
    for text in [
        r#"{"name":"n","inner":[1]}"#,
        r#"{"name":"n","inner":{"size":1},"more":[[2]]}"#,
        r#"{"name":"n","inner":null}"#,
        r#"{"name":"n"}"#,
        r#"{"name":"n","inner":{"size":1},"other":1}"#,
        r#"{"name":"n","inner":{"size":"1"}}"#,
    ] {
        let read = parse::<Outer<'_>>(text.as_bytes(), LIMITS);
        assert!(matches!(read, Err(StrictJsonError::Shape { .. })), "{text} {read:?}");
    }
    assert_eq!(
        parse::<Outer<'_>>(br#"["n",{"size":1}]"#, LIMITS),
        Err(StrictJsonError::NotObject { found: "an array" })
    );
    let map: BTreeMap<String, u8> = parse(br#"{"b":2,"a":1}"#, LIMITS).unwrap();
    assert_eq!(map.len(), 2);
}

#[test]
fn the_eight_byte_step_finds_what_a_byte_step_finds() {
    let naive = |bytes: &[u8], at: usize| {
        bytes[at..].iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20).map_or(bytes.len(), |found| at + found)
    };
    for len in 0..24 {
        for at in 0..=len {
            for found in 0..len {
                for byte in [b'"', b'\\', 0x1f, 0x00, 0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xa2, 0xdc, 0xff] {
                    let mut bytes = vec![b'a'; len];
                    bytes[found] = byte;
                    assert_eq!(end_of_plain(&bytes, at), naive(&bytes, at), "{bytes:?} from {at}");
                }
            }
        }
    }
}

#[test]
fn base64_has_one_spelling() {
    // RFC 4648 §10.
    for (bytes, text) in
        [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")]
    {
        assert_eq!(standard_base64(text).unwrap(), bytes.as_bytes());
        assert_eq!(to_standard_base64(bytes.as_bytes()), text);
        assert_eq!(check_standard_base64(text), Ok(bytes.len()));
    }
    assert_eq!(standard_base64("Zg"), Err(Base64Error::Length { len: 2 }));
    assert_eq!(standard_base64("Zg="), Err(Base64Error::Length { len: 3 }));
    assert_eq!(standard_base64("Zh=="), Err(Base64Error::TrailingBits { last: 'h' }));
    assert_eq!(standard_base64("Zm9="), Err(Base64Error::TrailingBits { last: '9' }));
    assert_eq!(standard_base64("Zm9v\nZm9"), Err(Base64Error::Character { at: 4, byte: b'\n' }));
    assert_eq!(standard_base64("__-_"), Err(Base64Error::Character { at: 0, byte: b'_' }));
    assert_eq!(standard_base64("Z==="), Err(Base64Error::Character { at: 1, byte: b'=' }));
    assert_eq!(standard_base64("===="), Err(Base64Error::Character { at: 0, byte: b'=' }));
    assert_eq!(standard_base64("Zg==Zg=="), Err(Base64Error::Character { at: 2, byte: b'=' }));
}

#[test]
fn the_check_of_base64_judges_as_the_decoder_does() {
    // Every text of four characters over an alphabet with all kinds of them, alone and behind a whole group.
    let kinds = ['A', 'Q', 'g', 'w', '/', '+', '9', '=', '-', '_', ' ', '\n', 'ä'];
    for a in kinds {
        for b in kinds {
            for c in kinds {
                for d in kinds {
                    for head in ["", "Zm9v"] {
                        let text = format!("{head}{a}{b}{c}{d}");
                        let decoded = standard_base64(&text);
                        let checked = check_standard_base64(&text);
                        assert_eq!(decoded.as_ref().map(Vec::len), checked.as_ref().copied(), "{text:?}");
                        if let Ok(bytes) = decoded {
                            assert_eq!(to_standard_base64(&bytes), text);
                        }
                    }
                }
            }
        }
    }
}
