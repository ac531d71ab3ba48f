-- The store's first schema. Read by SQLite as it is; Postgres needs `CREATE DOMAIN blob AS bytea` before.
-- Times are RFC 3339 text, numbers 64 bits, releases 'namespace/name' inside their cluster.

CREATE TABLE store (
    uuid        TEXT    NOT NULL,
    schema      BIGINT  NOT NULL,
    incarnation BIGINT  NOT NULL,              -- += 1 when the store is restored or copied
    created     TEXT    NOT NULL
);

CREATE TABLE claim (
    cluster     TEXT    NOT NULL PRIMARY KEY,
    epoch       BIGINT  NOT NULL,              -- += 1 at each takeover; appends carry it
    run         TEXT    NOT NULL,
    holder      TEXT    NOT NULL,              -- JSON
    lease_seen  TEXT
);

CREATE TABLE entry (                           -- append-only: triggers refuse UPDATE and DELETE
    cluster     TEXT    NOT NULL,
    seq         BIGINT  NOT NULL,              -- from 1, without gaps
    run         TEXT    NOT NULL,
    release     TEXT,
    attempt     BIGINT,
    epoch       BIGINT  NOT NULL,
    kind        TEXT    NOT NULL,
    body        BLOB    NOT NULL,              -- canonical JSON; images by digest only
    prev        BLOB    NOT NULL,              -- hash of the entry before
    hash        BLOB    NOT NULL,
    at          TEXT    NOT NULL,
    PRIMARY KEY (cluster, seq)
);
CREATE INDEX entry_release ON entry (cluster, release, attempt, seq);

CREATE TABLE image (                           -- content-addressed
    digest      BLOB    NOT NULL PRIMARY KEY,  -- SHA-256 of the bytes before compression
    codec       TEXT    NOT NULL,
    key_id      TEXT,                          -- set where the bytes are sealed
    bytes       BLOB    NOT NULL
);

CREATE TABLE attempt (                         -- projection of the entries, same transaction
    cluster     TEXT    NOT NULL,
    release     TEXT    NOT NULL,
    attempt     BIGINT  NOT NULL,
    run         TEXT    NOT NULL,
    job         TEXT    NOT NULL,
    direction   TEXT    NOT NULL,
    stage       TEXT    NOT NULL,
    outcome     TEXT,                          -- JSON; NULL while open
    token       TEXT    NOT NULL,
    last_seq    BIGINT  NOT NULL,
    PRIMARY KEY (cluster, release, attempt)
);
CREATE UNIQUE INDEX one_open ON attempt (cluster, release) WHERE outcome IS NULL;
CREATE INDEX attempt_run ON attempt (run);

CREATE TABLE head (                            -- anchors of the chain, signed or shown elsewhere
    run         TEXT    NOT NULL,
    cluster     TEXT    NOT NULL,
    seq         BIGINT  NOT NULL,
    hash        BLOB    NOT NULL,
    signature   BLOB,
    PRIMARY KEY (run, cluster, seq)
);

CREATE TABLE run (
    run         TEXT    NOT NULL PRIMARY KEY,
    fleet       TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    holder      TEXT    NOT NULL,              -- JSON
    started     TEXT    NOT NULL,
    plan_digest TEXT    NOT NULL,
    plan_codec  TEXT    NOT NULL,
    plan        BLOB    NOT NULL
);
