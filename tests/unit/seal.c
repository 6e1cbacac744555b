/* Who sealed an envelope, and that nobody touched it. */
#include "chassis/journal.h"
#include "chassis/seal.h"
#include "chassis/settings.h"
#include "kit/ring.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define BOOT_AT(name) (6 + strlen(name)) /* magic 4, kind 1, length 1, name */
#define COUNTER_AT(name) (BOOT_AT(name) + 16)

static const struct setting table[] = {{"SHIKAKU_KEYS", SETTING_TEXT, NULL, 0, 0, "keys"}};
static char folder[64];
static struct arena *arena;
static struct sealer *intake, *vault, *records;
static const char text[] = "a message";

static struct sealer *sealer_of(const char *service)
{
    ring_as(service);
    struct sealer *sealer = sealer_new(service);
    ck_assert_ptr_nonnull(sealer);
    return sealer;
}

static void start(void)
{
    ring_folder_make(folder);
    ck_assert(settings_read(table, 1));
    ring_publish("intake");
    ring_publish("vault");
    ring_publish("records");
    arena = arena_new(1 << 20);
    intake = sealer_of("intake");
    vault = sealer_of("vault");
    records = sealer_of("records");
}

static void end(void)
{
    sealer_free(intake);
    sealer_free(vault);
    sealer_free(records);
    arena_free(arena);
    ring_folder_remove(folder);
}

static struct bytes put(struct sealer *from, const char *to)
{
    struct bytes frame = seal_put(from, arena, SEAL_REQUEST, to, text, sizeof text);
    ck_assert_ptr_nonnull(frame.data);
    return frame;
}

static enum fault_code take(struct sealer *by, enum seal_kind kind, struct bytes frame, struct seal_peer *peer)
{
    struct fault fault = {0};
    struct bytes plain = seal_take(by, arena, kind, frame.data, frame.len, peer, &fault);
    if (!plain.data)
        return fault.code;
    ck_assert_uint_eq(plain.len, sizeof text);
    ck_assert_str_eq((char *)plain.data, text);
    return FAULT_NONE;
}

static enum fault_code refusal(struct sealer *by, struct bytes frame)
{
    struct seal_peer peer = {0};
    enum fault_code code = take(by, SEAL_REQUEST, frame, &peer);
    ck_assert_int_ne(code, FAULT_NONE);
    ck_assert_str_eq(peer.name, ""); /* nobody is named before the seal holds */
    return code;
}

/* STORE-2 */
START_TEST(the_right_peer_opens_and_knows_the_sender)
{
    struct seal_peer peer;
    for (int i = 0; i < 3; i++) { /* the first is learnt, the others use what was learnt */
        ck_assert_int_eq(take(vault, SEAL_REQUEST, put(intake, "vault"), &peer), FAULT_NONE);
        ck_assert_str_eq(peer.name, "intake");
        ck_assert_int_eq(peer.party, PARTY_INTAKE);
    }
}
END_TEST

/* STORE-2: nothing of the message is in the frame, and no two frames are alike */
START_TEST(a_frame_shows_nothing)
{
    struct bytes one = put(intake, "vault"), two = put(intake, "vault");
    ck_assert_ptr_null(memmem(one.data, one.len, text, 4));
    ck_assert_uint_eq(one.len, two.len);
    size_t head = COUNTER_AT("intake") + 8;
    ck_assert_mem_ne(one.data + head, two.data + head, one.len - head);
}
END_TEST

/* STORE-2: every byte counts */
START_TEST(an_altered_frame_is_refused)
{
    struct seal_peer peer;
    struct bytes good = put(intake, "vault");
    for (size_t at = 0; at < good.len; at++) {
        struct bytes bad = arena_copy(arena, good.data, good.len);
        bad.data[at] ^= 1;
        ck_assert_int_ne(take(vault, SEAL_REQUEST, bad, &peer), FAULT_NONE);
    }
    ck_assert_int_eq(take(vault, SEAL_REQUEST, good, &peer), FAULT_NONE);
}
END_TEST

START_TEST(a_cut_frame_is_refused)
{
    struct bytes good = put(intake, "vault");
    for (size_t len = 0; len < good.len; len++) {
        uint8_t *alone = malloc(len ? len : 1); /* its end is the end of the memory */
        memcpy(alone, good.data, len);
        refusal(vault, (struct bytes){alone, len});
        free(alone);
    }
    struct bytes longer = {arena_take(arena, good.len + 1), good.len + 1};
    memcpy(longer.data, good.data, good.len);
    longer.data[good.len] = 0;
    refusal(vault, longer);
    good.data[5] = 255; /* the name's length */
    ck_assert_int_eq(refusal(vault, good), FAULT_malformed);
}
END_TEST

/* pitfalls 3: the right kind of peer, the wrong service */
START_TEST(another_recipient_cannot_open)
{
    ck_assert_int_eq(refusal(records, put(intake, "vault")), FAULT_envelope_altered);
}
END_TEST

START_TEST(one_service_cannot_speak_as_another)
{
    ring_as("records");
    struct sealer *liar = sealer_new("intake"); /* has the key of records, says that it is intake */
    ck_assert_int_eq(refusal(vault, put(liar, "vault")), FAULT_envelope_altered);
    sealer_free(liar);
}
END_TEST

START_TEST(a_request_is_no_reply)
{
    struct seal_peer peer;
    struct bytes frame = put(intake, "vault");
    ck_assert_int_eq(take(vault, SEAL_REPLY, frame, &peer), FAULT_malformed);
    frame.data[4] = SEAL_REPLY;
    ck_assert_int_eq(take(vault, SEAL_REPLY, frame, &peer), FAULT_envelope_altered);
    /* What vault got cannot be sent back to intake as vault's. */
    ck_assert_int_eq(refusal(intake, put(intake, "vault")), FAULT_envelope_altered);
}
END_TEST

START_TEST(a_stranger_is_refused)
{
    ring_as("stranger");
    struct sealer *stranger = sealer_new("stranger");
    ck_assert_int_eq(refusal(vault, put(stranger, "vault")), FAULT_peer_unknown);
    sealer_free(stranger);
    ck_assert_ptr_null(seal_put(intake, arena, SEAL_REQUEST, "nobody", text, sizeof text).data);
}
END_TEST

/* A name goes into a path. */
START_TEST(a_name_is_no_path)
{
    static const char *const names[] = {"../peers/vault", "vault.pub", "Vault", "a/b", " vault"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ring_as("intake");
        struct sealer *odd = sealer_new(names[i]);
        ck_assert_int_eq(refusal(vault, put(odd, "vault")), FAULT_peer_unknown);
        sealer_free(odd);
    }
}
END_TEST

/* Each thread of each run has a boot id, and with it keys of its own. */
START_TEST(boot_ids_differ_and_separate_keys)
{
    struct seal_peer peer;
    struct sealer *second = sealer_of("intake");
    struct bytes one = put(intake, "vault"), two = put(second, "vault");
    ck_assert_mem_ne(one.data + BOOT_AT("intake"), two.data + BOOT_AT("intake"), 16);
    ck_assert_int_eq(take(vault, SEAL_REQUEST, one, &peer), FAULT_NONE);
    ck_assert_int_eq(take(vault, SEAL_REQUEST, two, &peer), FAULT_NONE);
    /* The frame of one under the boot id of the other. */
    memcpy(two.data + BOOT_AT("intake"), one.data + BOOT_AT("intake"), 16);
    ck_assert_int_eq(refusal(vault, two), FAULT_envelope_altered);
    sealer_free(second);
}
END_TEST

/* No nonce is used twice under a key, however many peers a thread talks with: a line that was dropped for room and is
 * made anew has the same key. */
START_TEST(a_counter_is_never_used_twice)
{
    char name[64], content[256], hex[65];
    uint64_t last = 0;
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "agency%d", i);
        ring_public(name, hex);
        ring_used = 0; /* the ring has few places */
        snprintf(content, sizeof content, "{\"key\":\"%s\",\"manager\":\"nara\",\"routes\":[]}", hex);
        snprintf(name, sizeof name, "agency%d.json", i);
        ring_file_write(name, content);
    }
    for (int i = 0; i < 401; i++) {
        uint64_t counter = 0;
        snprintf(name, sizeof name, "agency%d", i % 200);
        struct bytes frame = put(intake, name);
        for (int b = 0; b < 8; b++)
            counter = counter << 8 | frame.data[COUNTER_AT("intake") + b];
        ck_assert_uint_gt(counter, last);
        last = counter;
    }
}
END_TEST

/* Two static keys are accepted while one rotates. */
START_TEST(a_rotating_key_is_accepted_beside_the_old)
{
    struct seal_peer peer;
    char before[65], after[65], both[140];
    ring_public("intake", before);
    ring_rotate();
    ring_public("intake", after);
    ck_assert_str_ne(before, after);
    struct sealer *rotated = sealer_of("intake");
    snprintf(both, sizeof both, "%s\n%s\n", before, after);
    ring_file_write("intake.pub", both);
    ck_assert_int_eq(take(vault, SEAL_REQUEST, put(intake, "vault"), &peer), FAULT_NONE);
    ck_assert_int_eq(take(vault, SEAL_REQUEST, put(rotated, "vault"), &peer), FAULT_NONE);
    sealer_free(rotated);
}
END_TEST

/* A peer that was heard before changes its key: its file is looked at again. */
START_TEST(a_new_key_is_found_while_running)
{
    struct seal_peer peer;
    ck_assert_int_eq(take(vault, SEAL_REQUEST, put(intake, "vault"), &peer), FAULT_NONE);
    ring_rotate();
    struct sealer *rotated = sealer_of("intake");
    ck_assert_int_eq(refusal(vault, put(rotated, "vault")), FAULT_envelope_altered);
    ring_publish("intake");
    ck_assert_int_eq(take(vault, SEAL_REQUEST, put(rotated, "vault"), &peer), FAULT_NONE);
    sealer_free(rotated);
}
END_TEST

/* An agency's enrolment says for whom it speaks and what it may send. */
START_TEST(an_enrolled_agency_is_known_by_its_enrolment)
{
    struct seal_peer peer;
    char content[256], hex[65];
    ring_as("nara_office");
    struct sealer *agency = sealer_new("nara_office");
    ck_assert_int_eq(refusal(vault, put(agency, "vault")), FAULT_peer_unknown);
    ring_public("nara_office", hex);
    snprintf(content, sizeof content, "{\"key\":\"%s\",\"manager\":\"nara\",\"routes\":[\"intake_submit\"]}", hex);
    ring_file_write("nara_office.json", content);
    ck_assert_int_eq(take(vault, SEAL_REQUEST, put(agency, "vault"), &peer), FAULT_NONE);
    ck_assert_int_eq(peer.party, PARTY_AGENCY);
    ck_assert_str_eq(peer.manager, "nara");
    ck_assert_ptr_nonnull(strstr(peer.routes, " intake_submit "));
    sealer_free(agency);
}
END_TEST

/* A service's name with an enrolment instead of its own file would make an agency a service. */
START_TEST(an_enrolment_cannot_take_a_services_name)
{
    char content[256], hex[65];
    ring_as("intruder");
    struct sealer *intruder = sealer_new("audit");
    ring_public("intruder", hex);
    snprintf(content, sizeof content, "{\"key\":\"%s\",\"manager\":\"nara\",\"routes\":[]}", hex);
    ring_file_write("audit.json", content);
    ck_assert_int_eq(refusal(vault, put(intruder, "vault")), FAULT_peer_unknown);
    sealer_free(intruder);
}
END_TEST

int main(void)
{
    journal_open("test");
    Suite *suite = suite_create("seal");
    TCase *cases = tcase_create("seal");
    tcase_add_checked_fixture(cases, start, end);
    tcase_add_test(cases, the_right_peer_opens_and_knows_the_sender);
    tcase_add_test(cases, a_frame_shows_nothing);
    tcase_add_test(cases, an_altered_frame_is_refused);
    tcase_add_test(cases, a_cut_frame_is_refused);
    tcase_add_test(cases, another_recipient_cannot_open);
    tcase_add_test(cases, one_service_cannot_speak_as_another);
    tcase_add_test(cases, a_request_is_no_reply);
    tcase_add_test(cases, a_stranger_is_refused);
    tcase_add_test(cases, a_name_is_no_path);
    tcase_add_test(cases, boot_ids_differ_and_separate_keys);
    tcase_add_test(cases, a_counter_is_never_used_twice);
    tcase_add_test(cases, a_rotating_key_is_accepted_beside_the_old);
    tcase_add_test(cases, a_new_key_is_found_while_running);
    tcase_add_test(cases, an_enrolled_agency_is_known_by_its_enrolment);
    tcase_add_test(cases, an_enrolment_cannot_take_a_services_name);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
