-- Public SSH keys that people gave in chat, and the zone that they set there; and what is found of more
-- time by the access that it is of.

CREATE TABLE public_keys (
    account    TEXT    NOT NULL PRIMARY KEY,
    -- The line of a .pub file, without its comment; none once it is forgotten.
    key        TEXT,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX public_keys_by_key ON public_keys (key);

-- IANA name; none where the platform did not tell.
ALTER TABLE directory_accounts ADD COLUMN time_zone TEXT;

-- The thread of a card tells of later ends, which belong to requests of their own.
CREATE INDEX audit_extended_by_grant ON audit (json_extract(body, '$.grant'), seq)
    WHERE json_extract(body, '$.kind') = 'extended';
