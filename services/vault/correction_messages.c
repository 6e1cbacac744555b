#include "vault/correction_messages.h"

#include "chassis/settings.h"
#include "vault/correction_store.h"
#include "vault/number_messages.h"
#include "vault/vault_setup.h"

#include "vault.pb-c.h"

#define SWEEP_MS 60000

bool corrections_check(const ProtobufCMessage *message, struct fault *fault)
{
    return manager_check(((const Vault__CorrectionsRequest *)message)->manager, fault);
}

static Vault__Correction *correction_show(struct work *work, const PGresult *rows, int row)
{
    struct arena *arena = work->arena;
    Vault__Correction *shown = arena_take(arena, sizeof *shown);
    if (!shown)
        return NULL;
    vault__correction__init(shown);
    shown->correction = pg_get_text(rows, row, 0, arena);
    shown->kind = pg_get_text(rows, row, 1, arena);
    shown->pseudonym = pg_get_text(rows, row, 2, arena);
    shown->other = pg_get_text(rows, row, 3, arena);
    shown->other_in_force = pg_get_bool(rows, row, 4);
    shown->reason = pg_get_text(rows, row, 5, arena);
    shown->asked_by = pg_get_text(rows, row, 6, arena);
    shown->asked_on = pg_get_text(rows, row, 7, arena);
    shown->lapses_on = pg_get_text(rows, row, 8, arena);
    return shown->lapses_on ? shown : NULL;
}

enum outcome corrections_act(struct work *work)
{
    const Vault__CorrectionsRequest *request = (const Vault__CorrectionsRequest *)work->request;
    Vault__CorrectionsReply reply = VAULT__CORRECTIONS_REPLY__INIT;
    if (!work_permits(work, &(struct affair){.manager = request->manager, .body = ""}))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    PGresult *rows = corrections_open(work, setting_number("SHIKAKU_CORRECTION_DAYS"));
    size_t count = rows ? (size_t)PQntuples(rows) : 0;
    reply.corrections = arena_take(work->arena, (count + 1) * sizeof *reply.corrections);
    bool shown = rows && reply.corrections;
    for (size_t i = 0; shown && i < count; i++)
        shown = (reply.corrections[reply.n_corrections++] = correction_show(work, rows, (int)i)) != NULL;
    PQclear(rows);
    if (!shown)
        return work_refuse_with(work, work->fault.code ? work->fault.code : FAULT_too_large, NULL);
    if (count)
        work_audit(work, &(struct touch){.count = (uint32_t)count});
    return work_commit(work, &reply.base);
}

static int lapse_at(struct work *work, const char *manager)
{
    if (!work_begin(work, manager))
        return 0;
    PGresult *rows = corrections_lapse(work, setting_number("SHIKAKU_CORRECTION_DAYS"));
    int count = rows ? PQntuples(rows) : 0;
    for (int i = 0; i < count; i++) {
        const char *pseudonym = PQgetvalue(rows, i, 0), *other = PQgetvalue(rows, i, 1);
        char *subject = arena_format(work->arena, "%s%s%s", pseudonym, *other ? " " : "", other);
        work_audit(work, &(struct touch){.act = "correction_lapsed",
                             .subject = subject,
                             .reason = pg_get_text(rows, i, 2, work->arena),
                             .count = *other ? 2 : 1});
    }
    PQclear(rows);
    return work_commit(work, NULL) == OUTCOME_DONE ? count : 0;
}

int corrections_sweep(struct work *work, const struct lane *lane)
{
    const char *const *managers;
    size_t known = vault_managers(&managers);
    int lapsed = 0;
    (void)lane;
    for (size_t i = 0; i < known; i++)
        lapsed += lapse_at(work, managers[i]);
    return lapsed;
}

int corrections_turn(struct work *work, const struct lane *lane)
{
    static _Atomic int64_t swept_at_ms;
    int64_t now = clock_ms();
    if (now - swept_at_ms < SWEEP_MS)
        return 0;
    swept_at_ms = now;
    return corrections_sweep(work, lane);
}
