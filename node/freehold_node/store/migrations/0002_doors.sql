-- Strangers' clients, caveats, partners, events, vendors of did:web, and grants that move.

-- The keys of a vendor's DID document (JSON: use to verification method to Multikey) that it was pinned to, and those
-- that were seen since and wait for the person's word. Both empty for a did:key.
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

-- One row for each admitted read under a link that carries a limit on their rate, as long as it may count.
CREATE TABLE counted_read (
    owner    TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    link     TEXT NOT NULL,
    n        BIGINT NOT NULL,
    time_us  BIGINT NOT NULL,
    PRIMARY KEY (owner, grant_id, link, n)
) WITHOUT ROWID;

-- Links to partners that were used, for the person to see who passed on what to whom; branch is the partner whom the
-- vendor chose, reads counts those under this link if a caveat of it limits their number.
CREATE TABLE link (
    owner      TEXT NOT NULL,
    grant_id   TEXT NOT NULL,
    digest     TEXT NOT NULL,
    branch     TEXT NOT NULL,
    parent     TEXT NOT NULL,
    expires_us BIGINT NOT NULL,
    seen_us    BIGINT NOT NULL,
    reads      BIGINT NOT NULL DEFAULT 0,
    document   BLOB NOT NULL,
    PRIMARY KEY (owner, grant_id, digest)
);

-- "Changed, read again", told from due_us on. Of each permission the newest that is due and the newest that is not
-- yet; without a permission: the grant has a new version, which stands for everything before it.
CREATE TABLE event (
    owner      TEXT NOT NULL,
    grant_id   TEXT NOT NULL,
    n          BIGINT NOT NULL,
    permission TEXT,
    due_us     BIGINT NOT NULL,
    PRIMARY KEY (owner, grant_id, n)
);

-- Keys of partners with a DID document, pinned at first sight; and, as of vendors, those that wait.
CREATE TABLE partner_key (
    owner    TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    did      TEXT NOT NULL,
    keys     TEXT NOT NULL,
    offered  TEXT NOT NULL DEFAULT '',
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

-- What shows a record is found by the record, whenever it is written.
CREATE INDEX pin_record ON pin (owner, record);
