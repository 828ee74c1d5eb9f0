-- The directory: whether people are still there, what is wrong with a group, how asking goes; and a
-- grant that ends because somebody left.
--
-- PostgreSQL drops and adds the one changed CHECK of grants. SQLite can't, so grants is made anew, and
-- with it grant_holdings, which refers to it.

-- What a group lost that security was told of: `doubted` until a second look, `emptied` once confirmed.
ALTER TABLE directory_groups ADD COLUMN trouble TEXT
    CONSTRAINT directory_group_trouble_known CHECK (trouble IS NULL OR trouble IN ('doubted', 'emptied'));
ALTER TABLE directory_groups ADD COLUMN trouble_since INTEGER
    CONSTRAINT directory_group_trouble_has_since CHECK ((trouble IS NULL) = (trouble_since IS NULL));

CREATE INDEX directory_members_by_account ON directory_members (account);

-- Accounts that somebody needed to know of; without a status until the platform was asked.
CREATE TABLE directory_accounts (
    account    TEXT    NOT NULL PRIMARY KEY,
    status     TEXT,
    fetched_at INTEGER,
    wanted_at  INTEGER NOT NULL,
    CONSTRAINT directory_account_status_known CHECK (status IS NULL OR status IN (
        'member', 'guest', 'external', 'bot', 'deactivated', 'not_found')),
    CONSTRAINT directory_account_status_has_time CHECK ((status IS NULL) = (fetched_at IS NULL))
) STRICT;

-- How asking a platform goes.
CREATE TABLE directory_sources (
    source        TEXT    NOT NULL PRIMARY KEY,
    failing_since INTEGER,
    told          INTEGER NOT NULL,
    wait_until    INTEGER,
    CONSTRAINT directory_source_told_yes_or_no CHECK (told IN (0, 1)),
    CONSTRAINT directory_source_told_of_failing CHECK (told = 0 OR failing_since IS NOT NULL)
) STRICT;

CREATE TABLE new_grants (
    serial              INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id                  TEXT    NOT NULL UNIQUE,
    request             TEXT    NOT NULL UNIQUE REFERENCES requests (id),
    state               TEXT    NOT NULL,
    beneficiary_account TEXT    NOT NULL,
    beneficiary_person  TEXT,
    resource            TEXT    NOT NULL,
    issuer              TEXT    NOT NULL,
    spec                TEXT    NOT NULL,
    spec_hash           TEXT    NOT NULL,
    approved_at         INTEGER NOT NULL,
    activate_by         INTEGER NOT NULL,
    end_by              INTEGER NOT NULL,
    deadline            INTEGER,
    native_deadline     INTEGER,
    active_at           INTEGER,
    handle              TEXT,
    ending_reason       TEXT,
    ending_account      TEXT,
    ending_person       TEXT,
    ending_at           INTEGER,
    revoke_failures     INTEGER NOT NULL,
    stuck_since         INTEGER,
    ended_at            INTEGER,
    evidence            TEXT,
    unsettled_since     INTEGER,
    ending_why          TEXT,
    CONSTRAINT grant_id_is_its_requests CHECK (
        length(id) = 11 AND substr(id, 1, 1) = 'g' AND substr(id, 2) = substr(request, 2)),
    CONSTRAINT grant_state_known CHECK (state IN (
        'scheduled', 'issuing', 'active', 'unknown', 'revoking', 'stuck', 'ended', 'failed', 'cancelled')),
    CONSTRAINT grant_spec_hash_form CHECK (length(spec_hash) = 64),
    CONSTRAINT grant_end_after_approval CHECK (end_by >= approved_at),
    -- The target is never called before both deadlines stand.
    CONSTRAINT grant_called_has_deadline CHECK (
        (state IN ('scheduled', 'cancelled')) = (deadline IS NULL)),
    CONSTRAINT grant_both_deadlines CHECK ((deadline IS NULL) = (native_deadline IS NULL)),
    CONSTRAINT grant_deadline_not_past_end CHECK (deadline IS NULL OR deadline <= end_by),
    CONSTRAINT grant_active_was_seen CHECK (state <> 'active' OR active_at IS NOT NULL),
    CONSTRAINT grant_ending_reason_known CHECK (ending_reason IS NULL OR ending_reason IN (
        'deadline', 'done', 'revoked', 'left', 'not_activated', 'refused_at_activation', 'issue_failed',
        'seen_again')),
    CONSTRAINT grant_ending_ordered CHECK (
        state NOT IN ('revoking', 'stuck', 'ended', 'cancelled') OR ending_reason IS NOT NULL),
    CONSTRAINT grant_live_has_no_ending CHECK (
        state NOT IN ('scheduled', 'issuing', 'active', 'unknown') OR ending_reason IS NULL),
    CONSTRAINT grant_ending_whole CHECK (
        (ending_reason IS NULL) = (ending_at IS NULL)
        AND (ending_reason IS NOT NULL OR ending_account IS NULL)
        AND (ending_account IS NOT NULL OR ending_person IS NULL)),
    CONSTRAINT grant_failures_counted CHECK (revoke_failures >= 0),
    CONSTRAINT grant_stuck_has_since CHECK ((state = 'stuck') = (stuck_since IS NOT NULL)),
    CONSTRAINT grant_over_has_time CHECK (
        (state IN ('ended', 'failed', 'cancelled')) = (ended_at IS NOT NULL)),
    CONSTRAINT grant_ended_has_evidence CHECK ((state = 'ended') = (evidence IS NOT NULL)),
    CONSTRAINT grant_evidence_known CHECK (evidence IS NULL OR evidence IN (
        'seen_gone', 'expired_at_target', 'told_only', 'settled'))
) STRICT;

INSERT INTO new_grants (serial, id, request, state, beneficiary_account, beneficiary_person, resource,
    issuer, spec, spec_hash, approved_at, activate_by, end_by, deadline, native_deadline, active_at,
    handle, ending_reason, ending_account, ending_person, ending_at, revoke_failures, stuck_since,
    ended_at, evidence, unsettled_since, ending_why)
SELECT serial, id, request, state, beneficiary_account, beneficiary_person, resource,
    issuer, spec, spec_hash, approved_at, activate_by, end_by, deadline, native_deadline, active_at,
    handle, ending_reason, ending_account, ending_person, ending_at, revoke_failures, stuck_since,
    ended_at, evidence, unsettled_since, ending_why
FROM grants ORDER BY serial;

CREATE TABLE new_grant_holdings (
    grant_id TEXT    NOT NULL REFERENCES new_grants (id),
    holding  INTEGER NOT NULL REFERENCES holdings (id),
    PRIMARY KEY (grant_id, holding)
) STRICT;

INSERT INTO new_grant_holdings (grant_id, holding) SELECT grant_id, holding FROM grant_holdings;

DROP TABLE grant_holdings;
-- Serials go on where they stood: they are in certificates.
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'grants')
    WHERE name = 'new_grants' AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'grants');
DROP TABLE grants;
-- Renaming carries the reference of the holdings along.
ALTER TABLE new_grants RENAME TO grants;
ALTER TABLE new_grant_holdings RENAME TO grant_holdings;

CREATE INDEX grants_by_state ON grants (state, serial);
CREATE INDEX grants_live_by_beneficiary ON grants (beneficiary_account)
    WHERE state NOT IN ('ended', 'failed', 'cancelled');
CREATE INDEX grants_live_by_issuer ON grants (issuer)
    WHERE state NOT IN ('ended', 'failed', 'cancelled');
CREATE INDEX grants_ordered_ends ON grants (issuer, native_deadline)
    WHERE ending_reason IS NOT NULL AND native_deadline IS NOT NULL;
CREATE INDEX grant_holdings_by_holding ON grant_holdings (holding);
