/* Random tampering with the log, of every kind that is in the power of the database's superuser: none goes unseen by
 * the verifier. The mass is done to the rows as an export shows them, in memory; a sample in the database itself, by
 * SQL. SHIKAKU_TAMPERINGS says how many (default 10,000), SHIKAKU_SEED from which seed. */
#include "store/audit.h"

#include <endian.h>

#define RECORDS 64
#define ENTRIES_MAX (2 * RECORDS + 8)
#define SAMPLE 200
#define HEAD_EVERY 16

static uint64_t state;

static uint64_t draw(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

static long setting(const char *name, long fallback)
{
    const char *set = getenv(name);
    return set && *set ? atol(set) : fallback;
}

/* The log in memory */

struct copy {
    struct bytes entries[ENTRIES_MAX];
    int count;
    char heads[4096];
};
static struct copy whole, old, other; /* old: an earlier state; other: what went on from there elsewhere */

static struct bytes entry_copy(struct bytes entry)
{
    return arena_copy(arena, entry.data, entry.len);
}

static void copy_take(struct copy *copy)
{
    struct fault fault = {0};
    char *export = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&export, &len);
    ck_assert(log_export(pg, to, &fault));
    fclose(to);
    copy->count = 0;
    for (size_t at = strlen("shikaku audit export 1\n"); at < len;) {
        uint32_t size;
        memcpy(&size, export + at, 4);
        size = be32toh(size);
        copy->entries[copy->count++] = arena_copy(arena, export + at + 4, size);
        at += 4 + size;
    }
    free(export);
    FILE *heads = fopen(witness, "re");
    copy->heads[fread(copy->heads, 1, sizeof copy->heads - 1, heads)] = '\0';
    fclose(heads);
}

static struct verdict copy_verify(const struct copy *copy)
{
    static char export[ENTRIES_MAX * 600];
    static struct keys keys;
    struct verdict verdict;
    size_t len = (size_t)sprintf(export, "shikaku audit export 1\n");
    if (!keys.count)
        keys_load(&keys);
    for (int i = 0; i < copy->count; i++) {
        uint32_t size = htobe32((uint32_t)copy->entries[i].len);
        ck_assert(len + 4 + copy->entries[i].len < sizeof export);
        memcpy(export + len, &size, 4);
        memcpy(export + len + 4, copy->entries[i].data, copy->entries[i].len);
        len += 4 + copy->entries[i].len;
    }
    FILE *from = fmemopen(export, len, "r"), *heads = fmemopen((char *)copy->heads, strlen(copy->heads), "r");
    log_verify(from, heads, &keys, &verdict);
    fclose(from);
    fclose(heads);
    return verdict;
}

static void position_set(struct bytes *entry, uint64_t position)
{
    uint64_t big = htobe64(position);
    *entry = entry_copy(*entry);
    memcpy(entry->data + 1, &big, 8);
}

static void renumber(struct copy *copy)
{
    for (int i = 0; i < copy->count; i++)
        position_set(&copy->entries[i], (uint64_t)i);
}

/* Tamperings of the copy. Each changes something. */

static void edit(struct copy *copy)
{
    struct bytes *entry = &copy->entries[draw((uint64_t)copy->count)];
    *entry = entry_copy(*entry);
    entry->data[1 + draw(entry->len - 1)] ^= (uint8_t)(1 + draw(255));
}

static void lengthen(struct copy *copy)
{
    struct bytes *entry = &copy->entries[draw((uint64_t)copy->count)], longer;
    longer = (struct bytes){arena_take(arena, entry->len + 1), entry->len + 1};
    memcpy(longer.data, entry->data, entry->len);
    longer.data[entry->len] = (uint8_t)draw(256);
    *entry = longer;
}

static void entry_remove(struct copy *copy, int at)
{
    memmove(&copy->entries[at], &copy->entries[at + 1], (size_t)(--copy->count - at) * sizeof *copy->entries);
}

static void delete (struct copy *copy)
{
    int count = 1 + (int)draw(3);
    while (count--)
        entry_remove(copy, (int)draw((uint64_t)copy->count));
    if (draw(2))
        renumber(copy);
}

/* As if its time had been over: a leaf and the claim of a deletion. */
static void delete_quietly(struct copy *copy)
{
    int at = (int)draw((uint64_t)copy->count);
    uint64_t claimed = htobe64((uint64_t)at + 1 + draw(RECORDS));
    struct bytes left = {arena_take(arena, 49), 49};
    left.data[0] = 0x02;
    memcpy(left.data + 1, copy->entries[at].data + 1, 8);
    memcpy(left.data + 9, &claimed, 8);
    merkle_leaf(copy->entries[at].data, copy->entries[at].len, left.data + 17);
    copy->entries[at] = left;
}

static void insert(struct copy *copy)
{
    int at = (int)draw((uint64_t)copy->count), from = (int)draw((uint64_t)copy->count);
    struct bytes made = entry_copy(copy->entries[from]);
    memmove(&copy->entries[at + 1], &copy->entries[at], (size_t)(copy->count++ - at) * sizeof *copy->entries);
    copy->entries[at] = made;
    uint64_t worker = draw(2);
    if (worker) { /* as the first record of a worker nobody knows */
        uint64_t first = htobe64(1);
        memset(made.data + 17, (int)draw(256), 16);
        memcpy(made.data + 37, &first, 8);
    }
    renumber(copy);
}

static void reorder(struct copy *copy)
{
    int one = (int)draw((uint64_t)copy->count), two = (one + 1 + (int)draw((uint64_t)copy->count - 1)) % copy->count;
    struct bytes moved = copy->entries[one];
    copy->entries[one] = copy->entries[two];
    copy->entries[two] = moved;
    if (draw(2))
        renumber(copy);
}

/* The events of two records change places; all else stays. They have the same length. */
static void swap(struct copy *copy)
{
    int one = (int)draw((uint64_t)copy->count), two;
    do
        two = (int)draw((uint64_t)copy->count);
    while (two == one);
    struct bytes a = entry_copy(copy->entries[one]), b = entry_copy(copy->entries[two]);
    size_t from = 60 + draw(a.len < b.len ? a.len - 60 : b.len - 60), len = (a.len < b.len ? a.len : b.len) - from;
    if (memcmp(a.data + from, b.data + from, len) == 0)
        from = 60, len = (a.len < b.len ? a.len : b.len) - from;
    memcpy(a.data + from, copy->entries[two].data + from, len);
    memcpy(b.data + from, copy->entries[one].data + from, len);
    copy->entries[one] = a;
    copy->entries[two] = b;
}

static void cut(struct copy *copy)
{
    copy->count = (int)draw((uint64_t)copy->count);
}

static void old_restore(struct copy *copy)
{
    int more = (int)draw((uint64_t)other.count - (uint64_t)old.count + 1);
    memcpy(copy->entries, other.entries, (size_t)(old.count + more) * sizeof *copy->entries);
    copy->count = old.count + more;
}

/* Whoever reaches the witness cannot make a head of it, only spoil one. */
static void head_replace(struct copy *copy)
{
    size_t len = strlen(copy->heads), at;
    static const char digits[] = "0123456789abcdef";
    do
        at = draw(len);
    while (!strchr(digits, copy->heads[at]));
    char was = copy->heads[at];
    do
        copy->heads[at] = digits[draw(10)];
    while (copy->heads[at] == was);
}

static const struct {
    const char *name;
    void (*act)(struct copy *copy);
} kinds[] = {{"edit", edit}, {"lengthen", lengthen}, {"delete", delete}, {"delete quietly", delete_quietly},
    {"insert", insert}, {"reorder", reorder}, {"swap", swap}, {"cut", cut}, {"restore an old copy", old_restore},
    {"replace a head", head_replace}};
#define KINDS (sizeof kinds / sizeof *kinds)

/* The log grows by turns of three workers, a head every HEAD_EVERY records. */
static void log_make(void)
{
    static struct worker workers[3];
    for (uint32_t i = 0; i < 3; i++) {
        worker_init(&workers[i], i);
        records_make(&workers[i], RECORDS);
    }
    for (size_t made = 0, sent[3] = {0}; made < RECORDS; made++) {
        size_t which = draw(3);
        relay(&workers[which], sent[which], sent[which] + 1);
        sent[which]++;
        if ((made + 1) % HEAD_EVERY == 0)
            sign();
    }
}

/* From the old copy on, elsewhere: the same workers sent their records in another order. */
static void other_make(void)
{
    other = whole;
    for (int i = old.count; i + 1 < other.count; i += 2) {
        struct bytes moved = other.entries[i];
        other.entries[i] = other.entries[i + 1];
        other.entries[i + 1] = moved;
    }
    renumber(&other);
}

/* LOG-1, LOG-2, STORE-4 */
START_TEST(no_tampering_goes_unseen)
{
    long count = setting("SHIKAKU_TAMPERINGS", 10000), tried[KINDS] = {0};
    static struct copy copy;
    log_make();
    copy_take(&whole);
    ck_assert(copy_verify(&whole).whole);
    old = whole;
    old.count = RECORDS / 2;
    other_make();
    for (long i = 0; i < count; i++) {
        size_t kind = draw(KINDS);
        struct arena *keep = arena;
        arena = arena_new(4 * 1024 * 1024);
        copy = whole;
        kinds[kind].act(&copy);
        struct verdict verdict = copy_verify(&copy);
        ck_assert_msg(!verdict.whole, "tampering %ld, %s, was not found", i, kinds[kind].name);
        arena_free(arena);
        arena = keep;
        tried[kind]++;
    }
    for (size_t kind = 0; kind < KINDS; kind++)
        printf("%-20s %ld tried, all found\n", kinds[kind].name, tried[kind]);
}
END_TEST

static const char *const statements[] = {
    "UPDATE audit.log SET event = event || '\\x00' WHERE position = %d",
    "UPDATE audit.log SET event = set_byte(event, %2$d, 255 - get_byte(event, %2$d)) WHERE position = %1$d",
    "UPDATE audit.log SET appended_ms = appended_ms + 1 WHERE position = %d",
    "UPDATE audit.log SET manager = 'saitama' WHERE position = %d",
    "UPDATE audit.log SET outcome = 'not_permitted', leaf = sha256(event) WHERE position = %d",
    "UPDATE audit.log SET sequence = sequence + 1000 WHERE position = %d",
    "UPDATE audit.log SET tokens = tokens || %2$d::bigint WHERE position = %1$d",
    "UPDATE audit.log SET position = position + 5000 WHERE position = %d",
    "UPDATE audit.log SET kind = 'search' WHERE position = %d",
    "DELETE FROM audit.log WHERE position = %d",
    "DELETE FROM audit.log WHERE position >= %d",
    "WITH gone AS (DELETE FROM audit.log WHERE position = %d RETURNING position, leaf) "
    "INSERT INTO audit.leaf SELECT position, leaf, position + 1 FROM gone",
    "INSERT INTO audit.log SELECT * FROM audit.log WHERE position = %d",
    "UPDATE audit.log a SET event = b.event, tokens = b.tokens FROM audit.log b WHERE a.position = %d "
    "AND b.position = 63 - a.position",
    "UPDATE audit.log SET position = 63 - position WHERE position %% 64 = %d OR position > 40",
    "TRUNCATE audit.log",
};

/* LOG-1, LOG-2: the same by SQL; every transaction is verified before it is undone */
START_TEST(no_statement_of_the_superuser_goes_unseen)
{
    log_make();
    for (int i = 0; i < SAMPLE; i++) {
        char sql[512];
        struct fault fault = {0};
        snprintf(sql, sizeof sql, statements[(size_t)i % (sizeof statements / sizeof *statements)], (int)draw(RECORDS),
            (int)draw(100));
        pg_begin(owner, "*");
        struct pg_value text = pg_text(sql);
        PGresult *done = pg_query(owner, "SELECT audit.statement_do($1)", &fault, &text, 1);
        ck_assert_msg(done != NULL, "the superuser can do: %s", sql);
        PQclear(done);
        struct verdict verdict = verify_by(owner);
        ck_assert_msg(!verdict.whole, "not found: %s", sql);
    }
    ck_assert(verify().whole);
}
END_TEST

/* LOG-2: what no head covers yet, at most a second's records or a thousand, is the window in which records can be cut
 * off unseen; the verifier says how many it could not vouch for, and the next head closes it */
START_TEST(the_window_before_the_next_head_is_told)
{
    static struct worker one;
    worker_init(&one, 1);
    records_make(&one, 20);
    relay(&one, 0, 10);
    sign();
    relay(&one, 10, 16);
    struct verdict verdict = verify();
    ck_assert(verdict.whole);
    ck_assert_uint_eq(verdict.uncovered, 6);
    pg_begin(owner, "*");
    tamper("DELETE FROM audit.log WHERE position >= 12");
    verdict = verify_by(owner);
    ck_assert(verdict.whole);
    ck_assert_uint_eq(verdict.uncovered, 2);
    /* Out of the middle it shows at once: a worker's records are numbered. */
    pg_begin(owner, "*");
    tamper("DELETE FROM audit.log WHERE position = 12");
    ck_assert(!verify_by(owner).whole);
    sign();
    ck_assert_uint_eq(verify().uncovered, 0);
    pg_begin(owner, "*");
    tamper("DELETE FROM audit.log WHERE position >= 12");
    ck_assert(!verify_by(owner).whole);
}
END_TEST

static void statement_function_make(void)
{
    setup();
    tamper("CREATE FUNCTION audit.statement_do(sql text) RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE sql; END'");
}

int main(void)
{
    journal_open("test");
    state = (uint64_t)setting("SHIKAKU_SEED", 20261121);
    TCase *log = tcase_create("tampering");
    tcase_add_checked_fixture(log, statement_function_make, teardown);
    tcase_set_timeout(log, 600);
    tcase_add_test(log, no_tampering_goes_unseen);
    tcase_add_test(log, no_statement_of_the_superuser_goes_unseen);
    tcase_add_test(log, the_window_before_the_next_head_is_told);
    Suite *suite = suite_create("audit_tampering");
    suite_add_tcase(suite, log);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
