#include "legacy_sync/workbook_export.h"

#include "chassis/journal.h"
#include "chassis/jwe.h"
#include "chassis/memory_lock.h"
#include "chassis/seal_key.h"
#include "chassis/settings.h"
#include "chassis/work.h"
#include "legacy_sync/agile.h"
#include "chassis/number_guard.h"
#include "legacy_sync/password.h"
#include "legacy_sync/workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NUMBER_LABEL "個人番号"

static char export_folder[PATH_MAX], password_file[PATH_MAX];

static void place_find(const char *setting, const char *under, const char *name, char place[PATH_MAX])
{
    const char *given = setting_text(setting);
    if (*given) {
        snprintf(place, PATH_MAX, "%s", given);
    } else {
        snprintf(place, PATH_MAX, "%s/%s", setting_text(under), name);
    }
}

/* libxlsxwriter, zlib and minizip keep copies of the cells on the heap and free them as they are: here the heap
 * overwrites what is freed, and none of it is swapped where the system lets us lock memory. */
static void memory_guard(void)
{
    mallopt(M_PERTURB, 0x5A);
    if (!memory_lock())
        journal(JOURNAL_WARNING, NULL, "memory_not_locked");
}

bool workbook_export_open(struct fault *fault)
{
    place_find("SHIKAKU_EXPORT_DIR", "SHIKAKU_VAR", "export", export_folder);
    place_find("SHIKAKU_WORKBOOK_PASSWORD_FILE", "SHIKAKU_KEYS", "legacy_sync/workbook-password.json", password_file);
    memory_guard();
    if ((mkdir(export_folder, 0700) != 0 && errno != EEXIST) || access(export_folder, W_OK | X_OK) != 0) {
        return fault_set(fault, FAULT_unavailable, "SHIKAKU_EXPORT_DIR");
    }
    return true;
}

/* --- the lock --------------------------------------------------------------------------------------------------- */

static pthread_mutex_t lock_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct agile_lock lock_in_use;
static struct password lock_password; /* that lock_in_use was made from */

/* The lock of the password in force. The file is read for every workbook, so that a change counts at once, and the
 * rules are checked every time, so that a password that has grown old is not used. */
static bool lock_take(struct agile_lock *lock)
{
    struct password password;
    bool ready = password_read(&password, password_file);
    const char *broken = ready ? password_fault(&password, clock_ms() / 1000) : "file";
    if (broken) {
        journal(JOURNAL_ERROR, NULL, "workbook_password", WORD("rule", broken));
        password_wipe(&password);
        return false;
    }
    pthread_mutex_lock(&lock_mutex);
    if (strcmp(lock_password.text, password.text) != 0) {
        ready = agile_lock_make(&lock_in_use, password.text);
        lock_password = ready ? password : (struct password){0};
    }
    *lock = lock_in_use;
    pthread_mutex_unlock(&lock_mutex);
    password_wipe(&password);
    return ready;
}

/* --- the number ------------------------------------------------------------------------------------------------- */

/* Open what the vault sealed to us; the number of this pseudonym in the arena, which wipes itself. NULL: not for us, or
 * not this person's. */
static const char *number_open(struct arena *arena, const char *sealed, const char *pseudonym)
{
    struct bytes plain;
    const char *number = NULL;
    struct fault fault = {0};
    const struct key *key = sealed ? seal_key_of(sealed, "*", &fault) : NULL;
    if (!key || !jwe_open(arena, key, sealed, NULL, &plain)) {
        return NULL;
    }
    json_t *opened = json_loadb((const char *)plain.data, plain.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *numbers = json_object_get(opened, "numbers"), *first = json_array_get(numbers, 0);
    const char *whose = json_string_value(json_object_get(first, "pseudonym"));
    const char *text = json_string_value(json_object_get(first, "number"));
    if (json_array_size(numbers) == 1 && whose && strcmp(whose, pseudonym) == 0 && text && strlen(text) == 12) {
        number = arena_text(arena, text, 12);
    }
    json_decref(opened); /* jansson's memory is wiped when freed, see chassis/jwe.c */
    return number;
}

/* --- the table -------------------------------------------------------------------------------------------------- */

/* Two rows: the labels of the programme's first table, in order, and the entry's values; the number comes last. */
static bool table_make(struct arena *arena, const struct programme *programme, const json_t *fields, const char *number,
    struct workbook_table *table)
{
    const struct programme_table *of = &programme->tables[0];
    size_t columns = of->field_count + 1, used = 0;
    const char **cells = arena_take(arena, 2 * columns * sizeof *cells);
    const json_t *values = json_object_get(fields, of->key);
    if (!cells) {
        return false;
    }
    for (size_t i = 0; i < of->field_count; i++) {
        if (of->fields[i].source != PROGRAMME_NUMBER) {
            cells[used] = of->fields[i].label;
            cells[columns + used++] = json_string_value(json_object_get(values, of->fields[i].key));
        }
    }
    cells[used] = NUMBER_LABEL;
    cells[columns + used++] = number;
    if (used < columns) { /* the programme's own number field was passed over: close the gap */
        memmove(cells + used, cells + columns, used * sizeof *cells);
    }
    *table = (struct workbook_table){2, used, cells};
    return true;
}

/* --- the file --------------------------------------------------------------------------------------------------- */

static bool file_write_whole(const char *folder, const char *name, struct bytes file)
{
    char fresh[80];
    (void)mkdir(folder, 0700); /* taken away by somebody who emptied it? */
    int at = open(folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    snprintf(fresh, sizeof fresh, "%s.new", name);
    int fd = at >= 0 ? openat(at, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    bool whole = fd >= 0;
    for (size_t done = 0; whole && done < file.len;) {
        ssize_t n = write(fd, file.data + done, file.len - done);
        whole = n > 0;
        done += whole ? (size_t)n : 0;
    }
    whole = whole && fsync(fd) == 0;
    if (fd >= 0) {
        whole = close(fd) == 0 && whole;
    }
    whole = whole && renameat(at, fresh, at, name) == 0 && fsync(at) == 0;
    if (at >= 0) {
        close(at);
    }
    return whole;
}

static enum fault_code export_write(
    struct arena *arena, const struct programme *programme, const json_t *fields, const char *number, const char *name)
{
    struct workbook_table table;
    struct agile_lock lock;
    if (!lock_take(&lock)) {
        return FAULT_unavailable;
    }
    struct bytes book = {0}, file = {0};
    if (table_make(arena, programme, fields, number, &table)) {
        book = workbook_write(arena, &table, programme->tables[0].label, setting_text("SHIKAKU_SCRATCH_DIR"));
    }
    if (book.data) {
        file = agile_encrypt(arena, book.data, book.len, &lock);
    }
    agile_lock_wipe(&lock);
    return file.data && file_write_whole(export_folder, name, file) ? FAULT_NONE : FAULT_unavailable;
}

void workbook_export(struct arena *arena, const struct programme *programme, const char *hand_over,
    const LegacySync__HandOverRequest *entry, const char *sealed_number, struct delivery *delivery)
{
    json_t *fields = json_loadb((const char *)entry->fields.data, entry->fields.len, JSON_REJECT_DUPLICATES, NULL);
    const char *number = number_open(arena, sealed_number, entry->pseudonym);
    char name[64];
    snprintf(name, sizeof name, "%.36s.xlsx", hand_over);
    *delivery = (struct delivery){.cause = HAND_OVER_REFUSED, .reason = FAULT_number_unsealable};
    if (!fields) {
        delivery->reason = FAULT_malformed;
    } else if (number || !programme->legacy_number) {
        delivery->reason = export_write(arena, programme, fields, number, name);
        delivery->cause = delivery->reason == FAULT_NONE ? HAND_OVER_TAKEN : HAND_OVER_NOT_NOW;
        snprintf(delivery->reference, sizeof delivery->reference, "%s", name);
    }
    json_decref(fields);
}
