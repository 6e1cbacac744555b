/* Certificates on a real PostgreSQL: one a version of an entry, worth what the roll says at once, shown to whom they
 * belong. Requests go to the service's own message table, as the bus would hand them over. Started with --render this
 * program is the renderer, as the service is. */
#include "store/certificates.h"

/* CERT-2, LOG-1: what was issued verifies, says what the roll says, and both acts are recorded */
START_TEST(a_certificate_is_issued_and_verifies)
{
    struct issued issued = issue("issue 1", issue_of(1));
    ck_assert_int_eq(strncmp(issued.url, PUBLIC_URL "/w/?c=", strlen(PUBLIC_URL "/w/?c=")), 0);
    Certificates__VerifyReply *reply = verify(certificate_url_code(issued.url));
    ck_assert(reply->valid);
    ck_assert_str_eq(reply->reason, "");
    ck_assert_str_eq(reply->japanese, "有効です。");
    ck_assert_str_eq(shown(reply->lines, reply->n_lines, "資格者証"), "調理師免許証");
    ck_assert_str_eq(shown(reply->lines, reply->n_lines, "氏名"), NAME);
    ck_assert_str_eq(shown(reply->lines, reply->n_lines, "生年月日"), "2000年2月29日");
    ck_assert_str_eq(shown(reply->lines, reply->n_lines, "免許番号"), "第000001号");
    ck_assert_str_eq(shown(reply->lines, reply->n_lines, "発行者"), "東京都知事");
    ck_assert_int_eq(count("SELECT count(*) FROM certificates.certificate"), 1);
    ck_assert_int_eq(count("SELECT count(*) FROM certificates.audit_outbox"), 2);
}
END_TEST

/* One certificate a version of an entry, however often and under whatever key it is asked for */
START_TEST(the_same_version_gets_the_same_certificate)
{
    struct issued first = issue("issue 1", issue_of(1)), replay = issue("issue 1", issue_of(1)),
                  again = issue("another key", issue_of(1));
    ck_assert_str_eq(first.certificate, replay.certificate);
    ck_assert_str_eq(first.url, replay.url);
    ck_assert_str_eq(first.certificate, again.certificate);
    ck_assert_str_eq(first.url, again.url);
    ck_assert_int_eq(count("SELECT count(*) FROM certificates.certificate"), 1);

    Certificates__IssueRequest other = issue_of(1);
    struct issued none;
    other.application = APPLICATION(2);
    expect_fault(issue_by(work, "other", &other, &none), FAULT_state_conflict, "entry");
    other = issue_of(1);
    other.name = "架空　太郎";
    expect_fault(issue_by(work, "issue 1", &other, &none), FAULT_key_reused, "");
    ck_assert_int_eq(count("SELECT count(*) FROM certificates.certificate"), 1);
}
END_TEST

#define THREADS 6
#define ROUNDS 8

struct racer {
    int index;
    char certificates[ROUNDS][40];
    bool ok;
};

static void *race(void *argument)
{
    struct racer *racer = argument;
    struct work *by = work_new(&service);
    struct issued issued;
    racer->ok = by != NULL;
    for (int i = 0; by && i < ROUNDS; i++) {
        char key[32];
        Certificates__IssueRequest request = issue_of(100 + i);
        snprintf(key, sizeof key, "racer %d round %d", racer->index, i);
        racer->ok &= issue_by(by, key, &request, &issued) == OUTCOME_DONE;
        strcpy(racer->certificates[i], issued.certificate);
    }
    work_free(by);
    return NULL;
}

/* Many at once, each with a key of its own: still one */
START_TEST(racing_issues_agree)
{
    pthread_t threads[THREADS];
    static struct racer racers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        racers[i].index = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        ck_assert(racers[i].ok);
        for (int k = 0; k < ROUNDS; k++)
            ck_assert_str_eq(racers[i].certificates[k], racers[0].certificates[k]);
    }
    ck_assert_int_eq(count("SELECT count(*) FROM certificates.certificate"), ROUNDS);
}
END_TEST

/* CERT-5: a new version's certificate takes the old one out of force, and only that */
START_TEST(a_reissue_ends_the_old_one)
{
    struct issued old = issue("issue 1", issue_of(1)), other = issue("issue 2", issue_of(2));
    Certificates__IssueRequest next = issue_of(1);
    next.version = 2;
    next.application = APPLICATION(3);
    struct issued fresh = issue("issue 3", next);
    expect_verdict(&old, "reissued");
    expect_verdict(&fresh, "");
    expect_verdict(&other, "");
}
END_TEST

/* CERT-6, ROLL-3, ROLL-4: what the roll says holds at once for every certificate of the entry */
START_TEST(a_standing_shows_at_once)
{
    struct issued issued = issue("issue 1", issue_of(1)), other = issue("issue 2", issue_of(2));
    uint32_t changed;
    expect_status("1", ENTRY(1), "suspended", 1);
    expect_verdict(&issued, "suspended");
    expect_status("1", ENTRY(1), "suspended", 1); /* the same event again */
    expect_status("2", ENTRY(1), "suspended", 0); /* told again */
    expect_status("3", ENTRY(1), "valid", 1);
    expect_verdict(&issued, "");
    expect_status("4", ENTRY(1), "revoked", 1);
    expect_verdict(&issued, "revoked");
    expect_status("5", ENTRY(1), "struck_off", 1);
    expect_verdict(&issued, "struck_off");
    expect_fault(set_status("6", ENTRY(1), "valid", &changed), FAULT_state_conflict, "status");
    expect_verdict(&issued, "struck_off");
    expect_verdict(&other, "");
    expect_status("7", ENTRY(2), "reissued", 1);
    expect_verdict(&other, "reissued");
    ck_assert_int_eq(count("SELECT count(*) FROM certificates.status_change"), 6);
}
END_TEST

/* CERT-6: a standing that comes before the certificate is not lost */
START_TEST(a_standing_may_come_first)
{
    expect_status("1", ENTRY(1), "suspended", 0);
    struct issued issued = issue("issue 1", issue_of(1));
    expect_verdict(&issued, "suspended");
}
END_TEST

/* Signed by hand, as someone with a key could. */
static void forge(const char *claims, const char *signer, const char *id_text, char code[CERTIFICATE_URL_MAX])
{
    struct certificate content = {.id = {1, 2, 3},
        .manager = claims,
        .programme = strcmp(claims, "tokyo") == 0  ? "chorishi"
                     : strcmp(claims, "mlit") == 0 ? "kaigishi"
                                                   : "none",
        .registration_number = "第000001号",
        .name = NAME,
        .birth_date = "20000229",
        .title = "調理師免許証",
        .issuer = "東京都知事",
        .issued_at = clock_ms() / 1000};
    const struct key *key = keyring_newest(signer, KEY_ISSUE);
    uint8_t point[CERTIFICATE_POINT_BYTES], bytes[CERTIFICATE_BYTES_MAX];
    size_t len;
    struct fault fault = {0};
    char hex[33];
    if (id_text) {
        snprintf(
            hex, sizeof hex, "%.8s%.4s%.4s%.4s%.12s", id_text, id_text + 9, id_text + 14, id_text + 19, id_text + 24);
        ck_assert(hex_take(content.id, 16, hex));
    }
    ck_assert(key_p256_public(key, point));
    ck_assert(certificate_sign(&content, key->secret, point, bytes, &len, &fault));
    certificate_code_print(bytes, len, code);
}

static void expect_refused(const char *code, const char *reason)
{
    Certificates__VerifyReply *reply = verify(code);
    ck_assert(!reply->valid);
    ck_assert_str_eq(reply->reason, reason);
    ck_assert_uint_eq(reply->n_lines, 0);
}

/* CERT-2: nothing that this service did not issue is valid, or shows its lines as if it were */
START_TEST(forgeries_are_told)
{
    struct issued issued = issue("issue 1", issue_of(1));
    char code[CERTIFICATE_URL_MAX];
    expect_refused("", "unreadable");
    expect_refused("AAAA", "unreadable");
    expect_refused("これは違う", "unreadable");
    strcpy(code, certificate_url_code(issued.url));
    code[strlen(code) / 2] = code[strlen(code) / 2] == 'A' ? 'B' : 'A';
    Certificates__VerifyReply *reply = verify(code);
    ck_assert(!reply->valid);
    ck_assert_uint_eq(reply->n_lines, 0);
    forge("tokyo", "tokyo", NULL, code); /* the right key, an id that was never issued */
    expect_refused(code, "unknown");
    forge("tokyo", "mlit", issued.certificate, code); /* another manager's key */
    expect_refused(code, "signature");
    forge("mlit", "tokyo", issued.certificate, code); /* our key for another manager's programme */
    expect_refused(code, "signature");
    forge("nobody", "tokyo", issued.certificate, code);
    expect_refused(code, "signature");
    expect_verdict(&issued, "");
}
END_TEST

/* CERT-1: the holder sees it, by lines, QR code and page, without knowing whose it is; nobody else does */
START_TEST(the_holder_sees_their_own)
{
    struct issued issued = issue("issue 1", issue_of(1));
    Certificates__ShowReply *reply;
    ck_assert_int_eq(show("", "tokyo", issued.certificate, "portal-1", "lines", &reply), OUTCOME_DONE);
    ck_assert_str_eq(reply->qr_url, issued.url);
    ck_assert_str_eq(shown(reply->lines, reply->n_lines, "氏名"), NAME);
    ck_assert_int_eq(show("", "", issued.certificate, "portal-1", "png", &reply), OUTCOME_DONE);
    ck_assert_str_eq(reply->media_type, "image/png");
    ck_assert_mem_eq(reply->file.data, "\x89PNG", 4);
    ck_assert_int_eq(show("", "", issued.certificate, "portal-1", "pdf", &reply), OUTCOME_DONE);
    ck_assert_str_eq(reply->media_type, "application/pdf");
    ck_assert_mem_eq(reply->file.data, "%PDF-", 5);

    expect_fault(show("", "tokyo", issued.certificate, "portal-2", "lines", &reply), FAULT_not_found, "certificate");
    expect_fault(show("", "", issued.certificate, "portal-10", "lines", &reply), FAULT_not_found, "certificate");
    expect_fault(show("", "mlit", issued.certificate, "portal-1", "lines", &reply), FAULT_not_found, "certificate");
    expect_fault(show("", "", APPLICATION(9), "portal-1", "lines", &reply), FAULT_not_found, "certificate");
    expect_fault(show("", "", issued.certificate, "portal-1", "gif", &reply), FAULT_item_invalid, "format");
    expect_fault(show("", "", "x", "portal-1", "lines", &reply), FAULT_malformed, "certificate");
}
END_TEST

/* CERT-1: a certificate without a holder on line (a paper application) is nobody's on line */
START_TEST(an_empty_pseudonym_is_no_holder)
{
    Certificates__IssueRequest request = issue_of(1);
    Certificates__ShowReply *reply;
    request.portal_pseudonym = "";
    struct issued issued = issue("issue 1", request);
    expect_fault(show("", "tokyo", issued.certificate, "", "lines", &reply), FAULT_not_authenticated, "");
    expect_fault(show("", "tokyo", issued.certificate, "portal-1", "lines", &reply), FAULT_not_found, "certificate");
}
END_TEST

/* AUTH-3, LOG-1: staff need the right, for this manager, and the record names the person */
START_TEST(staff_see_with_the_right_only)
{
    struct issued issued = issue("issue 1", issue_of(1));
    Certificates__ShowReply *reply;
    const char *certificate = issued.certificate;
    ck_assert_int_eq(
        show(token_of("tokyo", "certificate_show"), "tokyo", certificate, "", "lines", &reply), OUTCOME_DONE);
    ck_assert_int_eq(show(token_of("tokyo", "certificate_show"), "", certificate, "", "lines", &reply), OUTCOME_DONE);
    ck_assert_int_eq(count("SELECT count(*) FROM certificates.audit_outbox a "
                           "WHERE position('staff-1'::bytea IN a.event) > 0"),
        2);
    expect_fault(show(token_of("tokyo", "review"), "tokyo", certificate, "", "lines", &reply), FAULT_not_permitted, "");
    expect_fault(show(token_of("mlit", "certificate_show"), "tokyo", certificate, "", "lines", &reply),
        FAULT_not_permitted, "manager");
    expect_fault(show(token_of("mlit", "certificate_show"), "mlit", certificate, "", "lines", &reply), FAULT_not_found,
        "certificate");
    expect_fault(show("no.token", "tokyo", certificate, "", "lines", &reply), FAULT_not_authenticated, "");
}
END_TEST

/* Bad requests leave nothing and name the field */
START_TEST(what_breaks_a_rule_is_refused)
{
    Certificates__IssueRequest request = issue_of(1);
    struct issued none;
    uint32_t changed;
    char long_name[3000];
    request.programme = "kaigishi";
    expect_fault(issue_by(work, "1", &request, &none), FAULT_not_permitted, "manager");
    request = issue_of(1);
    request.programme = "x";
    expect_fault(issue_by(work, "2", &request, &none), FAULT_programme_unknown, "programme");
    request = issue_of(1);
    request.entry = "E-1";
    expect_fault(issue_by(work, "3", &request, &none), FAULT_malformed, "entry");
    request = issue_of(1);
    request.version = 0;
    expect_fault(issue_by(work, "4", &request, &none), FAULT_item_invalid, "version");
    request = issue_of(1);
    request.fields = (ProtobufCBinaryData){4, (uint8_t *)"null"};
    expect_fault(issue_by(work, "5", &request, &none), FAULT_malformed, "fields");
    request = issue_of(1);
    request.name = "架空\n太郎";
    expect_fault(issue_by(work, "6", &request, &none), FAULT_item_invalid, "name");
    request = issue_of(1);
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    request.name = long_name;
    expect_fault(issue_by(work, "7", &request, &none), FAULT_item_too_long, "name");
    expect_fault(set_status("8", ENTRY(1), "gone", &changed), FAULT_item_invalid, "status");
    expect_fault(set_status("9", "x", "valid", &changed), FAULT_malformed, "entry");
    ck_assert_int_eq(count("SELECT count(*) FROM certificates.certificate"), 0);
    ck_assert_int_eq(count("SELECT count(*) FROM certificates.standing"), 0);
}
END_TEST

/* NUM-1, STORE-2: the database never sees a name, in whatever form it is looked for */
START_TEST(nothing_personal_lies_open)
{
    issue("issue 1", issue_of(1));
    uint32_t changed;
    ck_assert_int_eq(set_status("1", ENTRY(1), "suspended", &changed), OUTCOME_DONE);
    static const char *const tables[] = {"certificate", "standing", "status_change", "inbox", "outbox", "audit_outbox"};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        static char statements[6][512];
        snprintf(statements[i], sizeof statements[i],
            "SELECT count(*) FROM certificates.%s t WHERE position('" NAME
            "' IN t::text) > 0 "
            "OR position('" NAME_HEX
            "' IN t::text) > 0 OR position('portal-1' IN t::text) > 0 "
            "OR position(encode('portal-1', 'hex') IN t::text) > 0 OR position('第000001号' IN t::text) > 0",
            tables[i]);
        ck_assert_msg(count(statements[i]) == 0, "%s", tables[i]);
    }
    ck_assert_int_eq(count("SELECT count(*) FROM certificates.certificate"), 1);
}
END_TEST

/* ROLL-6: under another manager, or none, the rows are not there */
START_TEST(managers_are_apart)
{
    issue("issue 1", issue_of(1));
    expect_status("1", ENTRY(1), "suspended", 1);
    static const char *const statements[] = {"SELECT count(*) FROM certificates.certificate",
        "SELECT count(*) FROM certificates.issuing_key", "SELECT count(*) FROM certificates.standing",
        "SELECT count(*) FROM certificates.status_change"};
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        ck_assert_int_eq(count_as("tokyo", statements[i]), 1);
        ck_assert_int_eq(count_as("mlit", statements[i]), 0);
        ck_assert_int_eq(count_as("", statements[i]), 0);
    }
}
END_TEST

/* A row moved to another id is not opened: what is covered is bound to its place */
START_TEST(a_row_in_anothers_place_is_refused)
{
    struct issued first = issue("issue 1", issue_of(1)), second = issue("issue 2", issue_of(2));
    Certificates__ShowReply *reply;
    struct fault fault = {0};
    struct pg *owner;
    ck_assert(pg_open(&owner, store.owner, &fault));
    pg_begin(owner, "tokyo");
    pg_queue(owner,
        "UPDATE certificates.certificate SET code = (SELECT o.code FROM certificates.certificate o WHERE o.certificate "
        "= "
        "$1::uuid), holder = (SELECT o.holder FROM certificates.certificate o WHERE o.certificate = $1::uuid) WHERE "
        "certificate = $2::uuid",
        PG_VALUES(pg_text(second.certificate), pg_text(first.certificate)));
    ck_assert(pg_commit(owner, &fault));
    pg_close(owner);
    expect_fault(show("", "tokyo", first.certificate, "portal-1", "lines", &reply), FAULT_not_found, "certificate");
    ck_assert_int_ne(
        show(token_of("tokyo", "certificate_show"), "tokyo", first.certificate, "", "lines", &reply), OUTCOME_DONE);
    ck_assert_int_eq(show("", "tokyo", second.certificate, "portal-1", "lines", &reply), OUTCOME_DONE);
}
END_TEST

/* The words of the program's table and of the CHECK constraint are the same */
START_TEST(the_database_knows_the_same_standings)
{
    char statement[512] =
        "SELECT (replace(replace(pg_catalog.pg_get_constraintdef(c.oid), '''', ''), '::text', '') LIKE "
        "'%ARRAY[";
    for (int i = 0; i < STANDINGS; i++) {
        strcat(statement, i ? ", " : "");
        strcat(statement, standing_text((enum standing)i));
    }
    strcat(statement, "]%')::int FROM pg_catalog.pg_constraint c WHERE c.conname = 'standing_standing_check'");
    ck_assert_int_eq(count(statement), 1);
}
END_TEST

/* CERT-2: with the published key alone a certificate is checked off line; keys of former times stay published */
START_TEST(published_keys_check_off_line)
{
    static const char *const managers[] = {"tokyo", "mlit"};
    char path[256];
    struct fault fault = {0};
    uint8_t bytes[CERTIFICATE_BYTES_MAX], point[CERTIFICATE_POINT_BYTES] = {4};
    size_t len, coordinate;
    struct certificate content;
    struct issued issued = issue("issue 1", issue_of(1));
    snprintf(path, sizeof path, "%s/peers/certificates.issue.jwks", keys_folder);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs("{\"keys\":[{\"kid\":\"former\"}]}", out);
    fclose(out);
    for (int i = 0; i < 2; i++)
        ck_assert(certificate_keys_publish(keys_folder, managers, 2, &fault));

    json_t *set = json_load_file(path, 0, NULL), *keys = json_object_get(set, "keys"), *key = json_array_get(keys, 1);
    ck_assert_uint_eq(json_array_size(keys), 3);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(keys, 0), "kid")), "former");
    ck_assert_str_eq(json_string_value(json_object_get(key, "manager")), "tokyo");
    ck_assert(certificate_code_parse(json_string_value(json_object_get(key, "x")), bytes, &coordinate));
    ck_assert_uint_eq(coordinate, 32);
    memcpy(point + 1, bytes, 32);
    ck_assert(certificate_code_parse(json_string_value(json_object_get(key, "y")), bytes, &coordinate));
    memcpy(point + 33, bytes, 32);
    ck_assert(certificate_code_parse(certificate_url_code(issued.url), bytes, &len));
    ck_assert(certificate_decode(bytes, len, &content));
    ck_assert(certificate_signature_check(bytes, len, point));
    char kid[2 * CERTIFICATE_KID_BYTES + 1];
    hex_put(kid, content.kid, CERTIFICATE_KID_BYTES);
    ck_assert_str_eq(json_string_value(json_object_get(key, "kid")), kid);
    json_decref(set);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--render") == 0)
        certificate_render_main(argv[2]);
    journal_open("test");
    TCase *tcase = tcase_create("certificates");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_certificate_is_issued_and_verifies);
    tcase_add_test(tcase, the_same_version_gets_the_same_certificate);
    tcase_add_test(tcase, racing_issues_agree);
    tcase_add_test(tcase, a_reissue_ends_the_old_one);
    tcase_add_test(tcase, a_standing_shows_at_once);
    tcase_add_test(tcase, a_standing_may_come_first);
    tcase_add_test(tcase, forgeries_are_told);
    tcase_add_test(tcase, the_holder_sees_their_own);
    tcase_add_test(tcase, an_empty_pseudonym_is_no_holder);
    tcase_add_test(tcase, staff_see_with_the_right_only);
    tcase_add_test(tcase, what_breaks_a_rule_is_refused);
    tcase_add_test(tcase, nothing_personal_lies_open);
    tcase_add_test(tcase, managers_are_apart);
    tcase_add_test(tcase, a_row_in_anothers_place_is_refused);
    tcase_add_test(tcase, the_database_knows_the_same_standings);
    tcase_add_test(tcase, published_keys_check_off_line);
    Suite *suite = suite_create("certificates");
    suite_add_tcase(suite, tcase);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
