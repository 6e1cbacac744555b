/* A service of the test's own on a real database, and letters to it: envelopes as any peer could write them, right or
 * wrong in every part. The service is "intake"; its handlers leave a row in intake.effect and do as the request's
 * document says. Included by one file of a program. */
#ifndef STORE_LETTER_H
#define STORE_LETTER_H

#include "chassis/boot.h"
#include "chassis/dispatch.h"
#include "chassis/audit_link.h"
#include "chassis/exchange_store.h"
#include "chassis/journal.h"
#include "chassis/jwe.h"
#include "chassis/settings.h"
#include "chassis/work_state.h"
#include "audit.pb-c.h"
#include "intake.pb-c.h"
#include "staff.pb-c.h"
#include "kit/ring.h"
#include "kit/store.h"

#include <check.h>
#include <openssl/rand.h>

static struct store store;
static char ring_folder[64];
static PGconn *owner;
static struct arena *letters;
static const struct setting letter_settings[] = {
    {"SHIKAKU_KEYS", SETTING_TEXT, NULL, 0, 0, "keys"},
    {"SHIKAKU_BUS", SETTING_TEXT, NULL, 0, 0, "sockets"},
    {"SHIKAKU_DSN", SETTING_TEXT, NULL, 0, 0, "database"},
    {"SHIKAKU_PROPOSAL_DAYS", SETTING_NUMBER, "14", 1, 365, "days"},
};

static inline void owner_do(const char *sql)
{
    PGresult *result = PQexec(owner, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK, "%s: %s",
        sql, PQresultErrorMessage(result));
    PQclear(result);
}

static inline int64_t owner_count(const char *sql)
{
    PGresult *result = PQexec(owner, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK, "%s: %s", sql, PQresultErrorMessage(result));
    int64_t count = atoll(PQgetvalue(result, 0, 0));
    PQclear(result);
    return count;
}

/* Once a program, before the tests fork. */
static inline void letters_once(void)
{
    store_open(&store, "intake");
    owner = PQconnectdb(store.owner);
    owner_do("CREATE TABLE intake.effect (place bigint GENERATED ALWAYS AS IDENTITY, what text, number int)");
    owner_do("CREATE TABLE intake.counter (aggregate text PRIMARY KEY, number int NOT NULL)");
    owner_do("GRANT SELECT, INSERT, UPDATE, DELETE ON intake.effect, intake.counter TO shikaku_intake");
    PQfinish(owner);
}

static inline void letters_once_end(void)
{
    store_close(&store);
}

static inline void letters_start(void)
{
    ring_folder_make(ring_folder);
    setenv("SHIKAKU_BUS", ring_folder, 1);
    ck_assert(settings_read(letter_settings, sizeof letter_settings / sizeof *letter_settings));
    exchange_store_open("intake");
    static const char *const known[] = {"intake", "portal", "records", "residence", "legacy_sync"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        ring_publish(known[i]);
    ring_as("intake");
    ck_assert_ptr_nonnull(keyring_newest("*", KEY_DATA)); /* before there are threads */
    letters = arena_new(16 << 20);
    owner = PQconnectdb(store.owner);
    owner_do("TRUNCATE intake.effect, intake.counter, intake.inbox, intake.outbox, intake.audit_outbox");
}

static inline void letters_end(void)
{
    PQfinish(owner);
    arena_free(letters);
    ring_folder_remove(ring_folder);
}

static inline struct work *work_of(const struct service *service)
{
    ring_as(service->name);
    struct work *work = work_new(service);
    ring_as("intake");
    ck_assert_ptr_nonnull(work);
    return work;
}

struct letter {
    const char *by;    /* whose key seals it */
    const char *named; /* as whom it is sealed; NULL: as `by` */
    Bus__Envelope envelope;
};

/* A right letter from `from`, of a fresh act. */
static inline struct letter letter_make(const char *from, const char *route, const ProtobufCMessage *request)
{
    struct letter letter = {.by = from};
    size_t size = protobuf_c_message_get_packed_size(request);
    uint8_t *payload = arena_take(letters, size + 1), *key = arena_take(letters, 32), *id = arena_take(letters, 16);
    protobuf_c_message_pack(request, payload);
    ck_assert(RAND_bytes(key, 32) == 1 && RAND_bytes(id, 16) == 1);
    bus__envelope__init(&letter.envelope);
    letter.envelope.message_id = (ProtobufCBinaryData){16, id};
    letter.envelope.idempotency_key = (ProtobufCBinaryData){32, key};
    letter.envelope.route = (char *)route;
    letter.envelope.sender = (char *)from;
    letter.envelope.recipient = "intake";
    letter.envelope.sent_at_ms = clock_ms();
    letter.envelope.deadline_ms = clock_ms() + 10000;
    letter.envelope.correlation = "0b1d3c5e-0000-4000-8000-00000000000a";
    letter.envelope.payload = (ProtobufCBinaryData){size, payload};
    return letter;
}

static inline struct letter submit_letter(const char *from, const char *document)
{
    Intake__SubmitRequest request = INTAKE__SUBMIT_REQUEST__INIT;
    request.document = (ProtobufCBinaryData){strlen(document), (uint8_t *)document};
    request.portal_pseudonym = "pseudonym-1";
    return letter_make(from, "intake_submit", &request.base);
}

static inline struct sealer *sealer_by(const struct letter *letter)
{
    ring_as(letter->by);
    struct sealer *sealer = sealer_new(letter->named ? letter->named : letter->by);
    ring_as("intake");
    ck_assert_ptr_nonnull(sealer);
    return sealer;
}

struct answer {
    bool came;
    enum outcome outcome;
    enum fault_code code;
    char field[FAULT_FIELD_MAX];
    struct bytes payload;
};

static inline struct bytes letter_frame(struct sealer *sealer, const struct letter *letter)
{
    size_t size = bus__envelope__get_packed_size(&letter->envelope);
    uint8_t *plain = arena_take(letters, size);
    ck_assert_ptr_nonnull(plain);
    bus__envelope__pack(&letter->envelope, plain);
    struct bytes frame = seal_put(sealer, letters, SEAL_REQUEST, "intake", plain, size);
    ck_assert_ptr_nonnull(frame.data);
    return frame;
}

static inline struct answer answer_read(struct sealer *sealer, const struct letter *letter, struct bytes frame)
{
    struct answer answer = {.came = frame.data != NULL};
    struct seal_peer peer;
    struct fault fault;
    if (!answer.came)
        return answer;
    struct bytes plain = seal_take(sealer, letters, SEAL_REPLY, frame.data, frame.len, &peer, &fault);
    ck_assert_ptr_nonnull(plain.data);
    ck_assert_str_eq(peer.name, "intake");
    Bus__Envelope *reply = bus__envelope__unpack(arena_allocator(letters), plain.len, plain.data);
    ck_assert_ptr_nonnull(reply);
    ck_assert_uint_eq(reply->in_reply_to.len, letter->envelope.message_id.len);
    ck_assert_mem_eq(reply->in_reply_to.data, letter->envelope.message_id.data, reply->in_reply_to.len);
    answer.outcome = (enum outcome)reply->outcome;
    answer.code = answer.outcome == OUTCOME_DONE ? FAULT_NONE : fault_code_parse(reply->fault_code);
    snprintf(answer.field, sizeof answer.field, "%s", reply->fault_field);
    answer.payload = (struct bytes){reply->payload.data, reply->payload.len};
    return answer;
}

static inline struct answer letter_send(struct work *work, const struct letter *letter)
{
    struct sealer *sealer = sealer_by(letter);
    struct bytes frame = letter_frame(sealer, letter);
    struct answer answer = answer_read(sealer, letter, dispatch(work, frame.data, frame.len));
    sealer_free(sealer);
    return answer;
}

/* Refused with this code, and nothing else said. */
static inline void assert_refused(struct answer answer, enum fault_code wanted)
{
    ck_assert(answer.came);
    ck_assert_str_eq(fault_code_text(answer.code), fault_code_text(wanted));
    ck_assert_int_eq(answer.outcome, fault_outcome(wanted));
    ck_assert_uint_eq(answer.payload.len, 0);
}

/* The token of a person, as staff signs it. */
static inline char *token_make(const struct key *key, const char *manager, const char *right, int64_t expires_at_ms)
{
    Staff__Actor actor = STAFF__ACTOR__INIT;
    uint8_t packed[512], signature[64];
    char *rights[] = {(char *)right};
    actor.account = "sato";
    actor.role = "reviewer";
    actor.manager = (char *)manager;
    actor.rights = rights;
    actor.n_rights = 1;
    actor.terminal = "terminal-1";
    actor.session = "session-1";
    actor.expires_at_ms = expires_at_ms;
    size_t size = staff__actor__pack(&actor, packed);
    ck_assert(key_sign(key, packed, size, signature));
    return arena_format(letters, "%s.%s", base64url_put(letters, packed, size), base64url_put(letters, signature, 64));
}

/* Every chain of records of use is without gap and links up. Returns the number of records. */
static inline int chains_check(void)
{
    PGresult *rows = PQexecParams(owner,
        "SELECT instance::text || worker, sequence, previous, digest, event FROM intake.audit_outbox "
        "ORDER BY instance, worker, sequence",
        0, NULL, NULL, NULL, NULL, 1);
    ck_assert_int_eq(PQresultStatus(rows), PGRES_TUPLES_OK);
    int count = PQntuples(rows);
    uint8_t digest[32] = {0};
    for (int i = 0; i < count; i++) {
        bool first = i == 0 || strcmp(PQgetvalue(rows, i, 0), PQgetvalue(rows, i - 1, 0)) != 0;
        if (first)
            memset(digest, 0, sizeof digest);
        ck_assert_int_eq(pg_get_integer(rows, i, 1), first ? 1 : pg_get_integer(rows, i - 1, 1) + 1);
        ck_assert_mem_eq(PQgetvalue(rows, i, 2), digest, 32);
        struct bytes event = {(uint8_t *)PQgetvalue(rows, i, 4), (size_t)PQgetlength(rows, i, 4)};
        ck_assert(audit_link_check(
            digest, (uint64_t)pg_get_integer(rows, i, 1), event, (const uint8_t *)PQgetvalue(rows, i, 3)));
        memcpy(digest, PQgetvalue(rows, i, 3), 32);
    }
    PQclear(rows);
    return count;
}

#endif
