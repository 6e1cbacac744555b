/* The log takes every record of use once and in order, and whatever is done to it afterwards shows against the witness.
 */
#include "audit/record_cover.h"
#include "store/audit.h"

/* LOG-1 */
START_TEST(a_log_that_nobody_touched_is_whole)
{
    struct worker one, two;
    worker_init(&one, 1);
    worker_init(&two, 2);
    records_make(&one, 30);
    records_make(&two, 7);
    ck_assert_uint_eq(relay(&one, 0, 13).through, 13);
    sign();
    ck_assert_uint_eq(relay(&two, 0, 7).through, 7);
    ck_assert_uint_eq(relay(&one, 13, 30).through, 30);
    sign();
    struct verdict verdict = verify();
    ck_assert_msg(verdict.whole, "%s", verdict.finding);
    ck_assert_uint_eq(verdict.events, 37);
    ck_assert_uint_eq(verdict.heads, 2);
    ck_assert_uint_eq(verdict.uncovered, 0);
}
END_TEST

/* LOG-1: what is sent again, in whole or in part, is in the log once */
START_TEST(records_sent_again_are_taken_once)
{
    struct worker one;
    worker_init(&one, 1);
    records_make(&one, 20);
    relay(&one, 0, 10);
    ck_assert_uint_eq(relay(&one, 0, 10).through, 10);
    ck_assert_uint_eq(relay(&one, 5, 20).through, 20);
    ck_assert_uint_eq(relay(&one, 0, 3).through, 20);
    sign();
    struct verdict verdict = verify();
    ck_assert_msg(verdict.whole, "%s", verdict.finding);
    ck_assert_uint_eq(verdict.events, 20);
}
END_TEST

/* LOG-1: a record that was taken away before it was relayed */
START_TEST(a_gap_is_refused)
{
    struct worker one;
    worker_init(&one, 1);
    records_make(&one, 10);
    relay(&one, 0, 4);
    struct audit_chain chain = relay(&one, 5, 10);
    ck_assert(chain.broken);
    ck_assert_uint_eq(chain.through, 4);
    ck_assert_uint_eq(verify().events, 4);
}
END_TEST

/* LOG-1: what is no event is not taken, nor what follows it */
START_TEST(what_is_no_event_is_refused)
{
    struct worker one;
    worker_init(&one, 1);
    records_make(&one, 10);
    one.sent[6].event = arena_copy(arena, "another", 7);
    struct audit_chain chain = relay(&one, 0, 10);
    ck_assert(chain.broken);
    ck_assert_uint_eq(chain.through, 6);
    ck_assert_uint_eq(verify().events, 6);
}
END_TEST

/* LOG-1: the records before the end were made anew, with links that agree among themselves */
START_TEST(a_chain_made_anew_is_refused)
{
    struct worker one, other;
    worker_init(&one, 1);
    records_make(&one, 5);
    relay(&one, 0, 5);
    worker_init(&other, 1);
    Audit__Event event = event_of("tanaka", "intake_view", "person-9", "application-9");
    for (int i = 0; i < 6; i++)
        event_link(&other, event_pack(&event));
    ck_assert(relay(&other, 0, 5).broken);
    ck_assert(relay(&other, 5, 6).broken);
    ck_assert_uint_eq(verify().events, 5);
}
END_TEST

/* LOG-1: whatever is lacking of a chain, an operator lets it go on, and the verifier says for ever what is missing; the
 * rest is held against the witness as before */
START_TEST(a_gap_is_released_and_stays_known)
{
    struct worker one, two;
    worker_init(&one, 1);
    worker_init(&two, 2);
    records_make(&one, 10);
    records_make(&two, 6);
    two.sent[3].event = arena_copy(arena, "another", 7);
    relay(&one, 0, 4);
    struct audit_chain chain = relay(&one, 6, 10);
    ck_assert(chain.broken && chain.newly);
    chain = relay(&one, 6, 10);
    ck_assert(chain.broken && !chain.newly);
    ck_assert(relay(&two, 0, 6).broken);
    ck_assert_int_eq(release(&one, "K-1"), FAULT_NONE);
    ck_assert_int_eq(release(&two, "K-2"), FAULT_NONE);
    ck_assert_int_eq(release(&two, "K-3"), FAULT_not_found);
    ck_assert_uint_eq(relay(&one, 6, 10).through, 10);
    ck_assert_uint_eq(relay(&two, 3, 6).through, 6);
    sign();
    struct verdict verdict = verify();
    ck_assert_msg(verdict.whole, "%s", verdict.finding);
    ck_assert_uint_eq(verdict.events, 4 + 4 + 3 + 2 + 2);
    ck_assert_uint_eq(verdict.gap_count, 2);
    ck_assert_uint_eq(verdict.gaps[0].from, 5);
    ck_assert_uint_eq(verdict.gaps[0].to, 6);
    ck_assert_str_eq(verdict.gaps[0].reason, "K-1");
    ck_assert_uint_eq(verdict.gaps[1].from, 4);
    ck_assert_uint_eq(verdict.gaps[1].to, 4);
    ck_assert_int_eq(release(&one, "K-4"), FAULT_not_found);
}
END_TEST

/* LOG-1: a second gap right behind one that was released stands still again */
START_TEST(a_release_is_for_one_gap)
{
    struct worker one;
    worker_init(&one, 1);
    records_make(&one, 10);
    ck_assert(relay(&one, 3, 10).broken);
    ck_assert_int_eq(release(&one, "K-1"), FAULT_NONE);
    ck_assert(relay(&one, 5, 10).broken);
    sign();
    ck_assert_uint_eq(verify().events, 1);
    ck_assert_int_eq(release(&one, "K-2"), FAULT_NONE);
    ck_assert_uint_eq(relay(&one, 5, 10).through, 10);
    sign();
    struct verdict verdict = verify();
    ck_assert_msg(verdict.whole, "%s", verdict.finding);
    ck_assert_uint_eq(verdict.gap_count, 2);
}
END_TEST

static void gap_state(const char *statement)
{
    struct fault fault = {0};
    struct merkle tree;
    pg_begin(pg, "");
    ck_assert(sequencer_take(pg, &tree, &fault));
    ck_assert(log_append_plain(pg, arena, &tree, "log_gap", statement, &fault));
    sequencer_put(pg, &tree);
    ck_assert(pg_commit(pg, &fault));
    sign();
}

/* LOG-1: who can write into the log but has not audit's key cannot excuse a record that is missing; nor does a
 * statement of audit's excuse another one */
START_TEST(a_gap_that_audit_did_not_state_is_found)
{
    static struct worker one;
    char signature[129], statement[400], public_key[65];
    worker_init(&one, 1);
    records_make(&one, 4);
    relay(&one, 0, 4);
    memset(signature, '0', 128);
    signature[128] = '\0';
    FILE *file = fopen(public_keys, "re");
    ck_assert_int_eq(fscanf(file, "%64s", public_key), 1);
    fclose(file);
    snprintf(statement, sizeof statement, "intake %s 1 5 6 K-1 %s %s", one.instance, public_key, signature);
    gap_state(statement);
    ck_assert_str_eq(verify().finding, "gap_not_signed");
    tamper("UPDATE audit.log SET event = 'intake 1 K-1' WHERE act = 'log_gap'");
    ck_assert_str_eq(verify().finding, "gap_malformed");
}
END_TEST

/* LOG-1: the same of a record before the gap, taken away afterwards */
START_TEST(a_statement_of_another_gap_is_found)
{
    static struct worker one;
    worker_init(&one, 1);
    records_make(&one, 10);
    relay(&one, 0, 4);
    relay(&one, 6, 10);
    ck_assert_int_eq(release(&one, "K-1"), FAULT_NONE);
    relay(&one, 6, 10);
    sign();
    ck_assert(verify().whole);
    pg_begin(owner, "*");
    tamper("UPDATE audit.log SET sequence = sequence - 1 WHERE service = 'intake' AND sequence = 4");
    tamper("UPDATE audit.log SET sequence = sequence + 1 WHERE service = 'intake' AND sequence = 10");
    ck_assert(!verify_by(owner).whole);
    pg_rollback(owner);
    tamper("DELETE FROM audit.log WHERE service = 'intake' AND sequence = 4");
    tamper("UPDATE audit.log SET position = position - 1 WHERE position > 3");
    ck_assert_str_eq(verify().finding, "gap_elsewhere");
}
END_TEST

/* LOG-1: the service's own role can neither change nor delete what it wrote */
START_TEST(the_role_of_audit_cannot_change_the_log)
{
    static const char *const acts[] = {"UPDATE audit.log SET event = ''", "DELETE FROM audit.log", "TRUNCATE audit.log",
        "INSERT INTO audit.leaf VALUES (1, sha256('x'), 2)", "UPDATE audit.head SET size = 1",
        "DELETE FROM audit.head"};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        struct fault fault = {0};
        PGresult *done = pg_query(pg, acts[i], &fault, PG_NONE);
        ck_assert_msg(done == NULL, "%s", acts[i]);
    }
}
END_TEST

static const struct {
    const char *name, *act[3], *finding;
} tamperings[] = {
    {"edit", {"UPDATE audit.log SET event = 'x' WHERE position = 20"}, "log_differs_from_witness"},
    {"edit, leaf made anew", {"UPDATE audit.log SET outcome = 'no', leaf = sha256('x') WHERE sequence = 30"},
        "log_differs_from_witness"},
    {"edit of who sent it", {"UPDATE audit.log SET service = 'vault'"}, "log_differs_from_witness"},
    {"edit of what it is found by", {"UPDATE audit.log SET tokens = '{}' WHERE position = 3"},
        "log_differs_from_witness"},
    {"delete", {"DELETE FROM audit.log WHERE position = 11"}, "position_missing"},
    {"delete, positions closed up",
        {"DELETE FROM audit.log WHERE position = 11",
            "UPDATE audit.log SET position = position - 1 WHERE position > 11"},
        "record_missing_or_moved"},
    {"delete, as if its time had been over",
        {"INSERT INTO audit.leaf SELECT position, leaf, 29 FROM audit.log WHERE position = 11",
            "DELETE FROM audit.log WHERE position = 11"},
        "deleted_without_record"},
    {"insert",
        {"UPDATE audit.log SET position = position + 1 WHERE position = 29",
            "INSERT INTO audit.log SELECT 29, appended_ms, 'vault', '" INSTANCE
            "9', 1, 1, kind, manager, act, outcome, tokens, event, leaf FROM audit.log WHERE position = 1"},
        "log_differs_from_witness"},
    {"insert at a place that is taken", {"INSERT INTO audit.log SELECT * FROM audit.log WHERE position = 12"},
        "position_missing"},
    {"reorder",
        {"UPDATE audit.log SET position = 1000 WHERE position = 8",
            "UPDATE audit.log SET position = 8 WHERE position = 9",
            "UPDATE audit.log SET position = 9 WHERE position = 1000"},
        "record_missing_or_moved"},
    {"truncate the tail", {"DELETE FROM audit.log WHERE position >= 25"}, "log_shorter_than_witness"},
    {"truncate all", {"DELETE FROM audit.log"}, "log_shorter_than_witness"},
};

/* LOG-1: each of these by the database's superuser, undone afterwards */
START_TEST(tampering_is_found)
{
    struct worker one;
    worker_init(&one, 1);
    records_make(&one, 30);
    relay(&one, 0, 30);
    sign();
    ck_assert(verify().whole);
    for (size_t i = 0; i < sizeof tamperings / sizeof *tamperings; i++) {
        pg_begin(owner, "*");
        for (int act = 0; act < 3 && tamperings[i].act[act]; act++)
            tamper(tamperings[i].act[act]);
        struct verdict verdict = verify_by(owner);
        ck_assert_msg(!verdict.whole, "%s was not found", tamperings[i].name);
        ck_assert_msg(
            strcmp(verdict.finding, tamperings[i].finding) == 0, "%s: %s", tamperings[i].name, verdict.finding);
    }
    ck_assert(verify().whole);
}
END_TEST

/* LOG-1: who can write the witness cannot sign for it */
START_TEST(a_head_of_another_key_is_found)
{
    static struct worker one;
    struct key stranger = {.kind = KEY_SIGN, .secret = {1, 2, 3}};
    struct audit_head head;
    struct fault fault = {0};
    char line[AUDIT_LINE_MAX];
    worker_init(&one, 1);
    records_make(&one, 5);
    relay(&one, 0, 5);
    sign();
    ck_assert(head_read(pg, &head, &fault));
    ck_assert(audit_head_sign(&head, &stranger));
    audit_head_print(&head, line);
    FILE *file = fopen(witness, "a");
    fputs(line, file);
    fclose(file);
    ck_assert_str_eq(verify().finding, "head_of_unknown_key");
}
END_TEST

/* LOG-1, STORE-1: in the log's rows nobody is named; the manager's key opens them, and without it the proof still holds
 */
START_TEST(who_and_whose_is_readable_by_key_alone)
{
    struct worker one;
    struct fault fault = {0};
    worker_init(&one, 1);
    records_make(&one, 3);
    relay(&one, 0, 3);
    sign();
    PGresult *rows = pg_query(owner,
        "SELECT event, position('person-1-0'::bytea IN event) + position('sato'::bytea IN event) + "
        "position('application-1'::bytea IN event) + position('terminal-1'::bytea IN event) FROM audit.log "
        "ORDER BY position",
        &fault, PG_NONE);
    ck_assert_int_eq(PQntuples(rows), 3);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pg_get_integer(rows, i, 1), 0);
    struct bytes covered = pg_get_bytes(rows, 0, 0);
    Audit__Event *event = record_uncover(arena, "tokyo", "intake", one.instance, 1, 1, covered);
    ck_assert_ptr_nonnull(event);
    ck_assert_str_eq(event->subject, "person-1-0");
    ck_assert_str_eq(event->who, "sato");
    ck_assert_ptr_null(record_uncover(arena, "tokyo", "intake", one.instance, 1, 2, covered));
    keyring_forget("tokyo");
    ck_assert_ptr_null(record_uncover(arena, "tokyo", "intake", one.instance, 1, 1, covered));
    PQclear(rows);
    ck_assert(verify().whole);
}
END_TEST

/* STORE-1: a manager's transaction sees its own records alone */
START_TEST(a_manager_sees_its_own_records)
{
    struct worker one;
    struct fault fault = {0};
    worker_init(&one, 1);
    records_make(&one, 3);
    Audit__Event event = event_of("suzuki", "intake_view", "person-s", "application-s");
    event.manager = "saitama";
    event_link(&one, event_pack(&event));
    relay(&one, 0, 4);
    static const struct {
        const char *manager;
        int seen;
    } views[] = {{"tokyo", 3}, {"saitama", 1}, {"nara", 0}, {"", 0}, {"*", 4}};
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        pg_begin(pg, views[i].manager);
        PGresult *rows = pg_query(pg, "SELECT position FROM audit.log", &fault, PG_NONE);
        ck_assert_int_eq(PQntuples(rows), views[i].seen);
        PQclear(rows);
        pg_rollback(pg);
    }
}
END_TEST

static struct verdict proof_judge(
    bool (*export)(struct pg *, uint64_t, FILE *, struct fault *), uint64_t number, void (*spoil)(char *proof))
{
    struct verdict verdict;
    struct keys keys;
    struct fault fault = {0};
    char *proof = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&proof, &len);
    ck_assert_msg(export(pg, number, to, &fault), "%s", fault_code_text(fault.code));
    fclose(to);
    if (spoil)
        spoil(proof);
    keys_load(&keys);
    FILE *from = fmemopen(proof, len, "r");
    proof_verify(from, &keys, &verdict);
    fclose(from);
    free(proof);
    return verdict;
}

static void record_spoil(char *proof)
{
    char *at = strstr(proof, "record ") + 7 + 2 * 60;
    *at = *at == '0' ? '1' : '0';
}

static void path_spoil(char *proof)
{
    char *at = strstr(proof, "path ") + 5;
    *at = *at == '0' ? '1' : '0';
}

/* LOG-1: every record of logs of every length is proven to be in, and every head to extend every earlier one */
START_TEST(records_and_heads_are_proven_one_by_one)
{
    struct worker one;
    worker_init(&one, 1);
    records_make(&one, 20);
    for (size_t size = 1; size <= 20; size++) {
        relay(&one, size - 1, size);
        sign();
        for (size_t i = 0; i < size; i++) {
            ck_assert(proof_judge(inclusion_export, i, NULL).whole);
            ck_assert(!proof_judge(inclusion_export, i, record_spoil).whole);
        }
        for (size_t earlier = 1; earlier <= size; earlier++) {
            ck_assert(proof_judge(consistency_export, earlier, NULL).whole);
            if (earlier < size)
                ck_assert(!proof_judge(consistency_export, earlier, path_spoil).whole);
        }
    }
}
END_TEST

/* LOG-1: what stands in a record that waits must be what the service wrote */
START_TEST(a_record_forged_before_it_was_sent_is_seen)
{
    struct worker one;
    worker_init(&one, 1);
    records_make(&one, 2);
    const struct audit_sent *sent = &one.sent[1];
    ck_assert(audit_link_check(sent->previous.data, 2, sent->event, sent->link.data));
    sent->event.data[3] ^= 1;
    ck_assert(!audit_link_check(sent->previous.data, 2, sent->event, sent->link.data));
    sent->event.data[3] ^= 1;
    ck_assert(!audit_link_check(sent->previous.data, 3, sent->event, sent->link.data));
    sent->previous.data[9] ^= 1;
    ck_assert(!audit_link_check(sent->previous.data, 2, sent->event, sent->link.data));
}
END_TEST

int main(void)
{
    journal_open("test");
    TCase *log = tcase_create("log");
    tcase_add_checked_fixture(log, setup, teardown);
    tcase_set_timeout(log, 60);
    tcase_add_test(log, a_log_that_nobody_touched_is_whole);
    tcase_add_test(log, records_sent_again_are_taken_once);
    tcase_add_test(log, a_gap_is_refused);
    tcase_add_test(log, what_is_no_event_is_refused);
    tcase_add_test(log, a_gap_is_released_and_stays_known);
    tcase_add_test(log, a_release_is_for_one_gap);
    tcase_add_test(log, a_gap_that_audit_did_not_state_is_found);
    tcase_add_test(log, a_statement_of_another_gap_is_found);
    tcase_add_test(log, a_chain_made_anew_is_refused);
    tcase_add_test(log, the_role_of_audit_cannot_change_the_log);
    tcase_add_test(log, tampering_is_found);
    tcase_add_test(log, a_head_of_another_key_is_found);
    tcase_add_test(log, who_and_whose_is_readable_by_key_alone);
    tcase_add_test(log, a_manager_sees_its_own_records);
    tcase_add_test(log, records_and_heads_are_proven_one_by_one);
    tcase_add_test(log, a_record_forged_before_it_was_sent_is_seen);
    Suite *suite = suite_create("audit");
    suite_add_tcase(suite, log);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
