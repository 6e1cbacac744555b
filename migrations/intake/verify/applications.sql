-- Verify intake:applications on pg
BEGIN;
\set schema intake
\set role shikaku_intake
\ir ../../chassis/verify.sql
SELECT manager, application, receipt, programme, procedure, channel, manifest_sha256, signer_sha256, document, signature,
    portal_pseudonym, person, pseudonym, received_at, confirmed, comparison, residence_result, family_result, domicile, fee,
    fee_state, charge, pay_url, entry, version, registration_number, fields, certificate FROM intake.application WHERE false;
SELECT application, manager, state, resume, due_at, lease_until, attempt FROM intake.queue WHERE false;
SELECT receipt, application, manager, portal_token FROM intake.directory WHERE false;
SELECT manager, application, position, state, at, who, code, reason FROM intake.history WHERE false;
SELECT manager, application, kind, method, amount, reference, at FROM intake.fee_entry WHERE false;
SELECT sha256, content, size, received_at FROM intake.piece WHERE false;
ROLLBACK;
