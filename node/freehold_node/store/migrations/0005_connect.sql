-- A request that the person's browser carried: the vendor learns of an approval with the code that the browser brings
-- back, of which only a digest is kept, and only until it was used once.
ALTER TABLE request ADD COLUMN carried BIGINT NOT NULL DEFAULT 0;
ALTER TABLE request ADD COLUMN code_digest BLOB;
ALTER TABLE request ADD COLUMN code_until_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE request ADD COLUMN claimed_us BIGINT;
CREATE INDEX request_cid ON request (owner, cid);
