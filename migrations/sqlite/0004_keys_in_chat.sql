-- Public SSH keys that people gave in chat, and the zone that they set there.

CREATE TABLE public_keys (
    account  TEXT    NOT NULL PRIMARY KEY,
    -- The line of a .pub file, without its comment.
    key      TEXT    NOT NULL,
    given_at INTEGER NOT NULL
) STRICT;

CREATE INDEX public_keys_by_key ON public_keys (key);

-- IANA name; none where the platform did not tell.
ALTER TABLE directory_accounts ADD COLUMN time_zone TEXT;
