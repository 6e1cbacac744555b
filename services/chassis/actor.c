#include "chassis/actor.h"

#include "chassis/arena.h"
#include "chassis/jwe.h"
#include "chassis/keyring.h"
#include "chassis/session_watch.h"
#include "chassis/settings.h"
#include "chassis/work.h"
#include "staff.pb-c.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SIGNERS_MAX 2  /* two while one rotates */
#define CACHE_SLOTS 32 /* per thread, 24 KiB; a person's requests come in bursts */
#define SIGNATURE_BYTES 64
#define DECODE_MAX 16384

static struct {
    pthread_mutex_t lock;
    struct timespec changed; /* of the file when it was read */
    ino_t inode;
    size_t count;
    uint8_t keys[SIGNERS_MAX][32];
} signers = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct verified {
    uint8_t token[SHA256_DIGEST_LENGTH];
    struct actor actor; /* account "" where the slot is empty */
};
static _Thread_local struct verified cache[CACHE_SLOTS];

/* staff writes the file at its start, which may be after ours; it changes when its key rotates. */
static void signers_read(void)
{
    char path[512], line[80];
    struct stat state;
    snprintf(path, sizeof path, "%s/peers/staff.sign.pub", setting_text("SHIKAKU_KEYS"));
    if (stat(path, &state) != 0)
        return;
    if (signers.count && state.st_ino == signers.inode &&
        memcmp(&state.st_mtim, &signers.changed, sizeof state.st_mtim) == 0)
        return;
    FILE *in = fopen(path, "re");
    if (!in)
        return;
    signers.changed = state.st_mtim;
    signers.inode = state.st_ino;
    signers.count = 0;
    while (signers.count < SIGNERS_MAX && fgets(line, sizeof line, in)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (hex_take(signers.keys[signers.count], 32, line))
            signers.count++;
    }
    fclose(in);
}

/* A copy, so that threads verify side by side. */
static size_t signers_copy(uint8_t keys[SIGNERS_MAX][32], bool look_again)
{
    pthread_mutex_lock(&signers.lock);
    if (look_again)
        signers_read();
    size_t count = signers.count;
    memcpy(keys, signers.keys, sizeof signers.keys);
    pthread_mutex_unlock(&signers.lock);
    return count;
}

static bool signed_by_any(uint8_t (*keys)[32], size_t count, const struct bytes *payload, const struct bytes *signature)
{
    for (size_t i = 0; i < count; i++)
        if (key_signature_check(keys[i], payload->data, payload->len, signature->data))
            return true;
    return false;
}

static bool signed_by_staff(const struct bytes *payload, const struct bytes *signature)
{
    uint8_t keys[SIGNERS_MAX][32], newer[SIGNERS_MAX][32];
    if (signature->len != SIGNATURE_BYTES)
        return false;
    size_t count = signers_copy(keys, false);
    if (signed_by_any(keys, count, payload, signature))
        return true;
    size_t newer_count = signers_copy(newer, true);
    bool changed = newer_count != count || memcmp(keys, newer, sizeof keys) != 0;
    return changed && signed_by_any(newer, newer_count, payload, signature);
}

static bool text_fits(char *to, size_t size, const char *from)
{
    size_t len = strlen(from);
    if (len >= size)
        return false;
    memcpy(to, from, len + 1);
    return true;
}

static bool programmes_join(struct actor *actor, char *const *names, size_t count)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        int added =
            snprintf(actor->programmes + used, sizeof actor->programmes - used, "%s%s,", used ? "" : ",", names[i]);
        if (added < 0 || (size_t)added >= sizeof actor->programmes - used)
            return false;
        used += (size_t)added;
    }
    return true;
}

/* Rights of a later version of the table are not ours to check, so a name that we do not know gives nothing. */
static unsigned rights_collect(char *const *names, size_t count)
{
    unsigned rights = 0;
    for (size_t i = 0; i < count; i++)
        for (int right = 0; right < RIGHTS; right++)
            if (strcmp(names[i], right_name(right)) == 0)
                rights |= 1u << right;
    return rights;
}

/* One for a right that we do not know gives nothing; one that does not fit spoils the token. */
static bool loans_fill(struct actor *actor, const Staff__Actor *said)
{
    for (size_t i = 0; i < said->n_loans; i++) {
        const Staff__ActorLoan *from = said->loans[i];
        struct loan *loan = &actor->loans[actor->loan_count];
        unsigned right = rights_collect(&said->loans[i]->right, 1);
        if (!right)
            continue;
        if (actor->loan_count == ACTOR_LOANS_MAX || !*from->loan || !text_fits(loan->id, sizeof loan->id, from->loan) ||
            !text_fits(loan->purpose, sizeof loan->purpose, from->purpose) ||
            !text_fits(loan->programme, sizeof loan->programme, from->programme))
            return false;
        loan->right = (enum right)__builtin_ctz(right);
        loan->until_ms = from->until_ms;
        actor->rights |= right;
        actor->loan_count++;
    }
    return true;
}

static bool tag_take(uint8_t tag[LIKENESS_TAG_BYTES], const ProtobufCBinaryData *said)
{
    if (said->len != LIKENESS_TAG_BYTES)
        return false;
    memcpy(tag, said->data, said->len);
    return true;
}

static bool actor_fill(struct actor *actor, const Staff__Actor *said)
{
    memset(actor, 0, sizeof *actor);
    actor->rights = rights_collect(said->rights, said->n_rights);
    actor->expires_at_ms = said->expires_at_ms;
    actor->rights_version = said->rights_version;
    actor->tags.has_name = tag_take(actor->tags.name, &said->name_tag);
    actor->tags.has_family = tag_take(actor->tags.family, &said->family_tag);
    return *said->account && *said->manager && *said->session &&
           text_fits(actor->account, sizeof actor->account, said->account) &&
           text_fits(actor->role, sizeof actor->role, said->role) &&
           text_fits(actor->manager, sizeof actor->manager, said->manager) &&
           text_fits(actor->terminal, sizeof actor->terminal, said->terminal) &&
           text_fits(actor->session, sizeof actor->session, said->session) &&
           text_fits(actor->body, sizeof actor->body, said->body) &&
           text_fits(actor->person, sizeof actor->person, said->person) &&
           programmes_join(actor, said->programmes, said->n_programmes) && loans_fill(actor, said);
}

static bool token_open(const char *token, size_t len, struct actor *actor)
{
    bool good = false;
    const char *dot = memchr(token, '.', len);
    struct arena *arena = dot ? arena_new(DECODE_MAX) : NULL;
    struct bytes payload, signature;
    if (!arena)
        return false;
    if (!base64url_take(arena, token, (size_t)(dot - token), &payload) ||
        !base64url_take(arena, dot + 1, len - (size_t)(dot + 1 - token), &signature) ||
        !signed_by_staff(&payload, &signature))
        goto out;
    const Staff__Actor *said = staff__actor__unpack(arena_allocator(arena), payload.len, payload.data);
    good = said && actor_fill(actor, said);
out:
    arena_free(arena);
    return good;
}

bool actor_verify(const char *token, int64_t now_ms, struct actor *actor, struct fault *fault)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    size_t len = token ? strnlen(token, ACTOR_TOKEN_MAX + 1) : 0;
    if (len == 0 || len > ACTOR_TOKEN_MAX)
        return fault_set(fault, FAULT_not_authenticated, NULL);
    SHA256((const uint8_t *)token, len, digest);
    struct verified *slot = &cache[digest[0] % CACHE_SLOTS];
    if (!*slot->actor.account || memcmp(slot->token, digest, sizeof digest) != 0) {
        struct verified fresh;
        if (!token_open(token, len, &fresh.actor))
            return fault_set(fault, FAULT_not_authenticated, NULL);
        memcpy(fresh.token, digest, sizeof digest);
        *slot = fresh;
    }
    if (slot->actor.expires_at_ms <= now_ms)
        return fault_set(fault, FAULT_not_authenticated, NULL);
    if (!session_check(slot->actor.session, fault))
        return false;
    *actor = slot->actor;
    return true;
}

bool actor_has(const struct actor *actor, enum right right)
{
    return actor->rights & (1u << right);
}
