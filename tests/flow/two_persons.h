/* An act of two persons over HTTPS (AUTH-5), at the registration centre of saitama, for whom the shipped rights table
 * wants two. Included by tests/flow/staff.c, whose words it uses. */
#ifndef FLOW_TWO_PERSONS_H
#define FLOW_TWO_PERSONS_H

/* A colleague at the registration centre of saitama, for whom the shipped rights table wants two persons. */
static void colleague_make(const char *account, struct journey_clerk *colleague)
{
    char path[160], first[64];
    struct journey_clerk applies, approves;
    ck_assert(journey_administrator(&journey, "saitama", 1, &applies));
    ck_assert(journey_administrator(&journey, "saitama", 2, &approves));
    check(call(&applies, "POST", "/api/staff/account-applications",
              json_pack("{ss ss ss ss ss ss s[s] ss ss}", "kind", "issue", "account", account, "person", account,
                  "category", "contractor", "employer", "架空登録センター", "role", "registration_centre", "programmes",
                  "hoikushi", "need", "登録事務処理", "until", "2099-03-31")),
        200, NULL);
    snprintf(
        path, sizeof path, "/api/staff/account-applications/%s/decision", journey_text(answer.json, "application"));
    check(call(&approves, "POST", path, json_pack("{sb}", "approve", 1)), 200, NULL);
    keep(first, sizeof first, "first_password");
    *colleague = (struct journey_clerk){.terminal = AS_NUMBER_TERMINAL};
    snprintf(colleague->account, sizeof colleague->account, "%s", account);
    check(log_in(colleague, first, ""), 201, NULL);
    check(call(colleague, "POST", "/api/staff/me/password", json_pack("{ss ss}", "old", first, "new", PASSWORD)), 204,
        NULL);
    renew(colleague);
    free(applies.token);
    free(approves.token);
}

/* The one that `who` is shown as open, as the paths of looking and deciding. */
static void open_proposal_find(const struct journey_clerk *who, char view[128], char decision[160])
{
    check(call(who, "GET", "/api/staff/proposals", NULL), 200, NULL);
    const json_t *list = json_object_get(answer.json, "proposals");
    ck_assert_uint_eq(json_array_size(list), 1);
    snprintf(view, 128, "/api/staff/proposals/%s", journey_text(json_array_get(list, 0), "proposal"));
    snprintf(decision, 160, "%s/decision", view);
}

static json_t *saying(const char *decision, const char *reason)
{
    return json_pack("{ss ss}", "decision", decision, "reason", reason);
}

/* How often audit has it of the account with this outcome, as soon as that is `wanted`. */
static bool is_recorded(const char *account, const char *act, const char *outcome, size_t wanted)
{
    const int64_t until_ms = clock_up_ms() + BACK_MS;
    char path[160];
    size_t found = 0, index;
    json_t *deed;
    snprintf(path, sizeof path, "/api/staff/uses/of-account?account=%s&reason=R8-jian-1&limit=100", account);
    do {
        found = 0;
        check(call(journey_clerk(&journey, "saitama", "disclosure"), "GET", path, NULL), 200, NULL);
        json_array_foreach(json_object_get(answer.json, "deeds"), index, deed) found +=
            strcmp(journey_text(deed, "act"), act) == 0 && strcmp(journey_text(deed, "outcome"), outcome) == 0;
        if (found != wanted)
            wire_pause(BEAT_MS);
    } while (found != wanted && clock_up_ms() < until_ms);
    return found == wanted;
}

/* AUTH-5: what one proposes another turns down, or its proposer withdraws it, or it lapses, or another approves it and
 * it is carried out; nobody alone; and all of it is in the records of use (LOG-1) */
START_TEST(an_act_of_two_persons)
{
    char decide[128], view[128], decision[160];
    struct journey_clerk one, other;
    struct journey_trip trip = {0};
    struct journey_plan plan = {.programme = "hoikushi", .index = journey_people_take(1)};
    ck_assert(trip_init(&trip, &journey, &plan));
    ck_assert_int_eq(trip_submit(&trip, &journey), 201);
    ck_assert(trip_await(&trip, &journey, "review", BACK_MS));
    colleague_make("saitama-centre-1", &one);
    colleague_make("saitama-centre-2", &other);
    snprintf(decide, sizeof decide, "/api/staff/applications/%s/decision", trip.receipt);
    for (int i = 0; i < 2; i++) /* the same again is the same proposal */
        check(call(&one, "POST", decide, json_pack("{ss}", "decision", "accept")), 409, "approval_needed");
    open_proposal_find(&one, view, decision);
    check(call(&one, "POST", decision, saying("approve", "")), 403, "decided_by_applicant");
    check(call(&other, "POST", decision, saying("turn_down", "")), 422, "reason_missing");
    check(call(&other, "POST", decision, saying("agree", "")), 422, "item_invalid");
    check(call(&other, "POST", "/api/staff/proposals/records.1/decision", saying("approve", "")), 404, "not_found");
    check(call(&other, "POST", decision, saying("turn_down", "添付書類が足りない")), 200, NULL);
    check(call(&other, "POST", decision, saying("approve", "")), 409, "proposal_decided");
    check(call(&one, "POST", decide, json_pack("{ss}", "decision", "accept")), 409, "approval_needed");
    open_proposal_find(&one, view, decision);
    check(call(&one, "POST", decision, saying("withdraw", "")), 200, NULL);
    check(call(&one, "POST", decide, json_pack("{ss}", "decision", "accept")), 409, "approval_needed");
    open_proposal_find(&other, view, decision);
    ck_assert_int_eq(stack_count("WITH lapsed AS (UPDATE intake.proposal SET lapses_at = now() WHERE content IS NOT "
                                 "NULL RETURNING 1) SELECT count(*) FROM lapsed"),
        1);
    check(call(&other, "POST", decision, saying("approve", "")), 409, "proposal_decided");
    check(call(&one, "POST", decide, json_pack("{ss}", "decision", "accept")), 409, "approval_needed");
    open_proposal_find(&other, view, decision);
    check(call(&hanako, "GET", view, NULL), 404, "not_found"); /* of another manager */
    check(call(&other, "GET", view, NULL), 200, NULL);
    ck_assert_str_eq(journey_text(json_object_get(answer.json, "request"), "receipt"), trip.receipt);
    ck_assert_str_eq(journey_text(json_object_get(answer.json, "request"), "decision"), "accept");
    check(call(&other, "POST", decision, saying("approve", "")), 200, NULL);
    ck_assert_str_eq(
        journey_text(json_object_get(json_object_get(answer.json, "answer"), "application"), "state"), "fee");
    check(call(&other, "GET", "/api/staff/proposals?all=true", NULL), 200, NULL);
    const char *const states[] = {"approved", "lapsed", "withdrawn", "turned_down"};
    for (size_t i = 0; i < 4; i++)
        ck_assert_msg(is_listed("proposals", "state", states[i]), "%s", states[i]);
    ck_assert(is_recorded("saitama-centre-1", "intake_decide", "approval_needed", 5));
    ck_assert(is_recorded("saitama-centre-1", "intake_proposal_decide", "decided_by_applicant", 1));
    ck_assert(is_recorded("saitama-centre-1", "intake_proposal_decide", "done", 1));
    ck_assert(is_recorded("saitama-centre-2", "intake_proposal_decide", "done", 1));
    ck_assert(is_recorded("saitama-centre-2", "intake_proposal_decide", "proposal_decided", 2));
    ck_assert(is_recorded("saitama-centre-2", "intake_decide", "done", 1));
    free(one.token);
    free(other.token);
    trip_fini(&trip);
}
END_TEST

#endif
