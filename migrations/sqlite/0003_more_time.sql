-- More time for access that is held: a request of its own kind, which names the grant. And why a
-- request was denied.
--
-- `extends_from` is the end that held when it was asked; `extension_state` what became of it.

ALTER TABLE requests ADD COLUMN extends TEXT REFERENCES grants (id);
ALTER TABLE requests ADD COLUMN extends_from INTEGER
    CONSTRAINT request_extends_from_an_end CHECK ((extends IS NULL) = (extends_from IS NULL));
ALTER TABLE requests ADD COLUMN extension_state TEXT
    CONSTRAINT request_extension_state_known CHECK (
        (extends IS NULL) = (extension_state IS NULL)
        AND (extension_state IS NULL OR extension_state IN ('waiting', 'given', 'not_given')));

CREATE INDEX requests_extending ON requests (extends) WHERE extends IS NOT NULL;

ALTER TABLE decisions ADD COLUMN why TEXT;

CREATE INDEX grants_live_by_resource ON grants (resource)
    WHERE state NOT IN ('ended', 'failed', 'cancelled');

-- Up to which entry of the record a card's thread tells what happened.
ALTER TABLE cards ADD COLUMN told_upto INTEGER NOT NULL DEFAULT 0;
CREATE INDEX audit_by_request ON audit (json_extract(body, '$.request'), seq)
    WHERE json_extract(body, '$.request') IS NOT NULL;
