-- Browsers in which the person is signed in to the dashboard, and the passkeys they may sign in with. Of the secret
-- in a browser's cookie only the digest is kept.
CREATE TABLE session (
    owner      TEXT NOT NULL,
    id         TEXT NOT NULL,
    digest     BLOB NOT NULL,
    device     TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    seen_us    BIGINT NOT NULL,
    proved_us  BIGINT NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE UNIQUE INDEX session_digest ON session (owner, digest);

CREATE TABLE passkey (
    owner      TEXT NOT NULL,
    id         TEXT NOT NULL,
    name       TEXT NOT NULL,
    credential BLOB NOT NULL,
    created_us BIGINT NOT NULL,
    used_us    BIGINT,
    PRIMARY KEY (owner, id)
);
