-- Text, 64-bit integers and blobs only; times are microseconds since 1970 in UTC; ids are made by the node.
-- Every primary key begins with the owner, so that a distributed database can shard by it, except two tables:
-- route says nothing of liveness and never changes, node holds what concerns the whole daemon.

CREATE TABLE node (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE route (
    kind  TEXT NOT NULL,
    id    TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE TABLE owner (
    owner           TEXT NOT NULL PRIMARY KEY,
    created_us      BIGINT NOT NULL,
    records_version BIGINT NOT NULL DEFAULT 0,
    self_record     TEXT
);

CREATE TABLE record (
    owner      TEXT NOT NULL,
    id         TEXT NOT NULL,
    n          BIGINT NOT NULL,
    type       TEXT NOT NULL,
    source_key TEXT,
    cid        TEXT NOT NULL,
    changed_us BIGINT NOT NULL,
    document   BLOB NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE UNIQUE INDEX record_order ON record (owner, n);
CREATE UNIQUE INDEX record_source ON record (owner, source_key) WHERE source_key IS NOT NULL;

CREATE TABLE record_version (
    owner       TEXT NOT NULL,
    id          TEXT NOT NULL,
    version     BIGINT NOT NULL,
    cid         TEXT NOT NULL,
    replaced_us BIGINT NOT NULL,
    document    BLOB NOT NULL,
    PRIMARY KEY (owner, id, version)
);

CREATE TABLE invitation (
    owner      TEXT NOT NULL,
    id         TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    label      TEXT NOT NULL,
    request    TEXT,
    PRIMARY KEY (owner, id)
);

CREATE TABLE relationship (
    owner      TEXT NOT NULL,
    id         TEXT NOT NULL,
    vendor     TEXT NOT NULL,
    name       TEXT NOT NULL,
    key_epoch  BIGINT NOT NULL DEFAULT 0,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (owner, id)
);

CREATE TABLE request (
    owner        TEXT NOT NULL,
    id           TEXT NOT NULL,
    relationship TEXT NOT NULL,
    cid          TEXT NOT NULL,
    status       TEXT NOT NULL,
    received_us  BIGINT NOT NULL,
    decided_us   BIGINT,
    grant_id     TEXT,
    reason       TEXT,
    document     BLOB NOT NULL,
    PRIMARY KEY (owner, id)
);

CREATE TABLE access_grant (
    owner         TEXT NOT NULL,
    id            TEXT NOT NULL,
    relationship  TEXT NOT NULL,
    request       TEXT NOT NULL,
    version       BIGINT NOT NULL,
    epoch         BIGINT NOT NULL,
    state         TEXT NOT NULL,
    not_before_us BIGINT NOT NULL,
    expires_us    BIGINT NOT NULL,
    revocations   BIGINT NOT NULL DEFAULT 0,
    log_size      BIGINT NOT NULL DEFAULT 0,
    log_range     BLOB NOT NULL,
    log_time_us   BIGINT NOT NULL DEFAULT 0,
    read_us       BIGINT,
    PRIMARY KEY (owner, id)
);
CREATE INDEX access_grant_due ON access_grant (owner, state, expires_us);

CREATE TABLE grant_version (
    owner    TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    version  BIGINT NOT NULL,
    change   TEXT NOT NULL,
    document BLOB NOT NULL,
    PRIMARY KEY (owner, grant_id, version)
);

-- The records that an item shows where it does not include new ones: fixed when the person approved it.
CREATE TABLE pin (
    owner      TEXT NOT NULL,
    grant_id   TEXT NOT NULL,
    permission TEXT NOT NULL,
    item       BIGINT NOT NULL,
    record     TEXT NOT NULL,
    PRIMARY KEY (owner, grant_id, permission, item, record)
);

CREATE TABLE usage (
    owner      TEXT NOT NULL,
    grant_id   TEXT NOT NULL,
    permission TEXT NOT NULL,
    reads      BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (owner, grant_id, permission)
);

CREATE TABLE revocation (
    owner      TEXT NOT NULL,
    grant_id   TEXT NOT NULL,
    revoked    TEXT NOT NULL,
    revoked_us BIGINT NOT NULL,
    PRIMARY KEY (owner, grant_id, revoked)
);

CREATE TABLE entry (
    owner      TEXT NOT NULL,
    grant_id   TEXT NOT NULL,
    n          BIGINT NOT NULL,
    time_us    BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    permission TEXT,
    seen_by    TEXT NOT NULL,
    salt       BLOB NOT NULL,
    leaf       BLOB NOT NULL,
    body       BLOB,
    PRIMARY KEY (owner, grant_id, n)
);

-- Hashes of complete subtrees at every fourth level: a proof reads at most 16 hashes a step, and an
-- append writes one of these for every sixteen entries.
CREATE TABLE log_node (
    owner    TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    level    BIGINT NOT NULL,
    i        BIGINT NOT NULL,
    hash     BLOB NOT NULL,
    PRIMARY KEY (owner, grant_id, level, i)
);

CREATE TABLE refusal (
    owner      TEXT NOT NULL,
    grant_id   TEXT NOT NULL,
    capability TEXT NOT NULL,
    code       TEXT NOT NULL,
    hour_us    BIGINT NOT NULL,
    count      BIGINT NOT NULL,
    body       BLOB NOT NULL,
    PRIMARY KEY (owner, grant_id, capability, code, hour_us)
);

CREATE TABLE nonce (
    owner      TEXT NOT NULL,
    digest     BLOB NOT NULL,
    expires_us BIGINT NOT NULL,
    PRIMARY KEY (owner, digest)
) WITHOUT ROWID;

CREATE TABLE draft (
    owner      TEXT NOT NULL,
    digest     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    change     TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    document   BLOB NOT NULL,
    PRIMARY KEY (owner, digest)
);

CREATE TABLE owner_action (
    owner   TEXT NOT NULL,
    n       BIGINT NOT NULL,
    time_us BIGINT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    PRIMARY KEY (owner, n)
);
