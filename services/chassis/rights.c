#include "chassis/rights_table.h"

#include "chassis/journal.h"
#include "chassis/meters.h"
#include "chassis/session_watch.h"
#include "chassis/work.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOOK_EVERY_MS 1000
#define FILE_MAX (256 * 1024)

/* Readers take the pointer and need no lock; the lock orders those who bring a new table. */
static _Atomic(const struct rights_table *) in_force;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char path[512];
static struct stat seen;
static _Atomic int64_t looked_at_ms;

static void table_put_in_force(struct rights_table *table)
{
    table->before = atomic_load(&in_force);
    atomic_store(&in_force, table);
    meter_set(METER_rights_table_version, "table", table->edition.version);
}

static bool file_read(char *text, size_t *len)
{
    FILE *in = fopen(path, "re");
    if (!in || fstat(fileno(in), &seen) != 0) {
        if (in)
            fclose(in);
        return false;
    }
    *len = fread(text, 1, FILE_MAX, in);
    bool whole = !ferror(in) && *len < FILE_MAX;
    fclose(in);
    return whole;
}

static struct rights_table *table_load(struct fault *fault)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    size_t len = 0;
    char *text = malloc(FILE_MAX);
    json_t *json = NULL;
    struct rights_table *table = NULL;
    if (!text || !file_read(text, &len)) {
        fault_set(fault, FAULT_unavailable, "SHIKAKU_RIGHTS");
        goto out;
    }
    if (!(json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL))) {
        fault_set(fault, FAULT_malformed, "SHIKAKU_RIGHTS");
        goto out;
    }
    if (!(table = rights_table_read(json, fault)))
        goto out;
    SHA256((const uint8_t *)text, len, digest);
    hex_put(table->edition.sha256, digest, sizeof digest);
out:
    json_decref(json);
    free(text);
    return table;
}

bool rights_open(const char *file, struct fault *fault)
{
    snprintf(path, sizeof path, "%s", file);
    struct rights_table *table = table_load(fault);
    if (table)
        table_put_in_force(table);
    return table != NULL;
}

bool rights_take(const json_t *json, struct fault *fault)
{
    struct rights_table *table = rights_table_read(json, fault);
    path[0] = '\0';
    if (table)
        table_put_in_force(table);
    return table != NULL;
}

/* A changed file under the same version would be a change that nobody can have reviewed. */
static void table_renew(void)
{
    struct fault fault = {0};
    const struct rights_table *now = atomic_load(&in_force);
    struct rights_table *fresh = table_load(&fault);
    if (fresh && strcmp(fresh->edition.sha256, now->edition.sha256) == 0) {
        free(fresh);
        return;
    }
    if (fresh && fresh->edition.version <= now->edition.version) {
        free(fresh);
        fresh = NULL;
        fault_set(&fault, FAULT_malformed, "version");
    }
    if (!fresh) {
        journal(JOURNAL_ERROR, NULL, "rights_table_refused", WORD("code", fault_code_text(fault.code)),
            WORD("field", fault.field));
        return;
    }
    table_put_in_force(fresh);
    journal(JOURNAL_INFO, NULL, "rights_table_in_force", NUMBER("version", fresh->edition.version));
}

static void file_look(void)
{
    struct stat now;
    pthread_mutex_lock(&lock);
    if (*path && stat(path, &now) == 0 &&
        (now.st_ino != seen.st_ino || now.st_size != seen.st_size ||
            memcmp(&now.st_mtim, &seen.st_mtim, sizeof now.st_mtim) != 0))
        table_renew();
    pthread_mutex_unlock(&lock);
}

static const struct rights_table *table_now(void)
{
    int64_t now = clock_ms(), last = atomic_load(&looked_at_ms);
    if (now - last >= LOOK_EVERY_MS && atomic_compare_exchange_strong(&looked_at_ms, &last, now))
        file_look();
    return atomic_load(&in_force);
}

/* By whose table a token was made is never older knowledge than ours: otherwise a right that was taken away meanwhile
 * could be used here for longer. */
static const struct rights_table *table_for(const struct actor *actor)
{
    const struct rights_table *table = table_now();
    if (table && actor->rights_version > table->edition.version) {
        file_look();
        table = atomic_load(&in_force);
    }
    return table;
}

void rights_edition(struct rights_edition *edition)
{
    const struct rights_table *table = table_now();
    memset(edition, 0, sizeof *edition);
    if (table)
        *edition = table->edition;
}

static const struct role *role_find(const struct rights_table *table, const char *name)
{
    for (size_t i = 0; table && i < table->role_count; i++)
        if (strcmp(table->roles[i].name, name) == 0)
            return &table->roles[i];
    return NULL;
}

static bool role_fits(const struct role *role, const char *manager)
{
    return role->platform == (strcmp(manager, RIGHTS_PLATFORM) == 0);
}

static bool is_listed(const char *programmes, const char *programme)
{
    char listed[RIGHTS_NAME_MAX + 2];
    int len = snprintf(listed, sizeof listed, ",%s,", programme);
    return len > 2 && (size_t)len < sizeof listed && !strchr(programme, ',') && strstr(programmes, listed);
}

/* Does the grant give the right for the purpose, and on the programme (NULL: on some)? */
static bool grant_gives(const struct grant *grant, enum right right, size_t purpose, const char *programme)
{
    return grant->rights & 1u << right && grant->purposes & 1u << purpose &&
           (!programme || !*grant->programmes || is_listed(grant->programmes, programme));
}

static bool role_gives(const struct role *role, enum right right, size_t purpose, const char *programme)
{
    for (size_t i = 0; i < role->grant_count; i++)
        if (grant_gives(&role->grants[i], right, purpose, programme))
            return true;
    return false;
}

/* On which programmes could who has this role do anything at all? */
static bool role_has_programme(const struct role *role, const char *programme)
{
    for (size_t i = 0; i < role->grant_count; i++)
        if (!*role->grants[i].programmes || is_listed(role->grants[i].programmes, programme))
            return true;
    return false;
}

static const struct loan *loan_find(const struct rights_table *table, const struct actor *actor,
    const struct role *role, enum right right, size_t purpose)
{
    struct fault ended = {0};
    const struct right_rule *rule = &table->rules[right];
    if (!rule->temporary || !(rule->purposes & 1u << purpose) || (rule->personal && !role->personal_data))
        return NULL;
    for (size_t i = 0; i < actor->loan_count; i++) {
        const struct loan *loan = &actor->loans[i];
        if (loan->right == right && loan->until_ms > clock_ms() &&
            rights_table_purpose(table, loan->purpose) == purpose && session_check(loan->id, &ended))
            return loan;
    }
    return NULL;
}

static bool loan_gives(const struct loan *loan, const struct role *role, const char *programme)
{
    return !programme ||
           (role_has_programme(role, programme) && (!*loan->programme || strcmp(loan->programme, programme) == 0));
}

static size_t purpose_of(const struct rights_table *table, enum right right, const char *purpose)
{
    return *purpose ? rights_table_purpose(table, purpose) : table->rules[right].usual;
}

bool rights_permit(
    const struct actor *actor, enum right right, const char *purpose, const char *programme, struct fault *fault)
{
    if (!actor_has(actor, right))
        return fault_set(fault, FAULT_not_permitted, NULL);
    if (right == RIGHT_session)
        return true;
    const struct rights_table *table = table_for(actor);
    const struct role *role = role_find(table, actor->role);
    if (table && actor->rights_version > table->edition.version)
        return fault_set(fault, FAULT_unavailable, "rights_version");
    if (!role)
        return fault_set(fault, FAULT_not_permitted, NULL);
    if (!role_fits(role, actor->manager))
        return fault_set(fault, FAULT_not_permitted, "manager");
    size_t at = purpose_of(table, right, purpose);
    if (at == table->purpose_count)
        return fault_set(fault, FAULT_not_permitted, "purpose");
    const struct loan *loan = loan_find(table, actor, role, right, at);
    if (!loan && !role_gives(role, right, at, NULL))
        return fault_set(fault, FAULT_not_permitted, "purpose");
    bool given = loan ? loan_gives(loan, role, programme) : role_gives(role, right, at, programme);
    if (!given || (programme && *actor->programmes && !is_listed(actor->programmes, programme)))
        return fault_set(fault, FAULT_not_permitted, "programme");
    return true;
}

bool rights_need_two(const struct actor *actor, enum right right, const char *purpose, const char *programme)
{
    const struct rights_table *table = table_now();
    const struct role *role = role_find(table, actor->role);
    size_t at = role ? purpose_of(table, right, purpose) : 0;
    bool two = false;
    if (!role || at == table->purpose_count)
        return false;
    for (size_t i = 0; i < role->grant_count; i++)
        if (grant_gives(&role->grants[i], right, at, programme)) {
            if (programme && !role->grants[i].two_persons)
                return false;
            two |= role->grants[i].two_persons;
        }
    return two;
}

const struct loan *rights_loan(const struct actor *actor, enum right right, const char *purpose)
{
    const struct rights_table *table = table_now();
    const struct role *role = role_find(table, actor->role);
    size_t at = role ? purpose_of(table, right, purpose) : 0;
    return role && at < table->purpose_count ? loan_find(table, actor, role, right, at) : NULL;
}

bool rights_lend_check(
    const char *role_name, const char *right_named, const char *purpose, const char *programme, struct fault *fault)
{
    const struct rights_table *table = table_now();
    const struct role *role = role_find(table, role_name);
    int right = RIGHT_none + 1;
    while (right < RIGHTS && strcmp(right_name((enum right)right), right_named) != 0)
        right++;
    if (!role || right == RIGHTS || !table->rules[right].temporary)
        return fault_set(fault, FAULT_item_invalid, "right");
    if (table->rules[right].personal && !role->personal_data)
        return fault_set(fault, FAULT_not_permitted, "right");
    size_t at = purpose_of(table, (enum right)right, purpose);
    if (at == table->purpose_count || !(table->rules[right].purposes & 1u << at))
        return fault_set(fault, FAULT_item_invalid, "purpose");
    return !*programme || role_has_programme(role, programme) || fault_set(fault, FAULT_item_invalid, "programme");
}

/* The programmes joined of the role's grants that give one of the rights for one of the purposes; "" as soon as one
 * grant gives all. */
static void programmes_join(
    const struct role *role, unsigned rights, unsigned purposes, char programmes[RIGHTS_PROGRAMMES_MAX])
{
    size_t used = 0;
    programmes[0] = '\0';
    for (size_t i = 0; i < role->grant_count; i++) {
        const struct grant *grant = &role->grants[i];
        if (!(grant->rights & rights) || !(grant->purposes & purposes))
            continue;
        if (!*grant->programmes) {
            programmes[0] = '\0';
            return;
        }
        if (used + strlen(grant->programmes) >= RIGHTS_PROGRAMMES_MAX)
            continue; /* a list that is too long gives less, never all */
        used += (size_t)snprintf(programmes + used, RIGHTS_PROGRAMMES_MAX - used, "%s", grant->programmes + (used > 0));
    }
}

/* What stands in both lists. An empty list means all. */
static void programmes_meet(const char *one, const char *other, char both[RIGHTS_PROGRAMMES_MAX])
{
    size_t used = 0;
    char name[RIGHTS_NAME_MAX];
    if (!*one || !*other) {
        snprintf(both, RIGHTS_PROGRAMMES_MAX, "%s", *one ? one : other);
        return;
    }
    for (const char *at = one + 1; *at; at += strcspn(at, ",") + 1) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ","), at);
        if (is_listed(other, name))
            used += (size_t)snprintf(both + used, RIGHTS_PROGRAMMES_MAX - used, "%s%s,", used ? "" : ",", name);
    }
    if (!used)
        snprintf(both, RIGHTS_PROGRAMMES_MAX, ",,");
}

static void loan_programmes(const struct loan *loan, const struct role *role, char programmes[RIGHTS_PROGRAMMES_MAX])
{
    if (*loan->programme)
        snprintf(programmes, RIGHTS_PROGRAMMES_MAX, ",%s,",
            role_has_programme(role, loan->programme) ? loan->programme : "");
    else
        programmes_join(role, ~0u, ~0u, programmes);
}

void rights_programmes(
    const struct actor *actor, enum right right, const char *purpose, char programmes[RIGHTS_PROGRAMMES_MAX])
{
    char granted[RIGHTS_PROGRAMMES_MAX];
    const struct rights_table *table = table_for(actor);
    const struct role *role = role_find(table, actor->role);
    size_t at = role ? purpose_of(table, right, purpose) : 0;
    snprintf(programmes, RIGHTS_PROGRAMMES_MAX, ",,"); /* none */
    if (!role || at == table->purpose_count)
        return;
    const struct loan *loan = loan_find(table, actor, role, right, at);
    if (loan)
        loan_programmes(loan, role, granted);
    else if (role_gives(role, right, at, NULL))
        programmes_join(role, 1u << right, 1u << at, granted);
    else
        return;
    programmes_meet(actor->programmes, granted, programmes);
}

const char *rights_usual_purpose(enum right right)
{
    const struct rights_table *table = table_now();
    return table && table->rules[right].described ? table->purposes[table->rules[right].usual] : "";
}

bool rights_purpose_exists(const char *purpose)
{
    const struct rights_table *table = table_now();
    return table && rights_table_purpose(table, purpose) < table->purpose_count;
}

const char *rights_role_label(const char *role)
{
    const struct role *found = role_find(table_now(), role);
    return found ? found->label : "";
}

const char *rights_purpose_label(const char *purpose)
{
    const struct rights_table *table = table_now();
    size_t at = table ? rights_table_purpose(table, purpose) : 0;
    return table && at < table->purpose_count ? table->purpose_labels[at] : "";
}

bool rights_role_exists(const char *role)
{
    return role_find(table_now(), role) != NULL;
}

bool rights_role_fits(const char *name, const char *manager)
{
    const struct role *role = role_find(table_now(), name);
    return role && role_fits(role, manager);
}

static const struct terminal_kind *kind_find(const char *name)
{
    const struct rights_table *table = table_now();
    for (size_t i = 0; table && i < table->kind_count; i++)
        if (strcmp(table->kinds[i].name, name) == 0)
            return &table->kinds[i];
    return NULL;
}

bool rights_kind_exists(const char *kind)
{
    return kind_find(kind) != NULL;
}

unsigned rights_of(const char *role_name, const char *kind_name)
{
    const struct role *role = role_find(table_now(), role_name);
    const struct terminal_kind *kind = kind_find(kind_name);
    unsigned rights = 0;
    for (size_t i = 0; role && kind && i < role->grant_count; i++)
        rights |= role->grants[i].rights & kind->rights;
    return rights | 1u << RIGHT_session;
}

unsigned rights_at(const char *kind_name)
{
    const struct terminal_kind *kind = kind_find(kind_name);
    return kind ? kind->rights : 0;
}
