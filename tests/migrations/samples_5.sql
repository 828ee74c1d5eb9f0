-- What version 5 added to a table.
UPDATE grants SET delivery = 'sent' WHERE serial = 1;
