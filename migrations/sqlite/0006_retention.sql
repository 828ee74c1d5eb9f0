-- Whole segments of the record can be removed, from its beginning on; what stays of each is its head.
--
-- PostgreSQL has the same table; the triggers are functions there.

-- Each row is a run of entries that is no longer there. `prev` is what its first entry named before it,
-- `hash` that of its last, `entry` the number of the entry that tells of the removal, and `seal` binds
-- the row to the one before it and is in that entry.
CREATE TABLE audit_segments (
    from_seq INTEGER NOT NULL PRIMARY KEY,
    to_seq   INTEGER NOT NULL UNIQUE,
    prev     TEXT    NOT NULL,
    hash     TEXT    NOT NULL,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    entry    INTEGER NOT NULL UNIQUE,
    seal     TEXT    NOT NULL,
    CONSTRAINT segment_covers_forward CHECK (from_seq >= 1 AND to_seq >= from_seq),
    CONSTRAINT segment_moments_in_order CHECK (last_at >= first_at),
    CONSTRAINT segment_told_afterwards CHECK (entry > to_seq),
    CONSTRAINT segment_hash_forms CHECK (length(prev) = 64 AND length(hash) = 64 AND length(seal) = 64)
) STRICT;

-- From the beginning on, without gaps, as the entries are, never the newest, and told by the next one.
CREATE TRIGGER audit_segment_is_the_oldest BEFORE INSERT ON audit_segments
WHEN NEW.from_seq <> (SELECT coalesce(max(to_seq), 0) + 1 FROM audit_segments)
    OR NEW.prev IS NOT (SELECT prev FROM audit WHERE seq = NEW.from_seq)
    OR NEW.hash IS NOT (SELECT hash FROM audit WHERE seq = NEW.to_seq)
    OR NEW.entry IS NOT (SELECT max(seq) + 1 FROM audit)
BEGIN
    SELECT RAISE(ABORT, 'only the oldest segment of the record can be removed, with its true head');
END;

CREATE TRIGGER audit_segment_is_not_edited BEFORE UPDATE ON audit_segments
BEGIN
    SELECT RAISE(ABORT, 'the head of a removed segment is never edited');
END;

CREATE TRIGGER audit_segment_is_not_deleted BEFORE DELETE ON audit_segments
BEGIN
    SELECT RAISE(ABORT, 'the head of a removed segment is never deleted');
END;

DROP TRIGGER audit_is_not_deleted;

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
WHEN NOT EXISTS (SELECT 1 FROM audit_segments WHERE OLD.seq BETWEEN from_seq AND to_seq)
BEGIN
    SELECT RAISE(ABORT, 'an entry of the record is never deleted but with its whole segment');
END;

-- What was taken up last, at a start or later; a removed segment hands on what it said.
CREATE INDEX audit_taken_up ON audit (seq)
    WHERE json_extract(body, '$.kind') IN ('started', 'reloaded', 'segment_removed');

-- What was given up so long ago goes too.
CREATE INDEX jobs_given_up_by_order ON jobs (ordered_at) WHERE state = 'given_up';
