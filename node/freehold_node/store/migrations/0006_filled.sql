-- Parts of files that were put into a record that was there already: the same file again is known by them.
CREATE TABLE record_filled (
    owner      TEXT NOT NULL,
    source_key TEXT NOT NULL,
    record     TEXT NOT NULL,
    PRIMARY KEY (owner, source_key)
);
CREATE INDEX record_filled_record ON record_filled (owner, record);
