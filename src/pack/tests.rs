//! What a pack refuses, each on a file that lies there; what it takes; and that the same entries give the same bytes.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;
use tempfile::{TempDir, tempdir};

use super::container::{render_sums, write_archive};
use super::error::PackError;
use super::journal::{Indexes, JOURNAL, Journal, Resumed, UploadFolder};
use super::outbox::{OutboxHeading, OutboxPack, OutboxWriter, REQUESTS, RequestLine, WrittenVolume};
use super::receipts::{Outcome, RECEIPTS, ReceiptLine, ReceiptsPack};
use super::*;

const OURS: &str = "aa";

fn target() -> PackTarget {
    PackTarget { name: "public".into(), api_version: 1, url: "https://rekor.example".into(), log_id: "bb".repeat(32) }
}

fn line(index: u64) -> RequestLine {
    let leaf_hash = Hash::from_bytes([index as u8; 32]);
    let request = RawValue::from_string(format!(r#"{{"kind":"dsse", "n":{index}}}"#)).unwrap();
    RequestLine { index, leaf_hash, expected: leaf_hash, request }
}

fn write(path: &Path, indexes: impl IntoIterator<Item = u64>, volume: Option<u64>) -> Vec<WrittenVolume> {
    let heading = OutboxHeading { origin: "log.site.example".into(), log_id: OURS.repeat(32), target: target() };
    let mut writer = OutboxWriter::begin(path, heading, volume).unwrap();
    indexes.into_iter().for_each(|index| writer.push(&line(index)).unwrap());
    writer.finish().unwrap()
}

/// A pack of three entries as a directory and as an archive.
fn both() -> (TempDir, PathBuf, PathBuf) {
    let folder = tempdir().unwrap();
    let (directory, archive) = (folder.path().join("outbox"), folder.path().join("outbox.tar"));
    write(&directory, [5, 6, 9], None);
    write(&archive, [5, 6, 9], None);
    (folder, directory, archive)
}

fn code(path: &Path) -> &'static str {
    OutboxPack::open(path).map(|_| "read").unwrap_or_else(|error| error.code())
}

/// Writes SHA256SUMS anew, as who alters a file on purpose would.
fn sum_again(directory: &Path) {
    let names = [README, MANIFEST, REQUESTS];
    let sum = |name| hex::encode(<sha2::Sha256 as sha2::Digest>::digest(fs::read(directory.join(name)).unwrap()));
    fs::write(directory.join(SUMS), render_sums(&names.into_iter().map(|name| (name, sum(name))).collect())).unwrap();
}

#[test]
fn what_was_written_is_read_from_a_directory_and_from_an_archive() {
    let (_folder, directory, archive) = both();
    for path in [directory, archive] {
        let mut pack = OutboxPack::open(&path).unwrap();
        assert_eq!((pack.manifest().entries, pack.manifest().first, pack.manifest().last), (3, 5, 9));
        assert_eq!(pack.manifest().set, pack.requests_sum());
        let lines: Vec<RequestLine> = pack.lines().unwrap().map(Result::unwrap).collect();
        assert_eq!(lines.iter().map(|line| line.index).collect::<Vec<_>>(), [5, 6, 9]);
        assert_eq!(lines[2].request.get(), r#"{"kind":"dsse", "n":9}"#, "the request is kept byte for byte");
    }
}

#[test]
fn the_same_entries_give_the_same_bytes() {
    let ((_one, directory, archive), (_two, again, archive_again)) = (both(), both());
    assert_eq!(fs::read(archive).unwrap(), fs::read(archive_again).unwrap());
    for name in [README, MANIFEST, REQUESTS, SUMS] {
        assert_eq!(fs::read(directory.join(name)).unwrap(), fs::read(again.join(name)).unwrap());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn sha256sum_and_tar_read_what_we_write_and_we_read_what_tar_writes() {
    let (folder, directory, archive) = both();
    let run = |words: &[&str], at: &Path| {
        let done = std::process::Command::new(words[0]).args(&words[1..]).current_dir(at).output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    run(&["sha256sum", "-c", "SHA256SUMS"], &directory);
    assert_eq!(
        run(&["tar", "--full-time", "-tvf", archive.to_str().unwrap()], &directory)
            .lines()
            .map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .map(|words| (words[0].clone(), words[1].clone(), words.last().unwrap().clone()))
            .collect::<Vec<_>>(),
        [README, SUMS, MANIFEST, REQUESTS].map(|name| ("-rw-r--r--".into(), "0/0".into(), name.to_owned()))
    );
    run(&["tar", "-cf", "../by-tar.tar", README, SUMS, MANIFEST, REQUESTS], &directory);
    assert_eq!(code(&folder.path().join("by-tar.tar")), "read");
    run(&["tar", "--format=pax", "-cf", "../pax.tar", README, SUMS, MANIFEST, REQUESTS], &directory);
    assert_eq!(code(&folder.path().join("pax.tar")), "pack_format");
    run(&["tar", "-cf", "../dotted.tar", "."], &directory);
    assert_eq!(code(&folder.path().join("dotted.tar")), "pack_link", "a directory is no file of a pack");
}

#[test]
fn volumes_are_packs_of_their_own_under_one_set() {
    let folder = tempdir().unwrap();
    for name in ["outbox", "outbox.tar"] {
        let written = write(&folder.path().join(name), 0..300, Some((16 << 10) + 20_000));
        assert!(written.len() > 1 && !folder.path().join(name).exists());
        let mut next = 0;
        for (number, volume) in (1..).zip(&written) {
            let suffix = format!("-{number:03}-of-{:03}", written.len());
            let wanted = name.replace("outbox", &format!("outbox{suffix}"));
            assert_eq!(volume.path, folder.path().join(wanted));
            let mut pack = OutboxPack::open(&volume.path).unwrap();
            assert_eq!(pack.manifest(), &volume.manifest);
            assert_eq!((pack.manifest().first, &pack.manifest().set), (next, &written[0].manifest.set));
            next += pack.lines().unwrap().count() as u64;
            if volume.path.is_file() {
                assert!(fs::metadata(&volume.path).unwrap().len() <= (16 << 10) + 20_000);
            }
        }
        assert_eq!(next, 300);
    }
}

#[test]
fn a_name_that_is_taken_and_a_pack_of_nothing_are_refused() {
    let (_folder, directory, archive) = both();
    let heading = || OutboxHeading { origin: "o".into(), log_id: OURS.repeat(32), target: target() };
    for path in [&directory, &archive] {
        assert_eq!(OutboxWriter::begin(path, heading(), None).unwrap_err().code(), "pack_exists");
    }
    let free = directory.with_file_name("free");
    assert_eq!(OutboxWriter::begin(&free, heading(), None).unwrap().finish().unwrap_err().code(), "pack_empty");
    let mut writer = OutboxWriter::begin(&free, heading(), Some(16 << 10)).unwrap();
    assert_eq!(writer.push(&line(1)).unwrap_err().code(), "pack_volume_too_small");
    drop(writer);
    assert!(!free.exists());
    assert_eq!(fs::read_dir(free.parent().unwrap()).unwrap().count(), 2, "nothing stays of what was not finished");
}

#[test]
fn an_altered_byte_in_each_file_is_refused() {
    for name in [README, MANIFEST, REQUESTS] {
        let (_folder, directory, _) = both();
        let path = directory.join(name);
        let mut bytes = fs::read(&path).unwrap();
        bytes[20] ^= 1;
        fs::write(path, bytes).unwrap();
        assert_eq!(code(&directory), "pack_sum", "{name}");
    }
    let (_folder, directory, archive) = both();
    let mut sums = fs::read(directory.join(SUMS)).unwrap();
    sums[0] = if sums[0] == b'0' { b'1' } else { b'0' };
    fs::write(directory.join(SUMS), sums).unwrap();
    assert_eq!(code(&directory), "pack_sum");
    let mut bytes = fs::read(&archive).unwrap();
    let at = bytes.windows(4).rposition(|four| four == b"dsse").unwrap();
    bytes[at] ^= 1;
    fs::write(&archive, bytes).unwrap();
    assert_eq!(code(&archive), "pack_sum");
}

#[test]
fn sums_that_leave_a_file_out_or_name_another_are_refused() {
    let alter = |change: &dyn Fn(&str) -> String| {
        let (_folder, directory, _) = both();
        let sums = fs::read_to_string(directory.join(SUMS)).unwrap();
        fs::write(directory.join(SUMS), change(&sums)).unwrap();
        code(&directory)
    };
    assert_eq!(alter(&|sums| sums.lines().take(2).map(|line| format!("{line}\n")).collect()), "pack_sum");
    assert_eq!(alter(&|sums| format!("{sums}{}  ../../etc/passwd\n", "a".repeat(64))), "pack_path");
    assert_eq!(alter(&|sums| format!("{sums}{}  other\n", "a".repeat(64))), "pack_file_unknown");
    assert_eq!(alter(&|sums| sums.to_uppercase()), "pack_sum");
    assert_eq!(alter(&|sums| sums.trim_end().to_owned()), "pack_sum");
    assert_eq!(alter(&|sums| format!("{sums}{sums}")), "pack_sum");
    assert_eq!(alter(&|_| "\u{0}".repeat(100)), "pack_sum");
}

#[test]
fn a_file_that_is_missing_and_a_file_that_no_pack_has_are_refused() {
    for name in [README, MANIFEST, REQUESTS, SUMS] {
        let (_folder, directory, _) = both();
        fs::remove_file(directory.join(name)).unwrap();
        assert_eq!(code(&directory), "pack_truncated", "{name}");
    }
    let (_folder, directory, _) = both();
    fs::write(directory.join("autorun.inf"), "x").unwrap();
    assert_eq!(code(&directory), "pack_file_unknown");
    assert_eq!(code(&directory.join("nothing")), "pack_unreadable");
}

#[cfg(unix)]
#[test]
fn a_link_or_a_directory_in_a_pack_is_refused() {
    let (_folder, directory, _) = both();
    let path = directory.join(REQUESTS);
    let elsewhere = directory.with_file_name("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    assert_eq!(code(&directory), "pack_link");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(code(&directory), "pack_link");
    fs::remove_dir(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert_eq!(code(&directory), "pack_link", "a pipe is not opened: nobody might ever write to it");
    assert_eq!(code(&path), "pack_format");
}

/// The archive with the header of its last member changed, and its checksum made to fit.
fn altered_header(archive: &Path, change: impl Fn(&mut [u8])) -> &'static str {
    let mut bytes = fs::read(archive).unwrap();
    let at = bytes.windows(15).rposition(|part| part == REQUESTS.as_bytes()).unwrap();
    change(&mut bytes[at..at + 512]);
    bytes[at + 148..at + 156].fill(b' ');
    let sum: u64 = bytes[at..at + 512].iter().map(|byte| u64::from(*byte)).sum();
    bytes[at + 148..at + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let path = archive.with_file_name("altered.tar");
    fs::write(&path, bytes).unwrap();
    code(&path)
}

#[test]
fn a_member_that_is_no_plain_file_or_lies_elsewhere_is_refused() {
    let (_folder, _, archive) = both();
    let named = |name: &'static [u8]| {
        move |header: &mut [u8]| {
            header[..100].fill(0);
            header[..name.len()].copy_from_slice(name);
        }
    };
    assert_eq!(altered_header(&archive, |_| {}), "read");
    for name in [b"../requests.ndjson".as_slice(), b"/requests.ndjson", b"a\\requests.ndjson", b"c:x", b"..", b"."] {
        assert_eq!(altered_header(&archive, named(name)), "pack_path", "{}", String::from_utf8_lossy(name));
    }
    assert_eq!(altered_header(&archive, |header| header[345..348].copy_from_slice(b"../")), "pack_path");
    assert_eq!(altered_header(&archive, named(b"more.txt")), "pack_file_unknown");
    assert_eq!(altered_header(&archive, named(b"manifest.json")), "pack_file_twice");
    for kind in *b"123456" {
        assert_eq!(altered_header(&archive, |header| header[156] = kind), "pack_link", "{}", kind as char);
    }
    for kind in *b"LKxgSV7" {
        assert_eq!(altered_header(&archive, |header| header[156] = kind), "pack_format", "{}", kind as char);
    }
    let huge = |header: &mut [u8]| header[124..136].copy_from_slice(b"77777777777\0");
    assert_eq!(altered_header(&archive, huge), "pack_truncated", "8 GiB are stated, and not there");
    let base_256 = |header: &mut [u8]| header[124..136].copy_from_slice(b"\x80\0\0\0\x7f\0\0\0\0\0\0\0");
    assert_eq!(altered_header(&archive, base_256), "pack_format");
    assert_eq!(altered_header(&archive, |header| header[124..136].copy_from_slice(b"        -1 \0")), "pack_format");
}

#[test]
fn an_archive_that_ends_anywhere_too_early_is_refused() {
    let (_folder, _, archive) = both();
    let bytes = fs::read(&archive).unwrap();
    let path = archive.with_file_name("short.tar");
    for len in (0..bytes.len() - 512).step_by(97).chain([bytes.len() - 1024]) {
        fs::write(&path, &bytes[..len]).unwrap();
        assert_eq!(code(&path), "pack_truncated", "{len} bytes of {}", bytes.len());
    }
    let mut damaged = bytes;
    damaged[3] ^= 1;
    fs::write(&path, damaged).unwrap();
    assert_eq!(code(&path), "pack_format");
    fs::write(&path, [b'x'; 2048]).unwrap();
    assert_eq!(code(&path), "pack_format");
}

#[test]
fn members_without_end_and_too_large_files_are_refused_without_being_read() {
    let (_folder, directory, archive) = both();
    let mut many = Vec::new();
    for _ in 0..100_000 {
        many.extend_from_slice(&ustar::header(README, 0));
    }
    let path = archive.with_file_name("many.tar");
    fs::write(&path, &many).unwrap();
    assert_eq!(code(&path), "pack_file_twice");
    File::options().write(true).open(directory.join(REQUESTS)).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(code(&directory), "pack_too_large");
    let (_folder, directory, _) = both();
    fs::write(directory.join(README), vec![b'x'; (SMALL_LEN_MAX + 1) as usize]).unwrap();
    assert_eq!(code(&directory), "pack_too_large");
    let header = ustar::header(MANIFEST, SMALL_LEN_MAX + 1);
    fs::write(&path, header).unwrap();
    assert_eq!(code(&path), "pack_too_large");
}

#[test]
fn manifests_and_lines_that_do_not_agree_are_refused_though_their_sums_are_right() {
    let alter = |name: &str, change: &dyn Fn(&str) -> String| {
        let (_folder, directory, _) = both();
        let text = fs::read_to_string(directory.join(name)).unwrap();
        let changed = change(&text);
        assert_ne!(changed, text);
        fs::write(directory.join(name), changed).unwrap();
        sum_again(&directory);
        code(&directory)
    };
    let manifest = |from: &'static str, to: &'static str| alter(MANIFEST, &move |text| text.replace(from, to));
    assert_eq!(manifest("outbox/v1", "outbox/v2"), "pack_format");
    assert_eq!(manifest("outbox/v1", "receipts/v1"), "pack_format");
    assert_eq!(manifest("\"entries\": 3", "\"entries\": 4"), "pack_truncated");
    assert_eq!(manifest("\"entries\": 3", "\"entries\": 2"), "pack_malformed");
    assert_eq!(manifest("\"first\": 5", "\"first\": 4"), "pack_malformed");
    assert_eq!(manifest("\"apiVersion\": 1", "\"apiVersion\": 3"), "pack_malformed");
    assert_eq!(manifest("https://rekor.example", "file:///etc"), "pack_malformed");
    assert_eq!(manifest("https://rekor.example", "https://a@rekor.example"), "pack_malformed");
    assert_eq!(manifest("\"volume\": 1", "\"volume\": 2"), "pack_malformed");
    assert_eq!(manifest("\"set\": \"", "\"set\": \"0"), "pack_malformed");
    assert_eq!(manifest("\"entries\": 3", "\"entries\": 3, \"entries\": 3"), "pack_malformed");
    assert_eq!(manifest("\"entries\": 3", "\"entries\": 3, \"more\": 3"), "pack_malformed");
    let lines = |change: &dyn Fn(&str) -> String| alter(REQUESTS, change);
    assert_eq!(lines(&|text| text.trim_end().to_owned()), "pack_truncated");
    assert_eq!(lines(&|text| text.lines().take(2).map(|line| format!("{line}\n")).collect()), "pack_truncated");
    assert_eq!(lines(&|text| text.replace("\"index\":6", "\"index\":5")), "pack_malformed");
    assert_eq!(lines(&|text| text.replace("\"index\":6", "\"index\":7")), "pack_malformed");
    assert_eq!(lines(&|text| text.replace("{\"kind\"", "[\"kind\"")), "pack_malformed");
    assert_eq!(lines(&|text| text.replace("\"n\":6", "\"n\":6,\"n\":6")), "pack_malformed");
    assert_eq!(lines(&|text| text.replace("\"leafHash\"", "\"leafHush\"")), "pack_malformed");
    assert_eq!(lines(&|text| format!("{text}\n")), "pack_malformed");
}

#[test]
fn lines_that_change_after_they_were_summed_are_noticed_at_their_end() {
    let (_folder, directory, _) = both();
    let mut pack = OutboxPack::open(&directory).unwrap();
    let text = fs::read_to_string(directory.join(REQUESTS)).unwrap().replace("\"n\":9", "\"n\":8");
    let mut file = File::options().write(true).open(directory.join(REQUESTS)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let last = pack.lines().unwrap().last().unwrap();
    assert_eq!(last.unwrap_err().code(), "pack_sum");
}

fn answer(index: u64) -> ReceiptLine {
    let answer = RawValue::from_string(format!("{{\n \"uuid\": {{\"n\": {index}}}}}")).unwrap();
    let outcome = Outcome::Answered { status: 201, answer };
    ReceiptLine { index, leaf_hash: line(index).leaf_hash, outcome }
}

fn refusal(index: u64) -> ReceiptLine {
    let outcome = Outcome::Refused { status: 400, message: "no".into() };
    ReceiptLine { index, leaf_hash: line(index).leaf_hash, outcome }
}

#[test]
fn an_upload_is_gone_on_with_where_it_was_killed() {
    let (folder, directory, _) = both();
    let (pack, out) = (OutboxPack::open(&directory).unwrap(), folder.path().join("receipts"));
    let (upload, resumed) = UploadFolder::open(&out, &pack).unwrap();
    assert_eq!(resumed, Resumed::default());
    upload.tree_size(7).unwrap();
    upload.posting(&[5, 6]).unwrap();
    upload.spent(100, 2).unwrap();
    upload.spent(100, 3).unwrap();
    upload.receipt(&answer(5)).unwrap();
    assert_eq!(UploadFolder::open(&out, &pack).unwrap_err().code(), "pack_locked");
    drop(upload);
    // A kill in the middle of a line, of both files.
    for name in [RECEIPTS, JOURNAL] {
        File::options().append(true).open(out.join(name)).unwrap().write_all(b"{\"index\":6,\"le").unwrap();
    }
    assert_eq!(ReceiptsPack::open(&out).unwrap_err().code(), "pack_truncated", "it is no pack before it was ended");
    let (upload, resumed) = UploadFolder::open(&out, &pack).unwrap();
    assert!(resumed.settled.contains(5) && !resumed.settled.contains(6));
    assert_eq!((resumed.answered, resumed.refused), (1, 0));
    assert_eq!(resumed.in_flight.into_iter().collect::<Vec<_>>(), [(6, Some(7))]);
    assert_eq!(resumed.spent.into_iter().collect::<Vec<_>>(), [(100, 3)]);
    let manifest = upload.finish().unwrap();
    assert_eq!((manifest.answered, manifest.refused, manifest.remaining), (1, 0, 2));
    assert_eq!(ReceiptsPack::open(&out).unwrap().manifest(), &manifest);
    upload.receipt(&refusal(6)).unwrap();
    upload.receipt(&answer(9)).unwrap();
    assert_eq!(upload.finish().unwrap().remaining, 0);
    drop(upload);
    assert!(!out.join(JOURNAL).exists());
    let mut receipts = ReceiptsPack::open(&out).unwrap();
    let lines: Vec<ReceiptLine> = receipts.lines().unwrap().map(Result::unwrap).collect();
    assert!(matches!(&lines[0].outcome, Outcome::Answered { status: 201, answer }
        if answer.get() == "{  \"uuid\": {\"n\": 5}}"));
    assert!(matches!(&lines[1].outcome, Outcome::Refused { status: 400, message } if message == "no"));
    // Run again when all is done: nothing remains, nothing is lost.
    let (upload, resumed) = UploadFolder::open(&out, &pack).unwrap();
    assert_eq!((resumed.answered, resumed.refused), (2, 1));
    assert_eq!(upload.finish().unwrap().remaining, 0);
}

#[test]
fn answers_do_not_go_where_something_else_lies() {
    let (folder, directory, _) = both();
    let pack = OutboxPack::open(&directory).unwrap();
    write(&folder.path().join("other"), [1], None);
    let other = OutboxPack::open(&folder.path().join("other")).unwrap();
    let refused = |path: &Path, pack| UploadFolder::open(path, pack).unwrap_err().code();
    assert_eq!(refused(&directory, &pack), "pack_file_unknown", "the outbox itself");
    let out = folder.path().join("receipts");
    let (upload, _) = UploadFolder::open(&out, &pack).unwrap();
    upload.finish().unwrap();
    drop(upload);
    assert_eq!(refused(&out, &other), "pack_other_upload");
    fs::remove_file(out.join(JOURNAL)).unwrap();
    assert_eq!(refused(&out, &other), "pack_other_upload");
    fs::remove_file(out.join(MANIFEST)).unwrap();
    assert_eq!(refused(&out, &pack), "pack_exists");
    assert_eq!(refused(&directory.join(README), &pack), "pack_unwritable");
}

#[test]
fn receipts_of_another_site_altered_or_short_are_refused() {
    let (folder, directory, _) = both();
    let (pack, out) = (OutboxPack::open(&directory).unwrap(), folder.path().join("receipts"));
    let (upload, _) = UploadFolder::open(&out, &pack).unwrap();
    upload.receipt(&answer(5)).unwrap();
    upload.finish().unwrap();
    let receipts = ReceiptsPack::open(&out).unwrap();
    receipts.check_site(&OURS.repeat(32)).unwrap();
    assert_eq!(receipts.check_site(&"cc".repeat(32)).unwrap_err().code(), "pack_other_site");
    assert_eq!(code(&out), "pack_file_unknown", "receipts are no outbox");
    assert_eq!(ReceiptsPack::open(&directory).unwrap_err().code(), "pack_file_unknown");
    let mut file = File::options().read(true).write(true).open(out.join(RECEIPTS)).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(9)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(9)).unwrap();
    file.write_all(&[byte[0] ^ 1]).unwrap();
    assert_eq!(ReceiptsPack::open(&out).unwrap_err().code(), "pack_sum");
    for wrong in [
        r#"{"index":5,"leafHash":"","status":201,"answer":{}}"#.to_owned(),
        format!(r#"{{"index":5,"leafHash":"{}","status":200,"answer":{{}}}}"#, OURS.repeat(32)),
        format!(r#"{{"index":5,"leafHash":"{}","status":201,"answer":[]}}"#, OURS.repeat(32)),
        format!(r#"{{"index":5,"leafHash":"{}","status":201}}"#, OURS.repeat(32)),
        format!(r#"{{"index":5,"leafHash":"{}","refused":{{"status":500,"message":""}}}}"#, OURS.repeat(32)),
        format!(r#"{{"index":5,"leafHash":"{}","status":201,"answer":{{"a":1,"a":1}}}}"#, OURS.repeat(32)),
    ] {
        assert!(ReceiptLine::parse(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn a_set_of_indexes_holds_what_was_put_in() {
    let (mut set, mut plain) = (Indexes::default(), std::collections::BTreeSet::new());
    let mut at = 1u64;
    for _ in 0..5000 {
        at = at.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let index = at >> 52;
        assert_eq!(set.insert(index), plain.insert(index));
    }
    assert!((0..5000).all(|index| set.contains(index) == plain.contains(&index)));
}

#[test]
fn an_archive_writer_refuses_lines_that_became_shorter() {
    let mut to = Vec::new();
    let small = std::collections::BTreeMap::from([(README, b"x".to_vec())]);
    assert!(write_archive(&mut to, &small, (REQUESTS, 5, &mut b"four".as_slice())).is_err());
    assert!(matches!(PackError::Empty.code(), "pack_empty"));
}

/// Memory stays flat by shape: a million lines go through one buffer. Here ten thousand, for speed.
#[test]
fn many_lines_are_written_and_read_one_at_a_time() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("outbox.tar");
    write(&path, 0..10_000, None);
    let mut pack = OutboxPack::open(&path).unwrap();
    assert_eq!(pack.lines().unwrap().map(Result::unwrap).map(|line| line.index).sum::<u64>(), 49_995_000);
}
