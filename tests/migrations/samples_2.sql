-- A row in each table that version 2 added, and what it added to others.
UPDATE directory_groups SET trouble = 'doubted', trouble_since = 950;
INSERT INTO directory_accounts (account, status, fetched_at, wanted_at) VALUES ('slack:T1/U2', 'member', 900, 800);
INSERT INTO directory_sources (source, failing_since, told, wait_until) VALUES ('slack', 900, 1, 950);
