/* The rights table under review: what is in force where, who reviewed it and when, what is due. */
#include "store/staff.h"

#include "chassis/meters.h"
#include "staff/rights_review.h"

static const Staff__RightsReply *status(const char *manager)
{
    Staff__RightsStatusRequest request = STAFF__RIGHTS_STATUS_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)manager;
    ck_assert_int_eq(deliver(work, ROUTE_staff_rights_status, NULL, &request.base, &reply), OUTCOME_DONE);
    return (const Staff__RightsReply *)reply;
}

static enum outcome review(const char *by, const char *manager, int version, const char *sha256)
{
    Staff__RightsReviewRequest request = STAFF__RIGHTS_REVIEW_REQUEST__INIT;
    struct actor administrator = person_of(by, manager);
    request.manager = (char *)manager;
    request.version = version;
    request.sha256 = (char *)sha256;
    request.reason = "年次点検。役割ごとの権限は事務と一致";
    return deliver(work, ROUTE_staff_rights_review, &administrator, &request.base, NULL);
}

static enum outcome review_of_now(const char *manager)
{
    struct rights_edition edition;
    rights_edition(&edition);
    return review("admin-1", manager, (int)edition.version, edition.sha256);
}

static bool shows_overdue(const char *manager, int due)
{
    char line[96];
    work_reset(work);
    rights_reviews_watch(work);
    char *text = meters_print();
    snprintf(line, sizeof line, "rights_review_overdue{manager=\"%s\"} %d", manager, due);
    bool shown = text && strstr(text, line);
    free(text);
    return shown;
}

/* AUTH-5: never reviewed shows; a review is recorded for its manager with who, when, why; and shows until it is old */
START_TEST(a_review_is_recorded_and_an_overdue_one_shows)
{
    const Staff__RightsReply *all = status("");
    ck_assert_uint_gt(all->n_reviews, 3);
    for (size_t i = 0; i < all->n_reviews; i++)
        ck_assert_str_eq(all->reviews[i]->state, "never");
    ck_assert(shows_overdue("tokyo", 1));
    ck_assert_int_eq(review_of_now("tokyo"), OUTCOME_DONE);
    const Staff__RightsReply *reply = status("tokyo");
    ck_assert_uint_eq(reply->n_reviews, 1);
    ck_assert_str_eq(reply->reviews[0]->state, "reviewed");
    ck_assert_str_eq(reply->reviews[0]->reviewed_by, "admin-1");
    ck_assert_str_eq(reply->reviews[0]->sha256, reply->sha256);
    ck_assert_int_eq(reply->reviews[0]->due_at_ms - reply->reviews[0]->reviewed_at_ms,
        (int64_t)reply->review_every_days * 24 * 3600 * 1000);
    ck_assert_str_eq(status("saitama")->reviews[0]->state, "never");
    ck_assert(shows_overdue("tokyo", 0) && shows_overdue("saitama", 1));
    ck_assert_int_eq(count_of("",
                         "SELECT count(*) FROM staff.audit_outbox WHERE position('admin-1'::bytea in event) > 0 "
                         "AND position('staff_rights_review'::bytea in event) > 0"),
        1);
    ck_assert_int_eq(count_of("tokyo",
                         "WITH past AS (UPDATE staff.rights_review SET reviewed_at = now() - interval '366 days' "
                         "RETURNING 1) SELECT count(*) FROM past"),
        1);
    ck_assert_str_eq(status("tokyo")->reviews[0]->state, "overdue");
    ck_assert(shows_overdue("tokyo", 1));
    ck_assert_int_eq(review_of_now("tokyo"), OUTCOME_DONE);
    reply = status("tokyo");
    ck_assert_uint_eq(reply->n_reviews, 2); /* the earlier one stays */
    ck_assert_str_eq(reply->reviews[0]->state, "reviewed");
    ck_assert_str_eq(reply->reviews[1]->state, "past");
}
END_TEST

/* AUTH-5: reviewed is what is in force, to the byte; another table has to be looked at anew */
START_TEST(a_review_is_of_the_table_in_force)
{
    struct fault fault = {0};
    char file[] = "/tmp/shikaku-rights-XXXXXX";
    struct rights_edition edition;
    rights_edition(&edition);
    ck_assert_int_eq(review("admin-1", "tokyo", (int)edition.version + 1, edition.sha256), OUTCOME_REJECT);
    assert_code(FAULT_state_conflict);
    ck_assert_int_eq(review("admin-1", "tokyo", (int)edition.version,
                         "0000000000000000000000000000000000000000000000000000000000000000"),
        OUTCOME_REJECT);
    assert_code(FAULT_state_conflict);
    struct actor operator_ = person_of("operator-1", "platform");
    Staff__RightsReviewRequest theirs = STAFF__RIGHTS_REVIEW_REQUEST__INIT;
    theirs.manager = "platform";
    theirs.version = (int)edition.version;
    theirs.sha256 = edition.sha256;
    theirs.reason = "点検";
    ck_assert_int_eq(deliver(work, ROUTE_staff_rights_review, &operator_, &theirs.base, NULL), OUTCOME_REJECT);
    assert_code(FAULT_not_permitted);
    ck_assert_int_eq(review_of_now("tokyo"), OUTCOME_DONE);
    json_t *table = json_load_file("deploy/rights/roles.json", 0, NULL);
    json_object_set_new(table, "version", json_integer((json_int_t)edition.version + 1));
    close(mkstemp(file));
    ck_assert_int_eq(json_dump_file(table, file, 0), 0);
    json_decref(table);
    ck_assert(rights_open(file, &fault));
    ck_assert_str_eq(status("tokyo")->reviews[0]->state, "changed");
    unlink(file);
}
END_TEST

static void heartbeat(const char *sha256, int version)
{
    Staff__EndedRequest request = STAFF__ENDED_REQUEST__INIT;
    request.rights_version = version;
    request.rights_sha256 = (char *)sha256;
    ck_assert_int_eq(deliver(work, ROUTE_staff_ended, NULL, &request.base, NULL), OUTCOME_DONE);
}

/* AUTH-5: which table is in force at which service is known from its heartbeat, and not for longer than it beats */
START_TEST(every_service_says_what_is_in_force_there)
{
    static const char one[] = "1111111111111111111111111111111111111111111111111111111111111111";
    static const char two[] = "2222222222222222222222222222222222222222222222222222222222222222";
    ck_assert_uint_eq(status("tokyo")->n_services, 0);
    for (int i = 0; i < 3; i++)
        heartbeat(one, 2);
    heartbeat(two, 3);
    heartbeat("", 0);
    const Staff__RightsReply *reply = status("tokyo");
    ck_assert_uint_eq(reply->n_services, 2);
    ck_assert_str_eq(reply->services[0]->service, "portal");
    ck_assert_str_eq(reply->services[0]->sha256, one);
    ck_assert_int_eq(reply->services[1]->version, 3);
    count_of("",
        "WITH past AS (UPDATE staff.rights_heard SET heard_at = now() - interval '4 min' WHERE version = 2 "
        "RETURNING 1) SELECT count(*) FROM past");
    ck_assert_uint_eq(status("tokyo")->n_services, 1);
    heartbeat(one, 2);
    ck_assert_uint_eq(status("tokyo")->n_services, 2);
}
END_TEST

int main(void)
{
    journal_open("test");
    TCase *tests = tcase_create("staff_rights");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_review_is_recorded_and_an_overdue_one_shows);
    tcase_add_test(tests, a_review_is_of_the_table_in_force);
    tcase_add_test(tests, every_service_says_what_is_in_force_there);
    Suite *suite = suite_create("staff_rights");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
