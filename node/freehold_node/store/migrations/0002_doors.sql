-- Strangers' clients, caveats, partners, events, vendors of did:web, and grants that move.

-- The keys of a vendor's DID document (JSON: verification method to Multikey) that it was pinned to, and those that
-- were seen since and wait for the person's word. Both empty for a did:key.
ALTER TABLE relationship ADD COLUMN vendor_keys TEXT NOT NULL DEFAULT '';
ALTER TABLE relationship ADD COLUMN offered_keys TEXT NOT NULL DEFAULT '';

-- Which of the relationship's keys the standing version names: a grant that is over keeps those it had. Origins that
-- moved statements added, separated by spaces; and the number of the last event.
ALTER TABLE access_grant ADD COLUMN key_epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE access_grant ADD COLUMN moved TEXT NOT NULL DEFAULT '';
ALTER TABLE access_grant ADD COLUMN events BIGINT NOT NULL DEFAULT 0;

-- What a message without a nonce of its own led to, for the same bytes when they come again: the number of its entry,
-- or the status of a write.
ALTER TABLE nonce ADD COLUMN outcome BIGINT;

-- One row for each admitted read that a rate counts, by permission or by the link that carries the caveat.
CREATE TABLE counted_read (
    owner    TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    counter  TEXT NOT NULL,
    n        BIGINT NOT NULL,
    time_us  BIGINT NOT NULL,
    PRIMARY KEY (owner, grant_id, counter, n)
) WITHOUT ROWID;

-- Links of chains that were used, for the person to see who delegated what to whom.
CREATE TABLE link (
    owner      TEXT NOT NULL,
    grant_id   TEXT NOT NULL,
    digest     TEXT NOT NULL,
    parent     TEXT,
    controller TEXT NOT NULL,
    expires_us BIGINT NOT NULL,
    seen_us    BIGINT NOT NULL,
    document   BLOB NOT NULL,
    PRIMARY KEY (owner, grant_id, digest)
);

-- "Changed, read again", told from due_us on.
CREATE TABLE event (
    owner      TEXT NOT NULL,
    grant_id   TEXT NOT NULL,
    n          BIGINT NOT NULL,
    permission TEXT,
    due_us     BIGINT NOT NULL,
    PRIMARY KEY (owner, grant_id, n)
);

-- Keys of partners with a DID document, pinned at first sight.
CREATE TABLE partner_key (
    owner    TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    did      TEXT NOT NULL,
    keys     TEXT NOT NULL,
    seen_us  BIGINT NOT NULL,
    PRIMARY KEY (owner, grant_id, did)
);

-- What the person signed about a grant beside its versions: moved and restored statements.
CREATE TABLE statement (
    owner    TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    n        BIGINT NOT NULL,
    document BLOB NOT NULL,
    PRIMARY KEY (owner, grant_id, n)
);
