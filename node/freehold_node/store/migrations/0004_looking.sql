-- What the person's own pages ask for: the ledger over all grants by time, and records by type and by what they are
-- called.

-- Holds every column that entries are counted or chosen by, so that only those which are shown are looked up; times
-- only grow, so an append goes to its end.
CREATE INDEX entry_time ON entry (owner, time_us, grant_id, n, kind, permission);

-- What a record is found and sorted by: what the person calls it, in the form in which texts are compared. NULL until
-- the node has filled it in, after this migration.
ALTER TABLE record ADD COLUMN sought TEXT;
CREATE INDEX record_type ON record (owner, type, n, sought);
CREATE INDEX record_sought ON record (owner, sought, n, type);
