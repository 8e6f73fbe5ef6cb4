-- Which passkey opened a session: the sessions of one that is taken no more end with it. Of those that were opened before
-- nobody knows, so they end now; who was signed in signs in again.
ALTER TABLE session ADD COLUMN passkey TEXT;
DELETE FROM session;
