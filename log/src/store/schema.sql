-- The log's database, schema 1. One file is one log (one epoch of one origin).
-- Every value here is either covered by the Merkle tree, derived from what is, or carries a digest or a sum (sums.rs):
-- `log fsck` recomputes all of it and names the first thing that does not fit.

-- Who this log is. `digest` = SHA-256 over the other columns (see identity_digest); compared at every open.
CREATE TABLE identity (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    origin  TEXT    NOT NULL,
    tree_id INTEGER NOT NULL CHECK (tree_id > 0),
    p256    BLOB    NOT NULL,                            -- SPKI DER: signs v1 checkpoints and entry timestamps
    ed25519 BLOB    NOT NULL,                            -- SPKI DER: signs C2SP checkpoints
    created INTEGER NOT NULL CHECK (created >= 0),       -- seconds since the epoch; the log key is valid from here
    digest  BLOB    NOT NULL CHECK (length(digest) = 32)
) STRICT;

-- The commit point. `tail` holds the hashes that no full tile holds yet; its counts are the base-16 digits of `size`,
-- and the root follows from it alone. Every append updates this row WHERE size = what it read.
CREATE TABLE state (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    size        INTEGER NOT NULL CHECK (size >= 0),
    tail        BLOB    NOT NULL,
    fresh_first INTEGER NOT NULL CHECK (fresh_first >= 0),   -- entries from here on are indexed by `fresh`, not by a run
    fresh_rows  INTEGER NOT NULL CHECK (fresh_rows >= 0),
    time_digest BLOB    NOT NULL CHECK (length(time_digest) = 16),  -- of the newest row of `integrated`; zeros where none is
    released    INTEGER NOT NULL CHECK (released >= 0)               -- the newest row of `checkpoint`; 0 where none is
) STRICT;

-- Full tiles of sixteen with their interior nodes, immutable. id = stratum << 48 | tile number.
CREATE TABLE tile (
    id     INTEGER PRIMARY KEY,
    hashes BLOB NOT NULL CHECK (length(hashes) = 960)
) STRICT;

-- Signers' public keys, append-only. id counts from 0, so that the first costs no byte in a row.
CREATE TABLE signer (
    id   INTEGER PRIMARY KEY,
    spki BLOB NOT NULL UNIQUE
) STRICT;

-- Predicate types. Ids below 16 are the control entries of this log, in the order of CONTROL_TYPES. `filed` says how many
-- entries are filed under such an id: one whose number was changed is missed. Of the others nobody counts, and it is 0.
CREATE TABLE predicate (
    id    INTEGER PRIMARY KEY,
    uri   TEXT    NOT NULL UNIQUE,
    filed INTEGER NOT NULL DEFAULT 0 CHECK (filed >= 0)
) STRICT;

-- Compression dictionaries, append-only. id counts from 1; 0 in a row means none.
CREATE TABLE dictionary (
    id     INTEGER PRIMARY KEY CHECK (id > 0),
    bytes  BLOB NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT;

-- One row an entry, in the form that gives the leaf back byte for byte (forms.rs): 0 the leaf itself,
-- 1 the envelope's exact text, 2 payload and raw signature, where our rendering of them is the envelope's exact text.
CREATE TABLE entry (
    idx        INTEGER PRIMARY KEY CHECK (idx >= 0),
    form       INTEGER NOT NULL CHECK (form BETWEEN 0 AND 2),     -- a list of three would build a table an entry
    signer     INTEGER NOT NULL,
    predicate  INTEGER NOT NULL,
    dictionary INTEGER NOT NULL,
    body       BLOB    NOT NULL,
    sum        INTEGER NOT NULL CHECK (sum BETWEEN 0 AND 255)
) STRICT;

-- Finds the log's own decisions without reading the log. Costs nothing for ordinary entries.
CREATE INDEX control ON entry (predicate, idx) WHERE predicate < 16;

-- integratedTime, one value a commit, a row only where it changes: entries from `first` on, until the next row.
-- `digest` chains over (previous digest, first, time): nothing else covers this value.
CREATE TABLE integrated (
    first  INTEGER PRIMARY KEY CHECK (first >= 0),
    time   INTEGER NOT NULL CHECK (time >= 0),
    digest BLOB    NOT NULL CHECK (length(digest) = 16)
) STRICT;

-- Stored signed entry timestamps. Empty until a log key retires: until then each is derived again (RFC 6979).
CREATE TABLE entry_timestamp (
    idx       INTEGER PRIMARY KEY,
    signature BLOB NOT NULL
) STRICT;

-- Index pairs (key, index) of commits that no run holds yet, one row a commit; `first` is its first new index.
CREATE TABLE fresh (
    first       INTEGER PRIMARY KEY,
    leaf        BLOB    NOT NULL,
    leaf_sum    INTEGER NOT NULL,
    subject     BLOB    NOT NULL,
    subject_sum INTEGER NOT NULL
) STRICT;

-- Sorted runs of index pairs over a contiguous range of entries, cut into buckets by the key's top bits.
CREATE TABLE run (
    id           INTEGER PRIMARY KEY,
    first        INTEGER NOT NULL,
    entries      INTEGER NOT NULL CHECK (entries > 0),
    leaf_bits    INTEGER NOT NULL,
    subject_bits INTEGER NOT NULL,
    subjects     INTEGER NOT NULL,
    sum          INTEGER NOT NULL
) STRICT;

-- id = run << 25 | kind << 24 | bucket; kind 0 = leaf hash, 1 = subject digest. Empty buckets have a row too: one that is
-- not there is damage, never a "not found".
CREATE TABLE bucket (
    id    INTEGER PRIMARY KEY,
    pairs BLOB    NOT NULL,
    sum   INTEGER NOT NULL
) STRICT;

-- Every checkpoint that was ever released: its two signatures. The texts follow from `size`.
-- The newest may still be missing here and lie in head.note; it rides the next commit.
CREATE TABLE checkpoint (
    size   INTEGER PRIMARY KEY CHECK (size > 0),
    before INTEGER NOT NULL CHECK (before BETWEEN 0 AND size - 1),   -- the row that this one follows; 0 for the first
    v1     BLOB    NOT NULL,                                         -- ECDSA P-256, ASN.1 DER
    c2sp   BLOB    NOT NULL CHECK (length(c2sp) = 64)                -- Ed25519
) STRICT;

-- What the log's own entries say of single ones towards other logs (sent.rs). The three tables follow from those entries.
CREATE TABLE target (
    id   INTEGER PRIMARY KEY CHECK (id >= 0),
    name TEXT    NOT NULL UNIQUE
) STRICT;

-- The first receipt of an entry and target: `entry` says so, `uuid` is the id there.
CREATE TABLE sent (
    target INTEGER NOT NULL,
    idx    INTEGER NOT NULL,
    entry  INTEGER NOT NULL,
    uuid   BLOB    NOT NULL CHECK (length(uuid) IN (32, 40)),
    sum    INTEGER NOT NULL,
    PRIMARY KEY (target, idx)
) STRICT, WITHOUT ROWID;

-- The last exception of an entry and target: `entry` says so; no reason where it was released. Under the name `default` it is
-- about every target; of that and the target's own the one of the later entry holds.
CREATE TABLE exempt (
    target INTEGER NOT NULL,
    idx    INTEGER NOT NULL,
    entry  INTEGER NOT NULL,
    reason TEXT,
    sum    INTEGER NOT NULL,
    PRIMARY KEY (target, idx)
) STRICT, WITHOUT ROWID;

-- The receipts' texts, as Zstandard frames; their digests stand in the receipts and anchor entries. Material: one may be
-- missing. id = target << 40 | the entry that it is of, or the anchor's own entry.
CREATE TABLE receipt (
    id   INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

-- Time stamp tokens over the signatures of entries that `sent` has, as Zstandard frames with their own sum (stamped.rs). Material
-- as well, and of it no entry speaks: a token proves itself. id as in `receipt`.
CREATE TABLE timestamp (
    id   INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;
