#include "chassis/rights_table.h"

#include "chassis/second_person.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_MAX 1000000
#define REVIEW_DAYS_MAX 3660

static bool name_take(char to[RIGHTS_NAME_MAX], const char *name, struct fault *fault)
{
    size_t len = strlen(name);
    if (len == 0 || len >= RIGHTS_NAME_MAX || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != len)
        return fault_set(fault, FAULT_malformed, name);
    memcpy(to, name, len + 1);
    return true;
}

/* An object of exactly these keys. */
static bool keys_check(const json_t *object, const char *const *keys, const char *where, struct fault *fault)
{
    size_t count = 0;
    for (; keys[count]; count++)
        if (!json_object_get(object, keys[count]))
            return fault_set(fault, FAULT_malformed, where);
    return json_object_size(object) == count || fault_set(fault, FAULT_malformed, where);
}
#define KEYS(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool number_take(const json_t *json, const char *key, uint32_t most, uint32_t *number, struct fault *fault)
{
    json_int_t value = json_integer_value(json_object_get(json, key));
    if (value < 1 || value > most)
        return fault_set(fault, FAULT_malformed, key);
    *number = (uint32_t)value;
    return true;
}

static bool label_take(char to[RIGHTS_LABEL_MAX], const json_t *label, const char *where, struct fault *fault)
{
    const char *text = json_string_value(label);
    if (!text || strlen(text) >= RIGHTS_LABEL_MAX)
        return fault_set(fault, FAULT_malformed, where);
    strcpy(to, text);
    return true;
}

static bool purposes_take(struct rights_table *table, const json_t *json, struct fault *fault)
{
    const char *name;
    json_t *label;
    json_object_foreach((json_t *)json, name, label)
    {
        if (table->purpose_count == TABLE_PURPOSES_MAX)
            return fault_set(fault, FAULT_malformed, name);
        if (!label_take(table->purpose_labels[table->purpose_count], label, name, fault))
            return false;
        if (!name_take(table->purposes[table->purpose_count++], name, fault))
            return false;
    }
    return table->purpose_count || fault_set(fault, FAULT_malformed, "purposes");
}

size_t rights_table_purpose(const struct rights_table *table, const char *name)
{
    size_t place = 0;
    while (place < table->purpose_count && strcmp(table->purposes[place], name) != 0)
        place++;
    return place;
}

static bool purpose_set_take(
    const struct rights_table *table, const json_t *list, unsigned *set, size_t *first, struct fault *fault)
{
    if (json_array_size(list) == 0)
        return fault_set(fault, FAULT_malformed, "purposes");
    *set = 0;
    for (size_t i = json_array_size(list); i-- > 0;) {
        const char *name = json_string_value(json_array_get(list, i));
        *first = name ? rights_table_purpose(table, name) : table->purpose_count;
        if (*first == table->purpose_count)
            return fault_set(fault, FAULT_malformed, name ? name : "purposes");
        *set |= 1u << *first;
    }
    return true;
}

static bool right_take(const char *name, enum right *right, struct fault *fault)
{
    for (int i = RIGHT_none + 1; i < RIGHTS; i++)
        if (i != RIGHT_session && strcmp(right_name(i), name) == 0) {
            *right = (enum right)i;
            return true;
        }
    return fault_set(fault, FAULT_malformed, name);
}

/* Every right of proto/rights.def is described, but `session`, which everybody has who is logged in. */
static bool rules_take(struct rights_table *table, const json_t *json, struct fault *fault)
{
    const char *name;
    json_t *row;
    json_object_foreach((json_t *)json, name, row)
    {
        enum right right;
        if (!right_take(name, &right, fault) ||
            !keys_check(row, KEYS("personal", "temporary", "purposes"), name, fault))
            return false;
        struct right_rule *rule = &table->rules[right];
        if (!json_is_boolean(json_object_get(row, "personal")) || !json_is_boolean(json_object_get(row, "temporary")))
            return fault_set(fault, FAULT_malformed, name);
        rule->described = true;
        rule->personal = json_is_true(json_object_get(row, "personal"));
        rule->temporary = json_is_true(json_object_get(row, "temporary"));
        if (!purpose_set_take(table, json_object_get(row, "purposes"), &rule->purposes, &rule->usual, fault))
            return false;
    }
    for (int right = RIGHT_none + 1; right < RIGHTS; right++)
        if (right != RIGHT_session && !table->rules[right].described)
            return fault_set(fault, FAULT_malformed, right_name(right));
    return true;
}

static bool right_set_take(const json_t *list, unsigned *set, struct fault *fault)
{
    size_t index;
    json_t *name;
    enum right right;
    if (json_array_size(list) == 0)
        return fault_set(fault, FAULT_malformed, "rights");
    *set = 0;
    json_array_foreach((json_t *)list, index, name)
    {
        if (!json_is_string(name))
            return fault_set(fault, FAULT_malformed, "rights");
        if (!right_take(json_string_value(name), &right, fault))
            return false;
        *set |= 1u << right;
    }
    return true;
}

static bool programmes_take(const json_t *list, char programmes[RIGHTS_PROGRAMMES_MAX], struct fault *fault)
{
    size_t index, used = 1;
    json_t *name;
    char checked[RIGHTS_NAME_MAX];
    programmes[0] = '\0';
    if (json_is_string(list) && strcmp(json_string_value(list), "all") == 0)
        return true;
    if (json_array_size(list) == 0)
        return fault_set(fault, FAULT_malformed, "programmes");
    programmes[0] = ',';
    json_array_foreach((json_t *)list, index, name)
    {
        if (!json_is_string(name) || !name_take(checked, json_string_value(name), fault))
            return fault_set(fault, FAULT_malformed, "programmes");
        if (used + strlen(checked) + 2 > RIGHTS_PROGRAMMES_MAX)
            return fault_set(fault, FAULT_malformed, "programmes");
        used += (size_t)snprintf(programmes + used, RIGHTS_PROGRAMMES_MAX - used, "%s,", checked);
    }
    return true;
}

/* Are there commands by this right, and do all go to services that keep proposals (second_person.h)? What is only
 * looked at cannot wait for a second person. */
static bool right_can_wait(enum right right)
{
    size_t commands = 0;
    for (enum route route = 0; route < ROUTES; route++) {
        const struct route_row *row = route_row(route);
        if (row->right != right || row->kind != ROUTE_COMMAND)
            continue;
        if (!(row->to & SERVICES_WITH_PROPOSALS))
            return false;
        commands++;
    }
    return commands > 0;
}

/* A role that may reach no personal data is given no right that does (EXCH-13), a right only for its purposes, and one
 * that is lent for a time not at all (AUTH-8). */
static bool grant_fits(
    const struct rights_table *table, const struct grant *grant, bool personal_data, struct fault *fault)
{
    for (int right = 0; right < RIGHTS; right++) {
        if (!(grant->rights & 1u << right))
            continue;
        if (grant->two_persons && !right_can_wait((enum right)right))
            return fault_set(fault, FAULT_two_persons_unfit, right_name((enum right)right));
        if ((table->rules[right].personal && !personal_data) || table->rules[right].temporary ||
            grant->purposes & ~table->rules[right].purposes)
            return fault_set(fault, FAULT_malformed, right_name(right));
    }
    return true;
}

static bool role_take(const struct rights_table *table, const json_t *json, struct role *role, struct fault *fault)
{
    const json_t *personal = json_object_get(json, "personal_data"), *grants = json_object_get(json, "grants");
    const json_t *platform = json_object_get(json, "platform");
    size_t index, ignored;
    json_t *row;
    if (!keys_check(json, KEYS("label", "platform", "personal_data", "grants"), role->name, fault))
        return false;
    if (!label_take(role->label, json_object_get(json, "label"), role->name, fault))
        return false;
    if (!json_is_boolean(personal) || !json_is_boolean(platform) || !json_is_array(grants) ||
        json_array_size(grants) > TABLE_GRANTS_MAX)
        return fault_set(fault, FAULT_malformed, role->name);
    role->personal_data = json_is_true(personal);
    role->platform = json_is_true(platform);
    if (role->platform && json_is_true(personal)) /* EXCH-13 */
        return fault_set(fault, FAULT_malformed, role->name);
    json_array_foreach((json_t *)grants, index, row)
    {
        struct grant *grant = &role->grants[role->grant_count++];
        const json_t *two = json_object_get(row, "two_persons");
        grant->two_persons = json_is_true(two);
        if (!keys_check(row,
                two ? KEYS("rights", "programmes", "purposes", "two_persons")
                    : KEYS("rights", "programmes", "purposes"),
                role->name, fault) ||
            !right_set_take(json_object_get(row, "rights"), &grant->rights, fault) ||
            !programmes_take(json_object_get(row, "programmes"), grant->programmes, fault) ||
            !purpose_set_take(table, json_object_get(row, "purposes"), &grant->purposes, &ignored, fault) ||
            !grant_fits(table, grant, json_is_true(personal), fault))
            return false;
    }
    return true;
}

static bool roles_take(struct rights_table *table, const json_t *json, struct fault *fault)
{
    const char *name;
    json_t *row;
    json_object_foreach((json_t *)json, name, row)
    {
        if (table->role_count == TABLE_ROLES_MAX)
            return fault_set(fault, FAULT_malformed, name);
        struct role *role = &table->roles[table->role_count++];
        if (!name_take(role->name, name, fault) || !role_take(table, row, role, fault))
            return false;
    }
    return table->role_count || fault_set(fault, FAULT_malformed, "roles");
}

static bool kinds_take(struct rights_table *table, const json_t *json, struct fault *fault)
{
    const char *name;
    json_t *row;
    json_object_foreach((json_t *)json, name, row)
    {
        if (table->kind_count == TABLE_KINDS_MAX)
            return fault_set(fault, FAULT_malformed, name);
        struct terminal_kind *kind = &table->kinds[table->kind_count++];
        if (!name_take(kind->name, name, fault) || !keys_check(row, KEYS("label", "rights"), name, fault) ||
            !right_set_take(json_object_get(row, "rights"), &kind->rights, fault))
            return false;
        if (!json_is_string(json_object_get(row, "label")))
            return fault_set(fault, FAULT_malformed, name);
    }
    return table->kind_count || fault_set(fault, FAULT_malformed, "terminals");
}

struct rights_table *rights_table_read(const json_t *json, struct fault *fault)
{
    struct rights_table *table = calloc(1, sizeof *table);
    if (!table) {
        fault_set(fault, FAULT_internal, NULL);
        return NULL;
    }
    if (keys_check(json, KEYS("version", "review_every_days", "purposes", "rights", "roles", "terminals"),
            "SHIKAKU_RIGHTS", fault) &&
        number_take(json, "version", VERSION_MAX, &table->edition.version, fault) &&
        number_take(json, "review_every_days", REVIEW_DAYS_MAX, &table->edition.review_days, fault) &&
        purposes_take(table, json_object_get(json, "purposes"), fault) &&
        rules_take(table, json_object_get(json, "rights"), fault) &&
        roles_take(table, json_object_get(json, "roles"), fault) &&
        kinds_take(table, json_object_get(json, "terminals"), fault))
        return table;
    free(table);
    return NULL;
}
