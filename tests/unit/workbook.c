/* The workbook of 准看護師籍簿: made, encrypted, opened and read back; passwords; what is broken is refused. */
#include "chassis/arena.h"
#include "legacy_sync/agile.h"
#include "legacy_sync/compound.h"
#include "legacy_sync/password.h"
#include "legacy_sync/workbook.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH "/dev/shm"
#define PASSWORD "Kani-to-Ebi-2026"

static struct arena *arena;
static struct agile_lock lock; /* under PASSWORD */

static void arena_start(void)
{
    arena = arena_new((size_t)256 << 20);
    ck_assert_ptr_nonnull(arena);
    ck_assert(agile_lock_make(&lock, PASSWORD));
}

static void arena_end(void)
{
    arena_free(arena);
}

static const char *const roll[] = {
    "資格者氏名",
    "個人番号",
    "備考", /* row 1 */
    "髙橋　𠮷子",
    "001234567895",
    NULL,
    "渡󠄀部　一郎",
    "314159265352",
    "<&>\"'改行\nあり",
};
static const struct workbook_table roll_table = {3, 3, roll};

static void same_cell(const struct workbook_table *is, size_t at, const char *wanted)
{
    const char *cell = is->cells[at];
    ck_assert_str_eq(cell ? cell : "", wanted ? wanted : "");
}

static void same_table(const struct workbook_table *is, const struct workbook_table *wanted)
{
    ck_assert_uint_eq(is->rows, wanted->rows);
    ck_assert_uint_eq(is->columns, wanted->columns);
    for (size_t i = 0; i < wanted->rows * wanted->columns; i++) {
        same_cell(is, i, wanted->cells[i]);
    }
}

/* LINK-4 */
START_TEST(what_is_written_is_read)
{
    struct workbook_table back;
    struct bytes book = workbook_write(arena, &roll_table, "准看護師籍簿", SCRATCH);
    ck_assert_ptr_nonnull(book.data);
    ck_assert(workbook_read(arena, book.data, book.len, &back));
    same_table(&back, &roll_table);
}
END_TEST

static int scratch_folders(void)
{
    DIR *dir = opendir(SCRATCH);
    int found = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        found += strncmp(entry->d_name, "shikaku-", 8) == 0;
    }
    closedir(dir);
    return found;
}

/* LINK-4: no part of a workbook is left lying, and none is written where a disk keeps it */
START_TEST(nothing_is_left_lying)
{
    int before = scratch_folders();
    ck_assert_ptr_nonnull(workbook_write(arena, &roll_table, "籍簿", SCRATCH).data);
    ck_assert_int_eq(scratch_folders(), before);
    ck_assert_ptr_null(workbook_write(arena, &roll_table, "籍簿", "/proc").data);
}
END_TEST

static bool contains(struct bytes file, const char *text)
{
    return memmem(file.data, file.len, text, strlen(text)) != NULL;
}

/* LINK-4 */
START_TEST(the_password_opens_it)
{
    struct bytes book = workbook_write(arena, &roll_table, "籍簿", SCRATCH), document;
    struct bytes file = agile_encrypt(arena, book.data, book.len, &lock);
    ck_assert_ptr_nonnull(file.data);
    ck_assert(!contains(file, "xl/worksheets"));
    ck_assert_int_eq(agile_decrypt(arena, file.data, file.len, PASSWORD, &document), AGILE_OPENED);
    ck_assert_uint_eq(document.len, book.len);
    ck_assert_mem_eq(document.data, book.data, book.len);
    ck_assert_int_eq(agile_decrypt(arena, file.data, file.len, "Kani-to-Ebi-2027", &document), AGILE_WRONG_PASSWORD);
    ck_assert_int_eq(agile_decrypt(arena, book.data, book.len, PASSWORD, &document), AGILE_NOT_ENCRYPTED);
}
END_TEST

/* LINK-4: no password that Excel could not take makes a lock */
START_TEST(odd_passwords_make_no_lock)
{
    char longest[258];
    memset(longest, 'a', sizeof longest);
    longest[255] = 0;
    ck_assert(agile_lock_make(&lock, longest));
    longest[255] = 'a';
    longest[256] = 0;
    ck_assert(!agile_lock_make(&lock, longest));
    ck_assert(!agile_lock_make(&lock, ""));
    ck_assert(!agile_lock_make(&lock, "broken \xE3\x81"));
    ck_assert(agile_lock_make(&lock, "合言葉𠮷"));
    agile_lock_wipe(&lock);
    ck_assert_int_eq(lock.spun[0] | lock.spun[63] | lock.salt[0] | lock.salt[15], 0);
}
END_TEST

/* LINK-4: every length from one byte over the bounds of blocks, segments, small streams and sectors */
START_TEST(every_length_comes_back)
{
    static const size_t lengths[] = {1, 15, 16, 17, 2048, 4072, 4079, 4080, 4088, 4095, 4096, 4097, 70000, 3000000};
    size_t len = lengths[_i];
    uint8_t *plain = malloc(len);
    struct bytes document;
    for (size_t i = 0; i < len; i++) {
        plain[i] = (uint8_t)(i * 31 + i / 256);
    }
    struct bytes file = agile_encrypt(arena, plain, len, &lock);
    ck_assert_ptr_nonnull(file.data);
    ck_assert_uint_eq(file.len % 512, 0);
    ck_assert_int_eq(agile_decrypt(arena, file.data, file.len, PASSWORD, &document), AGILE_OPENED);
    ck_assert_uint_eq(document.len, len);
    ck_assert_mem_eq(document.data, plain, len);
    free(plain);
}
END_TEST

/* LINK-4: a changed byte of the document is found before anything of it is used */
START_TEST(an_altered_file_is_refused)
{
    struct bytes book = workbook_write(arena, &roll_table, "籍簿", SCRATCH), document;
    struct bytes file = agile_encrypt(arena, book.data, book.len, &lock);
    file.data[file.len - 700] ^= 1;
    ck_assert_int_eq(agile_decrypt(arena, file.data, file.len, PASSWORD, &document), AGILE_ALTERED);
}
END_TEST

/* Cut, stretched and scribbled containers must neither crash (ASan) nor open. */
START_TEST(a_broken_container_is_refused)
{
    struct bytes file = agile_encrypt(arena, "document", 8, &lock), document;
    uint8_t *copy = malloc(file.len);
    srand(7);
    for (int turn = 0; turn < 4000; turn++) {
        struct arena *own = arena_new(8u << 20);
        memcpy(copy, file.data, file.len);
        size_t header_or_directory = (size_t)rand() % 2 ? (size_t)rand() % 1536 : (size_t)rand() % file.len;
        memset(copy + header_or_directory, rand(), (size_t)rand() % 4 + 1 > file.len - header_or_directory ? 1 : 4);
        struct bytes stream = compound_read(own, copy, (size_t)rand() % file.len, "EncryptedPackage");
        ck_assert(stream.len <= file.len);
        stream = compound_read(own, copy, file.len, "EncryptionInfo");
        ck_assert(stream.len <= file.len);
        arena_free(own);
    }
    ck_assert_int_eq(agile_decrypt(arena, file.data, file.len / 2, PASSWORD, &document), AGILE_NOT_ENCRYPTED);
    free(copy);
}
END_TEST

static const char *fault_of(const char *text, const char *set_on)
{
    struct password password = {0};
    snprintf(password.text, sizeof password.text, "%s", text);
    snprintf(password.set_on, sizeof password.set_on, "%s", set_on);
    const char *fault = password_fault(&password, 1795219200); /* 2026-11-21 */
    return fault ? fault : "";
}

/* LINK-4: password life, mix and length are checked */
START_TEST(passwords_keep_the_rules)
{
    ck_assert_str_eq(fault_of(PASSWORD, "2026-11-21"), "");
    ck_assert_str_eq(fault_of(PASSWORD, "2026-08-24"), "");
    ck_assert_str_eq(fault_of(PASSWORD, "2026-08-23"), "life");
    ck_assert_str_eq(fault_of(PASSWORD, "2026-11-22"), "life");
    ck_assert_str_eq(fault_of(PASSWORD, ""), "life");
    ck_assert_str_eq(fault_of("Aa1-Aa1-Aa1", "2026-11-21"), "length");
    ck_assert_str_eq(fault_of("Aa1-Aa1-Aa1-", "2026-11-21"), "");
    ck_assert_str_eq(fault_of("aaaaaaaaaaa1", "2026-11-21"), "mix");
    ck_assert_str_eq(fault_of("Aaaaaaaaaaa1", "2026-11-21"), "");
    ck_assert_str_eq(fault_of("Aaaaaaaaaaa1パス", "2026-11-21"), "letters");
    ck_assert_str_eq(fault_of("Aa1-567890123456789012345678901234567890123456789012345678901234", "2026-11-21"), "");
    ck_assert_str_eq(
        fault_of("Aa1-5678901234567890123456789012345678901234567890123456789012345", "2026-11-21"), "length");
}
END_TEST

static void password_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

START_TEST(a_password_is_read_from_its_file)
{
    struct password password;
    char path[] = "/tmp/shikaku-password-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    password_file(path, "{\"password\":\"" PASSWORD "\",\"set_on\":\"2026-11-01\"}");
    ck_assert(password_read(&password, path));
    ck_assert_str_eq(password.text, PASSWORD);
    ck_assert_str_eq(password.set_on, "2026-11-01");
    password_wipe(&password);
    ck_assert_str_eq(password.text, "");
    password_file(path, "{\"password\":\"" PASSWORD "\"}");
    ck_assert(!password_read(&password, path));
    unlink(path);
    ck_assert(!password_read(&password, path));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("workbook");
    TCase *t = tcase_create("workbook");
    tcase_add_checked_fixture(t, arena_start, arena_end);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_is_written_is_read);
    tcase_add_test(t, nothing_is_left_lying);
    tcase_add_test(t, the_password_opens_it);
    tcase_add_test(t, odd_passwords_make_no_lock);
    tcase_add_loop_test(t, every_length_comes_back, 0, 14);
    tcase_add_test(t, an_altered_file_is_refused);
    tcase_add_test(t, a_broken_container_is_refused);
    tcase_add_test(t, passwords_keep_the_rules);
    tcase_add_test(t, a_password_is_read_from_its_file);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
