/* The qualification programmes (国家資格) as data: deploy/programmes/CODE.json, one file each. Everything in which one
 * programme differs from another is read from there and asked for here, so that a new programme is a file and no code
 * (ROLL-10). Loaded once at start-up, never changed afterwards, shared by all threads without a lock; every pointer
 * below belongs to the struct programmes it came from and lives as long. Texts are UTF-8; limits count code points. */
#ifndef CHASSIS_PROGRAMME_H
#define CHASSIS_PROGRAMME_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "chassis/fault.h"
#include "chassis/person_match.h"

/* What a value must look like. All refuse control characters and invalid UTF-8. */
enum programme_type {
    PROGRAMME_TEXT,
    PROGRAMME_KANA,        /* kana, spaces, ・ and ー */
    PROGRAMME_DATE,        /* YYYYMMDD, a date of the calendar */
    PROGRAMME_INTEGER,     /* ASCII digits */
    PROGRAMME_CODE,        /* ASCII letters, digits, hyphen */
    PROGRAMME_FLAG,        /* "0" or "1" */
    PROGRAMME_CHOICE,      /* one of `choices` */
    PROGRAMME_POSTAL_CODE, /* 7 digits */
    PROGRAMME_PHONE,       /* digits, + and hyphens */
};

/* Where a field's value comes from. */
enum programme_source {
    PROGRAMME_APPLICANT,   /* an item of the signed application */
    PROGRAMME_CERTIFICATE, /* an item that must equal the signer's certificate */
    PROGRAMME_RESIDENCE, /* the four items as the residence network confirmed them (住民基本台帳法30条の9ほか) */
    PROGRAMME_FAMILY_REGISTER,  /* 本籍, from the information provision network */
    PROGRAMME_NUMBER,           /* 個人番号: a view by the vault for who may see it, never in an entry (NUM-1) */
    PROGRAMME_PSEUDONYM,        /* 資格仮名ID */
    PROGRAMME_PORTAL_PSEUDONYM, /* マイナポータル仮名ID */
    PROGRAMME_SYSTEM,           /* given here: number, dates, receipt */
    PROGRAMME_STAFF,            /* entered at review or later */
    PROGRAMME_LEGACY,           /* comes back from the existing system */
};

struct programme_choice {
    const char *value, *label;
};

/* One of the 記録項目 of the seed's 別添. */
struct programme_field {
    const char *key;   /* ASCII, unique in its table */
    const char *label; /* exactly as 別添 has it */
    enum programme_type type;
    enum programme_source source;
    size_t max;
    const char *value; /* RESIDENCE, FAMILY_REGISTER, SYSTEM: which value of its source; else NULL */
    bool searchable;
    const struct programme_choice *choices;
    size_t choice_count;
};

struct programme_table {
    const char *key, *label;
    const struct programme_field *fields;
    size_t field_count;
};

/* A field of a table. */
struct programme_target {
    const struct programme_table *table;
    const struct programme_field *field;
};

/* What a procedure asks the applicant for. */
struct programme_item {
    const char *key, *label;
    enum programme_type type;
    size_t max;
    bool required;
    const char *pattern; /* POSIX extended, of the whole value, ASCII; NULL for none */
    const void *pattern_compiled;
    const struct programme_choice *choices;
    size_t choice_count;
    const struct programme_target *targets; /* the fields it fills; may be none: identity only */
    size_t target_count;
};

/* A document file that goes with an application. Its name in the manifest is KEY or KEY.extension. */
struct programme_attachment {
    const char *key, *label;
    bool required;
    size_t max_bytes;
};

enum programme_payment {
    PROGRAMME_ONLINE = 1,
    PROGRAMME_STAMPS = 2, /* 収入印紙, 証紙 */
    PROGRAMME_CASH = 4,
};

struct programme_fee {
    const char *key, *label;
    int64_t yen;
    const char *valid_from; /* YYYYMMDD */
};

struct programme_procedure {
    const char *code, *title;
    const struct programme_item *items;
    size_t item_count;
    const struct programme_attachment *attachments;
    size_t attachment_count;
    const struct programme_fee *fees;
    size_t fee_count;
    unsigned payments; /* of enum programme_payment */
};

enum programme_residence {
    PROGRAMME_RESIDENCE_BATCH,    /* by file; the terminal too */
    PROGRAMME_RESIDENCE_TERMINAL, /* by an operator at a 本人確認端末 only (JUKI-7) */
};

enum programme_disposition {
    PROGRAMME_SUSPEND = 1,     /* 停止 */
    PROGRAMME_REVOKE = 2,      /* 取消し */
    PROGRAMME_ERASE = 4,       /* a disposition leads to erasure (S0) */
    PROGRAMME_CANCEL_PASS = 8, /* 合格取消し (S3) */
};

/* A line of the certificate: a label, and fields joined by U+3000. */
struct programme_line {
    const char *label;
    const struct programme_target *targets;
    size_t target_count;
};

/* Which items of every procedure say who the applicant is; parts of a name or an address are joined by U+3000. */
#define PROGRAMME_PARTS_MAX 3
struct programme_identity {
    const char *name[PROGRAMME_PARTS_MAX + 1]; /* each list ends with NULL */
    const char *kana[PROGRAMME_PARTS_MAX + 1];
    const char *address[PROGRAMME_PARTS_MAX + 1];
    const char *birth_date, *sex;
};

/* A body inside the programme (ORG-1): health centre, association … It works on its part of the applications alone. */
#define PROGRAMME_BODY_MAX 31
struct programme_body {
    const char *code, *title;
    const char *const *parts; /* values of the item that says whose part an application is in */
    size_t part_count;
};

struct programme {
    const char *code, *title;
    const char *manager, *manager_title; /* 資格管理者 */
    bool number_on_paper;                /* a paper application carries the number (NUM-9) */
    enum programme_residence residence;
    const char *residence_schedule; /* "yearly", "regularly", "setting" */
    bool family_register;           /* the information provision network is asked for 本籍 */
    const char *family_provider, *family_affair, *family_item; /* a row of 照会許可照合リスト; NULL where not asked */
    const char *family_schedule;
    const char *legacy;         /* "none", "kaigi_api", "hoikushi", "ginou", "workbook" */
    bool legacy_number;         /* that system is given the number (S0: never) */
    unsigned dispositions;      /* of enum programme_disposition */
    const char *number_pattern; /* of the registration number (登録番号); see programme_number_print */
    const struct programme_table *tables;
    size_t table_count;
    const struct programme_procedure *procedures;
    size_t procedure_count;
    const char *certificate_title, *certificate_issuer;
    const struct programme_line *certificate_lines;
    size_t certificate_line_count;
    struct programme_identity identity;
    const char *body_item; /* NULL: the manager works alone */
    const struct programme_body *bodies;
    size_t body_count;
};

struct programmes;

/* Read every *.json of a directory. NULL if one cannot be read, breaks a rule, or has a key that is not known; then
 * problem holds one line for the operator naming file and key. Free with programmes_free. */
#define PROGRAMMES_PROBLEM_MAX 256
MUST_USE struct programmes *programmes_load(const char *directory, char *problem, size_t size);
void programmes_free(struct programmes *programmes); /* NULL is nothing */

size_t programmes_count(const struct programmes *programmes);
const struct programme *programmes_at(const struct programmes *programmes, size_t index); /* by code, ascending */
/* Every manager (資格管理者) once, however many programmes it has; borrowed from `programmes`. */
size_t programmes_managers(const struct programmes *programmes, const char *const **managers);

const struct programme *programme_find(const struct programmes *programmes, const char *code); /* NULL: none */
const struct programme_procedure *programme_procedure_find(const struct programme *programme, const char *code);
/* Whose part an application with these items ({key: string}) is in: the body's code, "" for nobody's. Borrowed. */
const char *programme_body_find(const struct programme *programme, const json_t *items);
bool programme_has_body(const struct programme *programme, const char *code);
/* "key" of the only or first table that has it, or "table.key". False: none. */
bool programme_field_find(const struct programme *programme, const char *path, struct programme_target *target);

/* Hold an application's items ({key: string}) against its procedure: item_unknown, item_missing, item_too_long or
 * item_invalid with the item's key; malformed if it is no object of strings. A required item is not empty; an optional
 * one may be absent or "". APPLY-5. No side effects. */
MUST_USE bool programme_items_check(
    const struct programme_procedure *procedure, const json_t *items, struct fault *fault);

/* The procedure's attachment that a file of this name (KEY or KEY.extension) is; NULL: none. Borrowed. */
const struct programme_attachment *programme_attachment_find(
    const struct programme_procedure *procedure, const char *name);
/* Hold one attachment of a manifest against its procedure: item_unknown or too_large with its key. Then every required
 * one against the list of names: attachment_missing with its key. */
MUST_USE bool programme_attachment_check(
    const struct programme_procedure *procedure, const char *name, size_t bytes, struct fault *fault);
MUST_USE bool programme_attachments_complete(
    const struct programme_procedure *procedure, const char *const *names, size_t count, struct fault *fault);

/* The four items of an application whose items passed programme_items_check. Parts of a name or address are joined by
 * U+3000. False with fault as person_fill, naming the item. */
MUST_USE bool programme_person_make(
    const struct programme *programme, const json_t *items, struct person *person, struct fault *fault);

/* The fee of a procedure on a day (YYYYMMDD): the sum over its parts of the amount valid then. False if any part has no
 * amount yet on that day. A procedure without fees costs 0. */
MUST_USE bool programme_fee_find(const struct programme_procedure *procedure, const char *day, int64_t *yen);

/* "online", "stamps", "cash"; 0 for another word. */
unsigned programme_payment_parse(const char *method);

/* What records knows when it writes an entry. Texts are "" or NULL where there is none; days are YYYYMMDD. */
struct programme_values {
    const json_t *items;         /* the application's */
    const struct person *person; /* as confirmed; NULL: as applied */
    const char *pseudonym, *portal_pseudonym, *domicile, *receipt, *registration_number;
    const char *received_on, *registered_on;
};

/* A roll entry: {table: {field: value}}, filled fields only, never a field of source NUMBER. New reference; NULL when
 * out of memory. */
json_t *programme_entry_build(const struct programme *programme, const struct programme_procedure *procedure,
    const struct programme_values *values);

/* Take the copy (副本データ) of an existing system into an entry: {path: value}, path as programme_field_find. Fields
 * of source LEGACY and STAFF are set. Another field that differs from the entry is left and its path is added to
 * differing (a JSON array, for a person to settle). False with item_unknown, item_too_long or item_invalid naming the
 * path, and the entry unchanged; a NUMBER field is item_unknown. */
MUST_USE bool programme_entry_take_copy(
    const struct programme *programme, json_t *entry, const json_t *copy, json_t *differing, struct fault *fault);

/* The registration number from the pattern: {serial} or {serial:N} (zero-padded), {year} (fiscal year of the day) and
 * {ITEM} (an item's value). False if it does not fit. */
#define PROGRAMME_NUMBER_MAX 64
MUST_USE bool programme_number_print(
    const struct programme *programme, int64_t serial, const char *day, const json_t *items, char *text, size_t size);

/* The series in which serials are counted on that day: the fiscal year where the pattern holds {year}, else "". */
#define PROGRAMME_SERIES_MAX 16
void programme_number_series(const struct programme *programme, const char *day, char text[PROGRAMME_SERIES_MAX]);

/* The value of a line of the certificate as people read it (choices by label, dates as 2026年4月1日): malloc, the
 * caller frees; "" where the entry has nothing; NULL when out of memory. */
char *programme_line_print(const struct programme_line *line, const json_t *entry);

/* The value of a field in an entry, "" where it has none. Borrowed from the entry. */
const char *programme_entry_value(const struct programme_target *target, const json_t *entry);

#endif
