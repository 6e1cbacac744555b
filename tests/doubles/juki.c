/* Plays the 住民基本台帳ネットワークシステム (residence network): a population and what happened to each person.
 * Modelled on what is public; the file format, the result codes and the paths are ours (services/residence/README.md
 * has the format).
 *
 *   POST /residents      [{"number","code","name","address","birth_date","sex","status","changed_on","old_numbers":[…],
 *                          "family":{"case","domicile"}}]  load or replace people, keyed by code (住民票コード).
 *                          status: living, dead, removed, abroad; twins are two people of one name and birth date.
 *                          family is no item of this network: it goes on to the network of information provision, and
 *                          from there to the holder of family registers, so that a loader speaks to one address only
 *   POST /inquiries      the fixed-format file, form B (一括) or T (端末即時); answers with the result file
 *   POST /acquisitions   [{"acquisition_number","number","body"}]: 202, then, in its own time, the network of
 *                          information provision is told 取得番号, body and an id code of the person (none: "")
 *
 * Options: --ipn-url (http://127.0.0.1:8422). */
#include "doubles/double.h"
#include "doubles/juki_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/hmac.h>
#include <openssl/rand.h>

#define KEY_SIZE 60 /* of a detail, before what is asked by */
#define NUMBER_SIZE 12
#define NAME_SIZE 600
#define ADDRESS_SIZE 1200
#define BIRTH_SIZE 8
#define ITEMS_SIZE (NAME_SIZE + ADDRESS_SIZE + BIRTH_SIZE + 1)
#define RECORDS_MAX 1000
#define CANDIDATES_MAX 20
#define RETRY_MS 500

struct juki {
    struct double_server *server;
    json_t *by_code;   /* code: resident */
    json_t *by_number; /* number, present or former: [code] */
    json_t *by_items;  /* name and birth date: [code] */
    json_t *waiting;   /* acquisitions not yet passed on: 取得番号: {…} */
    const char *ipn_url;
    unsigned char link_key[32];
    bool passing_on;
};

/* --- the population --------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void index_add(json_t *index, const char *key, const char *code)
{
    json_t *codes = json_object_get(index, key), *known;
    size_t i;
    if (!codes) {
        codes = json_array();
        json_object_set_new(index, key, codes);
    }
    json_array_foreach(codes, i, known)
    {
        if (strcmp(json_string_value(known), code) == 0) {
            return;
        }
    }
    json_array_append_new(codes, json_string(code));
}

static void items_key(char *key, size_t size, const char *name, const char *birth_date)
{
    snprintf(key, size, "%s|%s", birth_date, name);
}

static void resident_keep(struct juki *juki, json_t *resident)
{
    const char *code = text_of(resident, "code");
    char key[NAME_SIZE + 16];
    json_t *old;
    size_t i;
    json_object_set(juki->by_code, code, resident);
    index_add(juki->by_number, text_of(resident, "number"), code);
    json_array_foreach(json_object_get(resident, "old_numbers"), i, old)
    {
        index_add(juki->by_number, json_string_value(old), code);
    }
    items_key(key, sizeof key, text_of(resident, "name"), text_of(resident, "birth_date"));
    index_add(juki->by_items, key, code);
}

static bool digits(const char *text, size_t count)
{
    return strlen(text) == count && strspn(text, "0123456789") == count;
}

static const char *result_code(const json_t *resident, const char *number)
{
    static const struct {
        const char *status, *code;
    } codes[] = {{"dead", "11"}, {"removed", "12"}, {"abroad", "13"}};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (strcmp(text_of(resident, "status"), codes[i].status) == 0) {
            return codes[i].code;
        }
    }
    return number && strcmp(text_of(resident, "number"), number) != 0 ? "21" : "00";
}

static const char *resident_fault(const json_t *resident)
{
    const char *status = text_of(resident, "status");
    bool known = !*status || strcmp(status, "living") == 0 || strcmp(result_code(resident, NULL), "00") != 0;
    return !digits(text_of(resident, "code"), 11)                                            ? "code"
           : !digits(text_of(resident, "number"), NUMBER_SIZE)                               ? "number"
           : !*text_of(resident, "name") || strlen(text_of(resident, "name")) > NAME_SIZE    ? "name"
           : strlen(text_of(resident, "address")) > ADDRESS_SIZE                             ? "address"
           : !digits(text_of(resident, "birth_date"), BIRTH_SIZE)                            ? "birth_date"
           : strlen(text_of(resident, "sex")) != 1                                           ? "sex"
           : !known                                                                          ? "status"
           : *text_of(resident, "changed_on") && !digits(text_of(resident, "changed_on"), 8) ? "changed_on"
                                                                                             : NULL;
}

/* The person's id code between the two networks: neither number nor 住民票コード can be told from it. */
static void id_code_make(const struct juki *juki, const char *code, char out[33])
{
    unsigned char mac[32];
    unsigned len = 0;
    HMAC(EVP_sha256(), juki->link_key, sizeof juki->link_key, (const unsigned char *)code, strlen(code), mac, &len);
    for (size_t i = 0; i < 16; i++) {
        snprintf(out + 2 * i, 3, "%02x", mac[i]);
    }
}

/* A loader's request that waits until the family registers have arrived where they belong. */
struct loading {
    struct double_exchange *x;
    json_t *residents;
};

static void loading_finish(struct loading *loading)
{
    size_t count = json_array_size(loading->residents);
    double_record(loading->x->server, "residents", "", loading->residents);
    double_answer(loading->x, 200, json_pack("{sI}", "count", (json_int_t)count));
    free(loading);
}

static void registers_passed_on(void *arg, int status, const char *answer, size_t size)
{
    struct loading *loading = arg;
    if (status == 200) {
        loading_finish(loading);
        return;
    }
    double_refuse(loading->x, 502, "registers_not_passed_on", NULL);
    json_decref(loading->residents);
    free(loading);
}

/* Takes "family" out of every resident: what this network does not hold it does not keep. */
static json_t *registers_take(const struct juki *juki, json_t *residents)
{
    json_t *registers = json_array(), *resident;
    size_t i;
    json_array_foreach(residents, i, resident)
    {
        json_t *family = json_object_get(resident, "family");
        if (family) {
            char id_code[33];
            id_code_make(juki, text_of(resident, "code"), id_code);
            json_object_set_new(family, "id_code", json_string(id_code));
            json_array_append(registers, family);
            json_object_del(resident, "family");
        }
    }
    return registers;
}

static void call_post(
    struct juki *juki, const char *path, json_t *body_take, void (*done)(void *, int, const char *, size_t), void *arg)
{
    char url[512], *text = json_dumps(body_take, JSON_COMPACT);
    snprintf(url, sizeof url, "%s%s", juki->ipn_url, path);
    struct double_call call = {
        .method = "POST", .url = url, .body = text, .body_size = strlen(text), .done = done, .arg = arg};
    double_call_start(juki->server, &call);
    free(text);
    json_decref(body_take);
}

static void residents_load(struct double_exchange *x)
{
    struct juki *juki = x->state;
    json_t *resident;
    size_t i;
    if (!json_is_array(x->json)) {
        double_refuse(x, 400, "not_an_array", NULL);
        return;
    }
    json_array_foreach(x->json, i, resident)
    {
        const char *fault = resident_fault(resident);
        if (fault) {
            double_refuse(x, 422, "bad_resident", fault);
            return;
        }
    }
    struct loading *loading = calloc(1, sizeof *loading);
    *loading = (struct loading){x, json_incref(x->json)};
    json_t *registers = registers_take(juki, loading->residents);
    if (json_array_size(registers) == 0) {
        json_decref(registers);
        loading_finish(loading);
        return;
    }
    call_post(juki, "/residents", registers, registers_passed_on, loading);
}

/* --- inquiries: the fixed format -------------------------------------------------------------------------------- */

struct result_file {
    char *text;
    size_t size;
    FILE *out;
    unsigned details;
};

static void person_write(FILE *out, const json_t *resident)
{
    fprintf(out, "%s%*s%s%*s%s%s", text_of(resident, "name"), NAME_SIZE - (int)strlen(text_of(resident, "name")), "",
        text_of(resident, "address"), ADDRESS_SIZE - (int)strlen(text_of(resident, "address")), "",
        text_of(resident, "birth_date"), text_of(resident, "sex"));
}

static void detail_write(
    struct result_file *result, const char *asked, const char *code, size_t index, size_t total, const json_t *resident)
{
    const char *changed = resident ? text_of(resident, "changed_on") : "";
    result->details++;
    fprintf(result->out, "3%.6s%.36s%s%03zu%03zu%-8s%c", asked + 2, asked + 8, code, index, total, changed,
        resident ? 'P' : '-');
    if (resident) {
        person_write(result->out, resident);
    }
    fputc('\n', result->out);
}

/* The index may hold codes of people who have changed since; only who is so now is found. */
static bool is_found(const json_t *resident, const char *number, const char *asked)
{
    char item[ADDRESS_SIZE + 1];
    json_t *old;
    size_t i;
    if (number) {
        json_array_foreach(json_object_get(resident, "old_numbers"), i, old)
        {
            if (strcmp(json_string_value(old), number) == 0) {
                return true;
            }
        }
        return strcmp(text_of(resident, "number"), number) == 0;
    }
    const char *address = asked + KEY_SIZE + NAME_SIZE, *sex = address + ADDRESS_SIZE + BIRTH_SIZE;
    field_text(item, asked + KEY_SIZE, NAME_SIZE);
    if (strcmp(text_of(resident, "name"), item) != 0) {
        return false;
    }
    field_text(item, address, ADDRESS_SIZE);
    return (!*item || strcmp(text_of(resident, "address"), item) == 0) &&
           (*sex == ' ' || text_of(resident, "sex")[0] == *sex);
}

static void codes_answer(
    struct juki *juki, struct result_file *result, const char *asked, json_t *codes, const char *number)
{
    json_t *found = json_array(), *code;
    size_t i;
    json_array_foreach(codes, i, code)
    {
        json_t *resident = json_object_get(juki->by_code, json_string_value(code));
        if (resident && is_found(resident, number, asked)) {
            json_array_append(found, resident);
        }
    }
    size_t total = json_array_size(found), shown = total < CANDIDATES_MAX ? total : CANDIDATES_MAX;
    if (total == 0) {
        detail_write(result, asked, "02", 0, 0, NULL);
    }
    for (i = 0; i < shown; i++) {
        const json_t *resident = json_array_get(found, i);
        detail_write(result, asked, total > 1 ? "01" : result_code(resident, number), i + 1, shown, resident);
    }
    json_decref(found);
}

static void record_answer(struct juki *juki, struct result_file *result, const char *asked)
{
    char key[NAME_SIZE + 16], birth_date[BIRTH_SIZE + 1], name[NAME_SIZE + 1];
    switch (asked[1]) {
    case 'N':
        field_text(key, asked + KEY_SIZE, NUMBER_SIZE);
        codes_answer(juki, result, asked, json_object_get(juki->by_number, key), key);
        break;
    case 'C': {
        field_text(key, asked + KEY_SIZE, NUMBER_SIZE);
        json_t *resident = json_object_get(juki->by_code, key);
        detail_write(
            result, asked, resident ? result_code(resident, NULL) : "02", resident ? 1 : 0, resident ? 1 : 0, resident);
        break;
    }
    default:
        field_text(name, asked + KEY_SIZE, NAME_SIZE);
        field_text(birth_date, asked + KEY_SIZE + NAME_SIZE + ADDRESS_SIZE, BIRTH_SIZE);
        items_key(key, sizeof key, name, birth_date);
        codes_answer(juki, result, asked, json_object_get(juki->by_items, key), NULL);
    }
}

/* One detail, if it keeps the format: by number, by code (never at a terminal), by name and birth date at least. */
static const char *detail_take(struct inquiry_file *file)
{
    char kind = file->end - file->at > 1 ? file->at[1] : 0, sequence[7];
    const char *line = line_take(file, KEY_SIZE + (kind == 'F' ? ITEMS_SIZE : NUMBER_SIZE));
    snprintf(sequence, sizeof sequence, "%06u", file->records + 1);
    if (!line || memcmp(line + 2, sequence, 6) != 0 || line[8] == ' ') {
        return NULL;
    }
    const char *key = line + KEY_SIZE;
    bool fits = (kind == 'N' && all_digits(key, NUMBER_SIZE)) ||
                (kind == 'C' && file->form == 'B' && all_digits(key, 11) && key[11] == ' ') ||
                (kind == 'F' && key[0] != ' ' && all_digits(key + NAME_SIZE + ADDRESS_SIZE, BIRTH_SIZE) &&
                    strchr("123 ", key[ITEMS_SIZE - 1]));
    return fits ? line : NULL;
}

static bool file_answer(struct juki *juki, struct inquiry_file *file, struct result_file *result)
{
    time_t now = time(NULL);
    struct tm t;
    char made[16];
    if (!head_take(file)) {
        return false;
    }
    localtime_r(&now, &t);
    strftime(made, sizeof made, "%Y%m%d%H%M%S", &t);
    fprintf(result->out, "1KEKKA001%c%.32s%s%.16s\n", file->form, file->reference, made, file->body);
    while (file->at < file->end && *file->at == '2') {
        const char *asked = detail_take(file);
        if (!asked || file->records == (file->form == 'T' ? 1 : RECORDS_MAX)) {
            return false;
        }
        file->records++;
        record_answer(juki, result, asked);
    }
    fprintf(result->out, "9%06u\n", result->details);
    return tail_take(file);
}

static void inquiry_answer(struct double_exchange *x)
{
    struct inquiry_file file = {.at = (const char *)x->body, .end = (const char *)x->body + x->body_size};
    struct result_file result = {0};
    char reference[33], form[2] = {0};
    result.out = open_memstream(&result.text, &result.size);
    bool fits = result.out && file_answer(x->state, &file, &result);
    fclose(result.out);
    if (fits) {
        field_text(reference, file.reference, 32);
        form[0] = file.form;
        double_record(x->server, "inquiry", reference,
            json_pack("{si si ss}", "records", (int)file.records, "details", (int)result.details, "form", form));
        double_answer_bytes(x, 200, "text/plain; charset=utf-8", result.text, result.size);
    } else {
        char line[24];
        snprintf(line, sizeof line, "line %u", file.line);
        double_refuse(x, 422, "not_the_format", line);
    }
    free(result.text);
}

/* --- acquisitions: on to the network of information provision ---------------------------------------------------- */

static void waiting_pass_on(void *arg);

struct passing {
    struct juki *juki;
    json_t *acquisitions;
};

static void passed_on(void *arg, int status, const char *answer, size_t size)
{
    struct passing *passing = arg;
    struct juki *juki = passing->juki;
    json_t *one;
    size_t i;
    json_array_foreach(passing->acquisitions, i, one)
    {
        if (status == 200) {
            double_record(juki->server, "passed_on", text_of(one, "acquisition_number"), NULL);
        }
    }
    juki->passing_on = json_object_size(juki->waiting) > 0;
    if (juki->passing_on) {
        double_after(juki->server, status == 200 ? 0 : RETRY_MS, waiting_pass_on, juki);
    }
    json_decref(passing->acquisitions);
    free(passing);
}

static void waiting_pass_on(void *arg)
{
    struct juki *juki = arg;
    const char *number;
    json_t *one;
    juki->passing_on = json_object_size(juki->waiting) > 0;
    if (!juki->passing_on) {
        return;
    }
    struct passing *passing = calloc(1, sizeof *passing);
    *passing = (struct passing){juki, json_array()};
    json_object_foreach(juki->waiting, number, one)
    {
        json_array_append(passing->acquisitions, one);
    }
    call_post(juki, "/acquisitions", json_incref(passing->acquisitions), passed_on, passing);
}

static bool acquisition_take(struct juki *juki, const json_t *asked)
{
    const char *number = text_of(asked, "number"), *acquisition = text_of(asked, "acquisition_number"),
               *body = text_of(asked, "body");
    char id_code[33] = "";
    if (!digits(number, NUMBER_SIZE) || !*acquisition || !*body) {
        return false;
    }
    json_t *codes = json_object_get(juki->by_number, number);
    /* 取得番号 must be neither 個人番号 nor 住民票コード (番号法21条の2): such a one is taken for a mistake. */
    if (json_object_get(juki->by_code, acquisition) || json_object_get(juki->by_number, acquisition)) {
        return false;
    }
    if (json_array_size(codes) == 1) {
        id_code_make(juki, json_string_value(json_array_get(codes, 0)), id_code);
    }
    double_record(juki->server, "acquisition", acquisition,
        json_pack("{ss ss ss}", "acquisition_number", acquisition, "body", body, "id_code", id_code));
    return true;
}

static void acquisitions_take(struct double_exchange *x)
{
    struct juki *juki = x->state;
    json_t *one;
    size_t i;
    bool fits = json_is_array(x->json) ? json_array_size(x->json) > 0 : acquisition_take(juki, x->json);
    if (json_is_array(x->json)) {
        json_array_foreach(x->json, i, one)
        {
            fits = fits && acquisition_take(juki, one);
        }
    }
    if (fits) {
        double_answer(x, 202, NULL);
    } else {
        double_refuse(x, 422, "bad_acquisition", NULL);
    }
    if (!juki->passing_on && json_object_size(juki->waiting) > 0) {
        juki->passing_on = true;
        double_after(juki->server, 0, waiting_pass_on, juki);
    }
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void juki_apply(void *state, const char *kind, const char *key, json_t *body)
{
    struct juki *juki = state;
    json_t *resident;
    size_t i;
    if (strcmp(kind, "residents") == 0) {
        json_array_foreach(body, i, resident)
        {
            resident_keep(juki, resident);
        }
    } else if (strcmp(kind, "acquisition") == 0) {
        json_object_set(juki->waiting, key, body);
    } else if (strcmp(kind, "passed_on") == 0) {
        json_object_del(juki->waiting, key);
    }
}

static bool secret_read(const char *folder, const char *name, unsigned char secret[32])
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rbe");
    if (file) {
        bool whole = fread(secret, 1, 32, file) == 32;
        fclose(file);
        return whole;
    }
    file = fopen(path, "wbe");
    bool made = file && RAND_bytes(secret, 32) == 1 && fwrite(secret, 1, 32, file) == 32;
    return file && fclose(file) == 0 && made;
}

static bool juki_start(struct double_server *server, void *state)
{
    struct juki *juki = state;
    juki->server = server;
    juki->by_code = json_object();
    juki->by_number = json_object();
    juki->by_items = json_object();
    juki->waiting = json_object();
    juki->ipn_url = double_option(server, "ipn-url", "http://127.0.0.1:8422");
    setenv("TZ", "Asia/Tokyo", 1);
    tzset();
    juki->passing_on = true; /* once the ledger is read, what was not passed on goes first */
    double_after(server, 0, waiting_pass_on, juki);
    return secret_read(double_state_folder(server), "link.key", juki->link_key);
}

static void juki_stop(void *state)
{
    struct juki *juki = state;
    json_decref(juki->by_code);
    json_decref(juki->by_number);
    json_decref(juki->by_items);
    json_decref(juki->waiting);
}

static const struct double_route routes[] = {
    {"POST", "/residents", residents_load},
    {"POST", "/inquiries", inquiry_answer},
    {"POST", "/acquisitions", acquisitions_take},
};

int main(int argc, char **argv)
{
    struct juki juki = {0};
    const struct double_spec spec = {
        .name = "juki",
        .routes = routes,
        .route_count = sizeof routes / sizeof *routes,
        .state = &juki,
        .start = juki_start,
        .apply = juki_apply,
        .stop = juki_stop,
    };
    return double_run(&spec, argc, argv);
}
