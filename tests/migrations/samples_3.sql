-- What version 3 added to tables.
INSERT INTO requests (id, state, requester_account, requester_person, beneficiary_account, beneficiary_person, resource, spec, spec_hash, reason, origin, card_place, approvals_needed, version, submitted_at, pending_until, decided_at, extends, extends_from, extension_state) VALUES ('r0000000005', 'approved', 'slack:T1/U1', 'alice', 'slack:T1/U1', 'alice', 'staging-ssh', '{"resource":"staging-ssh"}', 'a5bbbf573f3d124ce0d0ef49e4d75011a977cbb8fcb18befb28195e94f8ee9d0', 'not done', 'slack:T1/C1', 'slack:T1/C1', 1, 1, 3000, 5000, 3500, 'g0000000002', 6000, 'waiting');
UPDATE decisions SET why = 'not today' WHERE request = 'r0000000002';
UPDATE cards SET told_upto = 2;
