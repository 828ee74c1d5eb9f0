-- A row in each table that version 4 added, and what it added to others.
INSERT INTO public_keys (account, key, changed_at) VALUES ('slack:T1/U3', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG3xTfrgORydyD9ldROzGU8MwROORC6xZmCItr0zKpcB', 1000);
UPDATE directory_accounts SET time_zone = 'Europe/Berlin';
