/* Reading the definitions. Strict on purpose: a key that is not known, a value of the wrong type or a rule that does
 * not hold stops the start, with file and key named, because a definition decides what is asked of people. */
#include "chassis/programme.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "chassis/programme_reader.h"
#include "chassis/programme_value.h"

static bool read_choices(struct reader *reader, const json_t *object, const char *where, enum programme_type type,
    const struct programme_choice **choices, size_t *count)
{
    char at[WHERE_MAX];
    reader_path(at, where, "choices");
    const json_t *list = json_object_get(object, "choices");
    if (type != PROGRAMME_CHOICE)
        return list == NULL || reader_refuse(reader, at, "only for type choice");
    if (!json_is_array(list) || json_array_size(list) == 0)
        return reader_refuse(reader, at, "must be a list that is not empty");
    *count = json_array_size(list);
    struct programme_choice *rows = reader_keep(reader, *count, sizeof *rows);
    for (size_t i = 0; rows != NULL && i < *count; i++) {
        const json_t *row = json_array_get(list, i);
        reader_place(at, where, "choices", i);
        if (!reader_keys(reader, row, at, KEYS("value", "label")) ||
            !read_text(reader, row, at, "value", &rows[i].value) ||
            !read_text(reader, row, at, "label", &rows[i].label))
            return false;
    }
    *choices = rows;
    return rows != NULL;
}

static bool read_type(struct reader *reader, const json_t *object, const char *where, enum programme_type *type)
{
    const char *word;
    if (!read_text(reader, object, where, "type", &word))
        return false;
    char at[WHERE_MAX];
    reader_path(at, where, "type");
    return programme_type_parse(word, type) || reader_refuse(reader, at, "this type is not known");
}

/* Which values each source offers; a source without values must not name one. */
static const char *const source_words[] = {"applicant", "certificate", "residence", "family_register", "number",
    "pseudonym", "portal_pseudonym", "system", "staff", "legacy", NULL};
static const char *const *const source_values[] = {
    [PROGRAMME_RESIDENCE] = KEYS("name", "family_name", "given_name", "address", "birth_date", "sex"),
    [PROGRAMME_FAMILY_REGISTER] = KEYS("domicile", "prefecture"),
    [PROGRAMME_SYSTEM] = KEYS("registration_number", "registered_on", "received_on", "receipt", "programme_title",
        "procedure_title", "fiscal_year"),
    [PROGRAMME_LEGACY] = NULL,
};

static bool read_source(struct reader *reader, const json_t *object, const char *where, struct programme_field *field)
{
    size_t source, value;
    if (!read_word(reader, object, where, "source", source_words, &source))
        return false;
    field->source = (enum programme_source)source;
    char at[WHERE_MAX];
    reader_path(at, where, "value");
    if (source_values[source] == NULL)
        return json_object_get(object, "value") == NULL || reader_refuse(reader, at, "this source has no values");
    if (!read_word(reader, object, where, "value", source_values[source], &value))
        return false;
    field->value = source_values[source][value];
    return true;
}

static bool read_field(struct reader *reader, const json_t *object, const char *where, struct programme_field *field)
{
    return reader_keys(reader, object, where,
               KEYS("key", "label", "type", "max", "source", "value", "searchable", "choices")) &&
           read_key(reader, object, where, "key", &field->key) &&
           read_text(reader, object, where, "label", &field->label) && read_type(reader, object, where, &field->type) &&
           read_size(reader, object, where, "max", 4000, &field->max) && read_source(reader, object, where, field) &&
           read_bool(reader, object, where, "searchable", &field->searchable) &&
           read_choices(reader, object, where, field->type, &field->choices, &field->choice_count);
}

static bool read_table(struct reader *reader, const json_t *object, const char *where, struct programme_table *table)
{
    if (!reader_keys(reader, object, where, KEYS("key", "label", "fields")) ||
        !read_key(reader, object, where, "key", &table->key) ||
        !read_text(reader, object, where, "label", &table->label))
        return false;
    const json_t *list = read_array(reader, object, where, "fields");
    table->field_count = json_array_size(list);
    struct programme_field *fields = list == NULL ? NULL : reader_keep(reader, table->field_count, sizeof *fields);
    for (size_t i = 0; fields != NULL && i < table->field_count; i++) {
        char at[WHERE_MAX];
        reader_place(at, where, "fields", i);
        if (!read_field(reader, json_array_get(list, i), at, &fields[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (strcmp(fields[i].key, fields[j].key) == 0)
                return reader_refuse(reader, at, "this key is already in the table");
    }
    table->fields = fields;
    return fields != NULL;
}

static bool read_tables(struct reader *reader, const json_t *root, struct programme *programme)
{
    const json_t *list = read_array(reader, root, "", "tables");
    programme->table_count = json_array_size(list);
    struct programme_table *tables = list == NULL ? NULL : reader_keep(reader, programme->table_count, sizeof *tables);
    for (size_t i = 0; tables != NULL && i < programme->table_count; i++) {
        char at[WHERE_MAX];
        reader_place(at, "", "tables", i);
        if (!read_table(reader, json_array_get(list, i), at, &tables[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (strcmp(tables[i].key, tables[j].key) == 0)
                return reader_refuse(reader, at, "this key is already a table");
    }
    programme->tables = tables;
    return tables != NULL;
}

/* A list of field paths as targets. The number itself may not be among them. */
static bool read_targets(struct reader *reader, const json_t *object, const char *where,
    const struct programme *programme, const struct programme_target **targets, size_t *count)
{
    const json_t *list = read_array(reader, object, where, "fields");
    *count = json_array_size(list);
    struct programme_target *rows = list == NULL ? NULL : reader_keep(reader, *count, sizeof *rows);
    for (size_t i = 0; rows != NULL && i < *count; i++) {
        char at[WHERE_MAX];
        reader_place(at, where, "fields", i);
        const char *name = json_string_value(json_array_get(list, i));
        if (name == NULL || strchr(name, '.') == NULL || !programme_field_find(programme, name, &rows[i]))
            return reader_refuse(reader, at, "must be table.field of this programme");
        if (rows[i].field->source == PROGRAMME_NUMBER)
            return reader_refuse(reader, at, "the number is in no entry");
    }
    *targets = rows;
    return rows != NULL;
}

static bool read_pattern(struct reader *reader, const json_t *object, const char *where, struct programme_item *item)
{
    if (json_object_get(object, "pattern") == NULL)
        return true;
    if (!read_text(reader, object, where, "pattern", &item->pattern))
        return false;
    struct programme_pattern *pattern = reader_keep(reader, 1, sizeof *pattern);
    char whole[WHERE_MAX];
    int length = snprintf(whole, sizeof whole, "^(%s)$", item->pattern);
    char at[WHERE_MAX];
    reader_path(at, where, "pattern");
    if (pattern == NULL || length >= (int)sizeof whole ||
        regcomp(&pattern->compiled, whole, REG_EXTENDED | REG_NOSUB) != 0)
        return reader_refuse(reader, at, "must be a POSIX extended regular expression");
    pattern->next = reader->all->patterns;
    reader->all->patterns = pattern;
    item->pattern_compiled = &pattern->compiled;
    return true;
}

static bool read_item(struct reader *reader, const json_t *object, const char *where, const struct programme *programme,
    struct programme_item *item)
{
    if (!reader_keys(
            reader, object, where, KEYS("key", "label", "type", "max", "required", "fields", "choices", "pattern")) ||
        !read_key(reader, object, where, "key", &item->key) ||
        !read_text(reader, object, where, "label", &item->label) || !read_type(reader, object, where, &item->type) ||
        !read_size(reader, object, where, "max", 4000, &item->max) ||
        !read_bool(reader, object, where, "required", &item->required) ||
        !read_choices(reader, object, where, item->type, &item->choices, &item->choice_count) ||
        !read_pattern(reader, object, where, item))
        return false;
    if (json_object_get(object, "fields") == NULL)
        return true;
    if (!read_targets(reader, object, where, programme, &item->targets, &item->target_count))
        return false;
    for (size_t i = 0; i < item->target_count; i++) {
        const struct programme_field *field = item->targets[i].field;
        bool ours = field->source == PROGRAMME_APPLICANT || field->source == PROGRAMME_CERTIFICATE ||
                    field->source == PROGRAMME_RESIDENCE;
        if (!ours || field->type != item->type || field->max < item->max)
            return reader_refuse(reader, where, "a field it fills has another source or type, or is shorter");
    }
    return true;
}

static bool read_items(struct reader *reader, const json_t *object, const char *where,
    const struct programme *programme, struct programme_procedure *procedure)
{
    const json_t *list = read_array(reader, object, where, "items");
    procedure->item_count = json_array_size(list);
    struct programme_item *items = list == NULL ? NULL : reader_keep(reader, procedure->item_count, sizeof *items);
    for (size_t i = 0; items != NULL && i < procedure->item_count; i++) {
        char at[WHERE_MAX];
        reader_place(at, where, "items", i);
        if (!read_item(reader, json_array_get(list, i), at, programme, &items[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (strcmp(items[i].key, items[j].key) == 0)
                return reader_refuse(reader, at, "this key is already an item");
    }
    procedure->items = items;
    return items != NULL;
}

static bool read_attachments(
    struct reader *reader, const json_t *object, const char *where, struct programme_procedure *procedure)
{
    const json_t *list = read_array(reader, object, where, "attachments");
    procedure->attachment_count = json_array_size(list);
    struct programme_attachment *rows =
        list == NULL ? NULL : reader_keep(reader, procedure->attachment_count, sizeof *rows);
    for (size_t i = 0; rows != NULL && i < procedure->attachment_count; i++) {
        const json_t *row = json_array_get(list, i);
        char at[WHERE_MAX];
        reader_place(at, where, "attachments", i);
        if (!reader_keys(reader, row, at, KEYS("key", "label", "required", "max_bytes")) ||
            !read_key(reader, row, at, "key", &rows[i].key) || !read_text(reader, row, at, "label", &rows[i].label) ||
            !read_bool(reader, row, at, "required", &rows[i].required) ||
            !read_size(reader, row, at, "max_bytes", 16u << 20, &rows[i].max_bytes))
            return false;
    }
    procedure->attachments = rows;
    return rows != NULL;
}

static bool read_fees(
    struct reader *reader, const json_t *object, const char *where, struct programme_procedure *procedure)
{
    const json_t *list = read_array(reader, object, where, "fees");
    procedure->fee_count = json_array_size(list);
    struct programme_fee *rows = list == NULL ? NULL : reader_keep(reader, procedure->fee_count, sizeof *rows);
    for (size_t i = 0; rows != NULL && i < procedure->fee_count; i++) {
        const json_t *row = json_array_get(list, i);
        char at[WHERE_MAX];
        reader_place(at, where, "fees", i);
        json_int_t yen;
        if (!reader_keys(reader, row, at, KEYS("key", "label", "yen", "valid_from")) ||
            !read_key(reader, row, at, "key", &rows[i].key) || !read_text(reader, row, at, "label", &rows[i].label) ||
            !read_integer(reader, row, at, "yen", 10000000, &yen) ||
            !read_text(reader, row, at, "valid_from", &rows[i].valid_from))
            return false;
        rows[i].yen = yen;
        if (!programme_date_is_real(rows[i].valid_from))
            return reader_refuse(reader, at, "valid_from must be a date, YYYYMMDD");
    }
    procedure->fees = rows;
    return rows != NULL;
}

static bool identity_parts(struct reader *reader, const json_t *object, const char *key, const char **parts)
{
    char at[WHERE_MAX];
    reader_path(at, "identity", key);
    const json_t *list = read_array(reader, object, "identity", key);
    size_t count = json_array_size(list);
    if (list == NULL || count == 0 || count > PROGRAMME_PARTS_MAX)
        return reader_refuse(reader, at, "must list 1 to 3 items");
    for (size_t i = 0; i < count; i++)
        if ((parts[i] = json_string_value(json_array_get(list, i))) == NULL)
            return reader_refuse(reader, at, "must be a list of item keys");
    return true;
}

static bool read_identity(struct reader *reader, const json_t *root, struct programme_identity *identity)
{
    const json_t *object = json_object_get(root, "identity");
    return reader_keys(reader, object, "identity", KEYS("name", "kana", "address", "birth_date", "sex")) &&
           identity_parts(reader, object, "name", identity->name) &&
           identity_parts(reader, object, "kana", identity->kana) &&
           identity_parts(reader, object, "address", identity->address) &&
           read_key(reader, object, "identity", "birth_date", &identity->birth_date) &&
           read_key(reader, object, "identity", "sex", &identity->sex);
}

static const struct programme_item *item_of(const struct programme_procedure *procedure, const char *key)
{
    for (size_t i = 0; i < procedure->item_count; i++)
        if (strcmp(procedure->items[i].key, key) == 0)
            return &procedure->items[i];
    return NULL;
}

static bool parts_asked(const struct programme_procedure *procedure, const char *const *parts)
{
    for (size_t i = 0; parts[i] != NULL; i++) {
        const struct programme_item *item = item_of(procedure, parts[i]);
        if (item == NULL || (i == 0 && !item->required))
            return false;
    }
    return true;
}

/* Who applies is known in every procedure: without the four items nobody can be compared with anybody. */
static bool identity_asked(struct reader *reader, const char *where, const struct programme *programme,
    const struct programme_procedure *procedure)
{
    const struct programme_identity *identity = &programme->identity;
    const struct programme_item *birth_date = item_of(procedure, identity->birth_date);
    const struct programme_item *sex = item_of(procedure, identity->sex);
    bool asked = parts_asked(procedure, identity->name) && parts_asked(procedure, identity->kana) &&
                 parts_asked(procedure, identity->address) && birth_date != NULL && birth_date->required &&
                 birth_date->type == PROGRAMME_DATE && sex != NULL && sex->required;
    return asked || reader_refuse(reader, where, "an item of identity is not among its required items");
}

static bool read_procedure(struct reader *reader, const json_t *object, const char *where,
    const struct programme *programme, struct programme_procedure *procedure)
{
    return reader_keys(reader, object, where, KEYS("code", "title", "items", "attachments", "fees", "payments")) &&
           read_key(reader, object, where, "code", &procedure->code) &&
           read_text(reader, object, where, "title", &procedure->title) &&
           read_items(reader, object, where, programme, procedure) &&
           identity_asked(reader, where, programme, procedure) && read_attachments(reader, object, where, procedure) &&
           read_fees(reader, object, where, procedure) &&
           read_words(reader, object, where, "payments", KEYS("online", "stamps", "cash"), &procedure->payments);
}

static bool read_procedures(struct reader *reader, const json_t *root, struct programme *programme)
{
    const json_t *list = read_array(reader, root, "", "procedures");
    programme->procedure_count = json_array_size(list);
    struct programme_procedure *rows =
        list == NULL ? NULL : reader_keep(reader, programme->procedure_count, sizeof *rows);
    for (size_t i = 0; rows != NULL && i < programme->procedure_count; i++) {
        char at[WHERE_MAX];
        reader_place(at, "", "procedures", i);
        if (!read_procedure(reader, json_array_get(list, i), at, programme, &rows[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (strcmp(rows[i].code, rows[j].code) == 0)
                return reader_refuse(reader, at, "this code is already a procedure");
    }
    programme->procedures = rows;
    if (rows != NULL && programme_procedure_find(programme, "registration") == NULL)
        return reader_refuse(reader, "procedures", "must have the procedure registration");
    return rows != NULL;
}

static bool read_certificate(struct reader *reader, const json_t *root, struct programme *programme)
{
    const json_t *object = json_object_get(root, "certificate");
    if (!reader_keys(reader, object, "certificate", KEYS("title", "issuer", "lines")) ||
        !read_text(reader, object, "certificate", "title", &programme->certificate_title) ||
        !read_text(reader, object, "certificate", "issuer", &programme->certificate_issuer))
        return false;
    const json_t *list = read_array(reader, object, "certificate", "lines");
    programme->certificate_line_count = json_array_size(list);
    struct programme_line *rows =
        list == NULL ? NULL : reader_keep(reader, programme->certificate_line_count, sizeof *rows);
    for (size_t i = 0; rows != NULL && i < programme->certificate_line_count; i++) {
        const json_t *row = json_array_get(list, i);
        char at[WHERE_MAX];
        reader_place(at, "certificate", "lines", i);
        if (!reader_keys(reader, row, at, KEYS("label", "fields")) ||
            !read_text(reader, row, at, "label", &rows[i].label) ||
            !read_targets(reader, row, at, programme, &rows[i].targets, &rows[i].target_count))
            return false;
    }
    programme->certificate_lines = rows;
    return rows != NULL;
}

static bool read_networks(struct reader *reader, const json_t *root, struct programme *programme)
{
    static const char *const schedules[] = {"yearly", "regularly", "setting", NULL};
    const json_t *residence = json_object_get(root, "residence"), *family = json_object_get(root, "family_register");
    size_t mode, schedule;
    if (!reader_keys(reader, residence, "residence", KEYS("mode", "schedule")) ||
        !read_word(reader, residence, "residence", "mode", KEYS("batch", "terminal"), &mode) ||
        !read_word(reader, residence, "residence", "schedule", schedules, &schedule))
        return false;
    programme->residence = mode == 0 ? PROGRAMME_RESIDENCE_BATCH : PROGRAMME_RESIDENCE_TERMINAL;
    programme->residence_schedule = schedules[schedule];
    const char *where = "family_register";
    if (!reader_keys(reader, family, where, KEYS("mode", "provider", "affair", "item", "schedule")) ||
        !read_word(reader, family, where, "mode", KEYS("inquire", "none"), &mode))
        return false;
    programme->family_register = mode == 0;
    if (mode == 1)
        return json_object_size(family) == 1 || reader_refuse(reader, where, "mode none takes no other key");
    if (!read_word(reader, family, where, "schedule", schedules, &schedule))
        return false;
    programme->family_schedule = schedules[schedule];
    return read_text(reader, family, where, "provider", &programme->family_provider) &&
           read_text(reader, family, where, "affair", &programme->family_affair) &&
           read_text(reader, family, where, "item", &programme->family_item);
}

static bool read_legacy(struct reader *reader, const json_t *root, struct programme *programme)
{
    static const char *const kinds[] = {"none", "kaigi_api", "hoikushi", "ginou", "workbook", NULL};
    const json_t *object = json_object_get(root, "legacy");
    size_t kind;
    if (!reader_keys(reader, object, "legacy", KEYS("kind", "number")) ||
        !read_word(reader, object, "legacy", "kind", kinds, &kind) ||
        !read_bool(reader, object, "legacy", "number", &programme->legacy_number))
        return false;
    programme->legacy = kinds[kind];
    return !(kind == 0 && programme->legacy_number) ||
           reader_refuse(reader, "legacy.number", "there is no system to give the number to");
}

static bool read_manager(struct reader *reader, const json_t *root, struct programme *programme)
{
    const json_t *manager = json_object_get(root, "manager");
    return reader_keys(reader, manager, "manager", KEYS("code", "title")) &&
           read_key(reader, manager, "manager", "code", &programme->manager) &&
           read_text(reader, manager, "manager", "title", &programme->manager_title);
}

/* Texts that only people read: that they are texts is all there is to check. */
static bool read_notes(struct reader *reader, const json_t *root)
{
    const json_t *basis = json_object_get(root, "legal_basis");
    const char *text;
    return reader_keys(reader, basis, "legal_basis", KEYS("number", "residence", "network")) &&
           read_text(reader, basis, "legal_basis", "number", &text) &&
           read_text(reader, basis, "legal_basis", "residence", &text) &&
           read_text(reader, basis, "legal_basis", "network", &text) && read_text(reader, root, "", "fees_note", &text);
}

/* A trial print shows whether the pattern can be served: with every required item of registration as "0". */
static bool pattern_works(struct reader *reader, const struct programme *programme)
{
    const struct programme_procedure *registration = programme_procedure_find(programme, "registration");
    json_t *items = json_object();
    for (size_t i = 0; i < registration->item_count; i++)
        if (registration->items[i].required &&
            json_object_set_new(items, registration->items[i].key, json_string("0")) != 0)
            break;
    char first[PROGRAMME_NUMBER_MAX], second[PROGRAMME_NUMBER_MAX];
    bool works = programme_number_print(programme, 1, "20260401", items, first, sizeof first) &&
                 programme_number_print(programme, 2, "20260401", items, second, sizeof second) &&
                 strcmp(first, second) != 0;
    json_decref(items);
    return works || reader_refuse(reader, "registration_number",
                        "must hold {serial} or {serial:N}, and else {year} or {ITEM} only");
}

static bool read_programme(struct reader *reader, const json_t *root, struct programme *programme)
{
    if (!reader_keys(reader, root, "",
            KEYS("code", "title", "manager", "number_on_paper", "registration_number", "residence", "family_register",
                "legacy", "dispositions", "legal_basis", "identity", "tables", "fees_note", "procedures", "certificate",
                "bodies")))
        return false;
    return read_key(reader, root, "", "code", &programme->code) &&
           read_text(reader, root, "", "title", &programme->title) && read_manager(reader, root, programme) &&
           read_bool(reader, root, "", "number_on_paper", &programme->number_on_paper) &&
           read_text(reader, root, "", "registration_number", &programme->number_pattern) &&
           read_networks(reader, root, programme) && read_legacy(reader, root, programme) &&
           read_words(reader, root, "", "dispositions", KEYS("suspend", "revoke", "erase", "cancel_pass"),
               &programme->dispositions) &&
           read_notes(reader, root) && read_identity(reader, root, &programme->identity) &&
           read_tables(reader, root, programme) && read_procedures(reader, root, programme) &&
           read_bodies(reader, root, programme) && read_certificate(reader, root, programme) &&
           pattern_works(reader, programme);
}

static bool read_file(struct reader *reader, const char *directory)
{
    char name[4096];
    if (snprintf(name, sizeof name, "%s/%s", directory, reader->file) >= (int)sizeof name)
        return reader_refuse(reader, "", "the path is too long");
    json_error_t error;
    json_t *root = json_load_file(name, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        char why[JSON_ERROR_TEXT_LENGTH + 32];
        snprintf(why, sizeof why, "line %d: %s", error.line, error.text);
        return reader_refuse(reader, "not readable as JSON", why);
    }
    struct programme *programme = reader_keep(reader, 1, sizeof *programme);
    if (programme == NULL) {
        json_decref(root);
        return false;
    }
    struct programmes *all = reader->all;
    all->roots[all->count] = root;
    all->list[all->count++] = programme;
    if (!read_programme(reader, root, programme))
        return false;
    size_t length = strlen(programme->code);
    return (strncmp(reader->file, programme->code, length) == 0 && strcmp(reader->file + length, ".json") == 0) ||
           reader_refuse(reader, "code", "must be the name of the file");
}

static int is_definition(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static int by_code(const void *one, const void *other)
{
    return strcmp((*(struct programme *const *)one)->code, (*(struct programme *const *)other)->code);
}

static void manager_note(struct programmes *all, const char *manager)
{
    for (size_t i = 0; i < all->manager_count; i++)
        if (strcmp(all->managers[i], manager) == 0)
            return;
    all->managers[all->manager_count++] = manager;
}

struct programmes *programmes_load(const char *directory, char *problem, size_t size)
{
    struct reader reader = {.file = directory, .problem = problem, .size = size};
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_definition, alphasort);
    struct programmes *all = calloc(1, sizeof *all);
    reader.all = all;
    if (all == NULL || count <= 0) {
        reader_refuse(&reader, "directory", "no definitions can be read there");
        goto out;
    }
    all->roots = reader_keep(&reader, (size_t)count, sizeof all->roots[0]);
    all->list = reader_keep(&reader, (size_t)count, sizeof all->list[0]);
    all->managers = reader_keep(&reader, (size_t)count, sizeof all->managers[0]);
    for (int i = 0; i < count && !reader.failed; i++) {
        reader.file = entries[i]->d_name;
        read_file(&reader, directory);
    }
    if (!reader.failed)
        qsort(all->list, all->count, sizeof all->list[0], by_code);
    for (size_t i = 0; i < all->count && !reader.failed; i++)
        manager_note(all, all->list[i]->manager);
out:
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    if (reader.failed) {
        programmes_free(all);
        return NULL;
    }
    return all;
}

void programmes_free(struct programmes *programmes)
{
    if (programmes == NULL)
        return;
    for (struct programme_pattern *pattern = programmes->patterns; pattern != NULL; pattern = pattern->next)
        regfree(&pattern->compiled);
    for (size_t i = 0; i < programmes->count; i++)
        json_decref(programmes->roots[i]);
    for (struct programme_block *block = programmes->blocks; block != NULL;) {
        struct programme_block *next = block->next;
        free(block);
        block = next;
    }
    free(programmes);
}
