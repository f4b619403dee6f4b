//! The postman against a log that is played: what is kept, what is refused, what is asked again, and that nothing is in twice.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use airtight_log::digest::{LeafIndex, TreeSize};
use airtight_log::proofs::verify_inclusion;

use super::transport::{Method, Reply, TransportError};
use super::*;

mod fake;

use fake::{FakeLog, FakePowers, Fault, MemoryJournal, body, line, lost, reply};

fn options(api: ApiVersion, parallel: u16) -> Options {
    Options {
        api,
        url: "http://log.example".into(),
        tiles: None,
        log_id: Hash::from_bytes([9; 32]),
        parallel,
        per_hour: None,
        settle_ms: 15_000,
    }
}

fn run(
    options: &Options,
    entries: u64,
    log: &FakeLog,
    journal: &MemoryJournal,
    powers: &FakePowers,
) -> Result<Report, UploadError> {
    let most = AtomicU64::new(0);
    let see = |progress: Progress| {
        assert!(progress.done <= progress.of && progress.of == entries);
        most.fetch_max(progress.done, Ordering::SeqCst);
    };
    let report = upload(
        options,
        (0..entries).map(|index| Ok(line(index))),
        entries,
        &journal.resumed(),
        journal,
        (log, powers),
        &see,
    )?;
    let done = report.before + report.taken + report.known + report.refused;
    assert_eq!((done + report.remaining_sum(), most.into_inner()), (entries, done), "{report:?}");
    Ok(report)
}

fn played(
    api: ApiVersion,
    plan: impl Fn(Method, u64, &str) -> Fault + Send + Sync + 'static,
) -> (FakeLog, MemoryJournal, FakePowers) {
    let powers = FakePowers::new();
    let log = FakeLog::new(api, &powers, plan);
    let journal = MemoryJournal { events: log.events.clone(), ..MemoryJournal::default() };
    (log, journal, powers)
}

/// A plan for POSTs alone; answers to GETs are true.
fn posts(plan: impl Fn(u64) -> Fault + Send + Sync) -> impl Fn(Method, u64, &str) -> Fault + Send + Sync {
    move |method, number, _| if method == Method::Post { plan(number) } else { Fault::None }
}

fn unreachable() -> Result<Reply, TransportError> {
    Err(TransportError::Unreachable { said: "connection refused".into() })
}

fn only(report: &Report) -> (&'static str, u64) {
    let remaining: Vec<_> = report.remaining.iter().map(|(reason, count)| (reason.code(), *count)).collect();
    assert_eq!(remaining.len(), 1, "{remaining:?}");
    remaining[0]
}

fn each_once(log: &FakeLog, entries: u64) {
    let held = log.held();
    let distinct: BTreeSet<u64> = held.iter().copied().collect();
    assert_eq!((held.len() as u64, distinct.len() as u64), (entries, entries), "an entry is in twice, or not at all");
}

#[test]
fn an_answer_is_kept_as_it_stands_and_a_posting_is_written_down_first() {
    for api in [ApiVersion::V1, ApiVersion::V2] {
        let (log, journal, powers) = played(api, |_, _, _| Fault::None);
        let report = run(&options(api, 2), 5, &log, &journal, &powers).unwrap();
        assert_eq!((report.taken, report.known, report.remaining_sum()), (5, 0, 0));
        each_once(&log, 5);
        for receipt in journal.receipts.lock().unwrap().iter() {
            let Outcome::Answered { status: 201, answer } = &receipt.outcome else { panic!("{receipt:?}") };
            let at = log.held().iter().position(|held| *held == receipt.index).unwrap();
            assert_eq!(answer.get(), log.answer(body(receipt.index).as_bytes(), at).trim_end());
        }
        let events = log.events.lock().unwrap();
        for index in 0..5 {
            let at = |what: &str| events.iter().position(|event| *event == format!("{what} {index}")).unwrap();
            assert!(at("posting") < at("post"));
        }
    }
}

#[test]
fn what_v1_has_already_is_fetched_from_the_log_that_was_asked_though_its_location_names_another() {
    let hidden = AtomicU64::new(0);
    let (log, journal, powers) = played(ApiVersion::V1, move |method, _, url| {
        assert!(method == Method::Post || url.starts_with("http://log.example/"), "{url}");
        if method == Method::Get && hidden.fetch_add(1, Ordering::SeqCst) < 3 {
            return Fault::Instead(Ok(reply(404, &[], "")));
        }
        Fault::None
    });
    log.seed(0..2);
    let report = run(&options(ApiVersion::V1, 1), 3, &log, &journal, &powers).unwrap();
    assert_eq!((report.taken, report.known), (1, 2));
    each_once(&log, 3);
    assert!(matches!(journal.receipts.lock().unwrap()[0].outcome, Outcome::Answered { status: 409, .. }));
    assert!(log.events.lock().unwrap().contains(&"post 2".to_owned()));
}

#[test]
fn what_v2_has_already_is_proven_from_its_tiles() {
    for size in [1u64, 2, 255, 256, 257, 300, 600] {
        let (log, journal, powers) = played(ApiVersion::V2, |_, _, _| Fault::None);
        log.seed((0..size).rev());
        let report = run(&options(ApiVersion::V2, 1), 1, &log, &journal, &powers).unwrap();
        assert_eq!((report.known, report.taken), (1, 0), "{report:?}");
        let receipts = journal.receipts.lock().unwrap();
        let Outcome::Answered { status: 409, answer } = &receipts[0].outcome else { panic!() };
        let answer: serde_json::Value = serde_json::from_str(answer.get()).unwrap();
        assert_eq!(answer["logIndex"], (size - 1).to_string());
        assert_eq!(answer["logId"]["keyId"], Hash::from_bytes([9; 32]).to_base64());
        assert_eq!(answer["kindVersion"], serde_json::json!({"kind": "hashedrekord", "version": "0.0.2"}));
        assert_eq!(
            (&answer["integratedTime"], &answer["inclusionPromise"]),
            (&serde_json::json!("0"), &serde_json::Value::Null)
        );
        let proof = &answer["inclusionProof"];
        let hash = |value: &serde_json::Value| Hash::from_base64(value.as_str().unwrap()).unwrap();
        let hashes: Vec<Hash> = proof["hashes"].as_array().unwrap().iter().map(hash).collect();
        let (index, tree) = (LeafIndex::new(size - 1).unwrap(), TreeSize::new(size).unwrap());
        verify_inclusion(&line(0).expected, index, tree, &hashes, &hash(&proof["rootHash"])).unwrap();
        assert!(proof["checkpoint"]["envelope"].as_str().unwrap().starts_with("log.example\n"));
        let encoded = answer["canonicalizedBody"].as_str().unwrap();
        assert_eq!(airtight_keys::strict_json::standard_base64(encoded).unwrap(), body(0).as_bytes());
    }
}

#[test]
fn a_refusal_of_the_log_is_final_and_a_page_is_none() {
    let page = "<html><head><title>Bad Request</title></head></html>";
    let (log, journal, powers) = played(
        ApiVersion::V1,
        posts(move |number| match number {
            1 => Fault::Instead(Ok(reply(400, &[], r#"{"code":400,"message":"wrong signature"}"#))),
            2 => Fault::Instead(Ok(reply(400, &[], page))),
            3 => Fault::Instead(Ok(reply(413, &[], page))),
            _ => Fault::None,
        }),
    );
    let report = run(&options(ApiVersion::V1, 1), 3, &log, &journal, &powers).unwrap();
    assert_eq!((report.refused, report.taken), (2, 1), "the page was no refusal: the second entry was asked for again");
    assert_eq!(report.remaining_sum(), 0);
    let receipts = journal.receipts.lock().unwrap();
    assert!(
        matches!(&receipts[0].outcome, Outcome::Refused { status: 400, message } if message == "status 400: wrong signature")
    );
}

#[test]
fn retry_after_is_obeyed_by_all_and_above_ten_minutes_ends_it() {
    let (log, journal, powers) = played(
        ApiVersion::V1,
        posts(|number| match number {
            2 => Fault::Instead(Ok(reply(429, &[("retry-after", "7")], ""))),
            _ => Fault::None,
        }),
    );
    run(&options(ApiVersion::V1, 1), 3, &log, &journal, &powers).unwrap();
    let times = log.times();
    assert!(times[2] - times[1] >= 7000 && times[2] - times[1] < 8500, "{times:?}");
    let (log, journal, powers) = played(
        ApiVersion::V1,
        posts(|number| match number {
            3 => Fault::Instead(Ok(reply(429, &[("retry-after", "3600")], "<title>Slow down</title>"))),
            _ => Fault::None,
        }),
    );
    let report = run(&options(ApiVersion::V1, 1), 9, &log, &journal, &powers).unwrap();
    assert_eq!(only(&report), ("rate_limited", 7));
    assert_eq!(log.calls("post"), 3);
    assert_eq!(report.stop.unwrap().again_ms, Some(log.times()[2] + 3_600_000));
    assert!(report.met[&Reason::RateLimited].contains("an HTML page titled \"Slow down\""));
}

#[test]
fn a_frozen_log_and_one_that_nobody_reaches_end_the_upload() {
    let frozen = reply(405, &[], "This log has been frozen, please switch to the latest log.");
    let (log, journal, powers) = played(
        ApiVersion::V2,
        posts(move |number| if number > 2 { Fault::Instead(Ok(frozen.clone())) } else { Fault::None }),
    );
    let report = run(&options(ApiVersion::V2, 1), 9, &log, &journal, &powers).unwrap();
    assert_eq!((only(&report), log.calls("post")), (("target_frozen", 7), 3));
    let (log, journal, powers) = played(ApiVersion::V1, |_, _, _| Fault::Instead(unreachable()));
    let start = powers.now.load(Ordering::SeqCst);
    let report = run(&options(ApiVersion::V1, 1), 9, &log, &journal, &powers).unwrap();
    assert_eq!((only(&report), log.calls("post")), (("unreachable", 9), 8));
    let waited = powers.now.load(Ordering::SeqCst) - start;
    assert!(
        (31_000..70_000).contains(&waited),
        "a server that starts again in half a minute is waited for: {waited} ms"
    );
    let (log, journal, powers) = played(ApiVersion::V2, |_, _, _| Fault::Instead(Ok(reply(501, &[], ""))));
    let report = run(&options(ApiVersion::V2, 1), 9, &log, &journal, &powers).unwrap();
    assert_eq!((only(&report), log.calls("post")), (("tiles_unreadable", 9), 0));
    let moved = || Fault::Instead(Ok(reply(307, &[("location", "http://evil.example/")], "")));
    let (log, journal, powers) = played(ApiVersion::V1, move |_, _, _| moved());
    let report = run(&options(ApiVersion::V1, 1), 9, &log, &journal, &powers).unwrap();
    assert_eq!((only(&report), log.calls("post")), (("unexpected_answer", 9), 1));
}

#[test]
fn an_answer_of_another_entry_is_kept_out_and_the_others_go_on() {
    for api in [ApiVersion::V1, ApiVersion::V2] {
        let powers = FakePowers::new();
        let other = FakeLog::new(api, &powers, |_, _, _| Fault::None).answer(body(77).as_bytes(), 3);
        let lie = reply(201, &[], other);
        let (log, journal, powers) =
            played(api, posts(move |number| if number == 2 { Fault::After(Ok(lie.clone())) } else { Fault::None }));
        let report = run(&options(api, 1), 4, &log, &journal, &powers).unwrap();
        assert_eq!((only(&report), report.taken), (("answer_of_another_entry", 1), 3));
        // The next run finds what the log took when it lied.
        let report = run(&options(api, 1), 4, &log, &journal, &powers).unwrap();
        assert_eq!((report.before, report.known, report.remaining_sum()), (3, 1, 0));
        each_once(&log, 4);
    }
}

#[test]
fn what_a_forgetful_v2_took_before_it_failed_is_found_and_not_posted_again() {
    let cut_off = reply(201, &[], "{\"logIndex\": \"1\", \"canoni");
    let failed = reply(500, &[], r#"{"code":13,"message":"internal server error"}"#);
    for answer in
        [lost(), Ok(failed), Ok(reply(502, &[], "<title>502</title>")), Ok(cut_off), Ok(reply(200, &[], "<html>"))]
    {
        let (mut log, journal, powers) = played(
            ApiVersion::V2,
            posts(move |number| if number == 2 { Fault::After(answer.clone()) } else { Fault::None }),
        );
        log.is_forgetful = true;
        log.seed(100..400);
        let report = run(&options(ApiVersion::V2, 1), 3, &log, &journal, &powers).unwrap();
        assert_eq!((report.taken, report.known, log.calls("post")), (2, 1, 3), "{report:?}");
        each_once(&log, 303);
    }
}

#[test]
fn what_a_v2_never_saw_is_posted_again_after_its_tiles_were_looked_through_twice() {
    let (mut log, journal, powers) =
        played(ApiVersion::V2, posts(|number| if number == 1 { Fault::Instead(lost()) } else { Fault::None }));
    log.is_forgetful = true;
    let report = run(&options(ApiVersion::V2, 1), 1, &log, &journal, &powers).unwrap();
    assert_eq!((report.taken, log.calls("post")), (1, 2));
    let times = log.times();
    assert!(times[1] - times[0] >= 15_000, "{times:?}");
    // Where nothing can have been handed over, nothing is looked for.
    let (log, journal, powers) =
        played(ApiVersion::V2, posts(|number| if number == 1 { Fault::Instead(unreachable()) } else { Fault::None }));
    run(&options(ApiVersion::V2, 1), 1, &log, &journal, &powers).unwrap();
    let times = log.times();
    assert!(times[1] - times[0] < 1000, "{times:?}");
}

#[test]
fn a_budget_ends_the_upload_and_holds_over_runs() {
    let (log, journal, powers) = played(ApiVersion::V1, |_, _, _| Fault::None);
    let options = Options { per_hour: Some(3), ..options(ApiVersion::V1, 2) };
    let report = run(&options, 8, &log, &journal, &powers).unwrap();
    assert_eq!((report.taken, only(&report)), (3, ("budget_exceeded", 5)));
    let again = report.stop.unwrap().again_ms.unwrap();
    let report = run(&options, 8, &log, &journal, &powers).unwrap();
    assert_eq!((report.taken, only(&report)), (0, ("budget_exceeded", 5)));
    powers.now.store(again, Ordering::SeqCst);
    assert_eq!(run(&options, 8, &log, &journal, &powers).unwrap().taken, 3);
}

#[test]
fn an_entry_that_the_log_fails_on_is_left_and_the_others_go_on() {
    let (log, journal, powers) = played(ApiVersion::V1, |method, _, text| {
        let is_bad = method == Method::Post && text.contains("\"n\":2}");
        if is_bad { Fault::Instead(Ok(reply(500, &[], r#"{"code":500,"message":"too large"}"#))) } else { Fault::None }
    });
    let report = run(&options(ApiVersion::V1, 1), 6, &log, &journal, &powers).unwrap();
    assert_eq!((report.taken, only(&report)), (5, ("server_error", 1)));
    assert_eq!(report.met[&Reason::ServerError], "status 500: too large");
    let (log, journal, powers) =
        played(ApiVersion::V1, |_, _, _| Fault::Instead(Ok(reply(500, &[], r#"{"message":"no database"}"#))));
    let report = run(&options(ApiVersion::V1, 1), 1000, &log, &journal, &powers).unwrap();
    assert_eq!(only(&report), ("server_error", 1000));
    assert_eq!(log.calls("post"), 8 * 5, "where none gets through, it is over after some");
}

/// Faults of every kind at random, breaks at random, many workers: whatever happens, each entry is in once.
#[test]
fn whatever_breaks_each_entry_is_in_the_log_once() {
    for (seed, api) in (1..7u64).flat_map(|seed| [(seed, ApiVersion::V1), (seed, ApiVersion::V2)]) {
        println!("seed {seed}, {api:?}");
        let dice = AtomicU64::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (mut log, mut journal, powers) = played(api, move |method, _, _| {
            let roll = dice.fetch_add(0xD134_2543_DE82_EF95, Ordering::SeqCst);
            let roll = (roll ^ roll >> 31).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            let failed = Ok(reply(500, &[], r#"{"message":"x"}"#));
            match (roll % 100, method) {
                (0..4, _) => Fault::Instead(lost()),
                (4..8, Method::Post) => Fault::After(lost()),
                (8..12, Method::Post) => Fault::After(failed),
                (12..15, _) => Fault::Instead(Ok(reply(429, &[("retry-after", "1")], ""))),
                (15..18, _) => Fault::Instead(Ok(reply(503, &[], "<html><title>503</title>"))),
                (18..20, _) => Fault::Instead(Ok(reply(200, &[], "<html><title>Welcome</title>"))),
                (20..22, Method::Get) => Fault::Instead(Ok(reply(404, &[], ""))),
                (22..24, _) => Fault::Instead(unreachable()),
                _ => Fault::None,
            }
        });
        log.is_forgetful = true;
        let entries = 300;
        for round in 0.. {
            assert!(round < 200, "it does not come to an end");
            let have = journal.receipts.lock().unwrap().len();
            journal.breaks_after = (round < 10).then_some(have + 1 + (seed as usize * 7 + round * 13) % 40);
            match run(&options(api, 8), entries, &log, &journal, &powers) {
                Ok(report) if report.remaining.is_empty() => break,
                Ok(_) | Err(UploadError::Journal(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        each_once(&log, entries);
        assert_eq!(journal.receipts.lock().unwrap().len() as u64, entries);
    }
}
