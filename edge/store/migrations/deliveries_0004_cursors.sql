-- One cursor for each city: both read the same ledger, each at its own pace.
CREATE TABLE cursors (
    city TEXT    PRIMARY KEY,
    seq  INTEGER NOT NULL
) STRICT;
INSERT INTO cursors (city, seq) SELECT 'qingdao', seq FROM cursor WHERE seq > 0;
DROP TABLE cursor;
