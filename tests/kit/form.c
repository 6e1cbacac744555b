#include "kit/form.h"

#include <string.h>

/* What is asked by a key of its own; else the item's type decides. */
static const struct {
    const char *key, *value;
} examples[] = {
    {"prefecture_code", "130001"},
    {"trade_code", "001"},
    {"task_code", "01"},
    {"exam_division", "1"},
    {"experience_years", "7"},
    {"wanted_bureau", "架空運輸局"},
    {"examined_bureau", "架空運輸局"},
    {"examinee_number", "X00123"},
    {"examination", "架空県准看護師試験"},
};

static const char *const by_type[] = {
    [PROGRAMME_TEXT] = "架空",
    [PROGRAMME_KANA] = "カクウ",
    [PROGRAMME_DATE] = "20200401",
    [PROGRAMME_INTEGER] = "1",
    [PROGRAMME_CODE] = "X1",
    [PROGRAMME_FLAG] = "1",
    [PROGRAMME_CHOICE] = "",
    [PROGRAMME_POSTAL_CODE] = "0000000",
    [PROGRAMME_PHONE] = "0000000000",
};

/* Family and given name are split at U+3000. */
static json_t *part_of(const char *whole, bool first)
{
    const char *space = strstr(whole, "　");
    if (!space)
        return json_string(first ? whole : "");
    return first ? json_stringn(whole, (size_t)(space - whole)) : json_string(space + strlen("　"));
}

/* The values that say who it is. NULL for another key. */
static json_t *identity_value(const char *key, const struct kit_person *person)
{
    const char sex[] = {person->person.sex, 0};
    const struct {
        const char *key, *text;
        int part; /* 0 whole, 1 family, 2 given */
    } rows[] = {
        {"name", person->person.name, 0},
        {"family_name", person->person.name, 1},
        {"given_name", person->person.name, 2},
        {"kana", person->kana, 0},
        {"family_kana", person->kana, 1},
        {"given_kana", person->kana, 2},
        {"address", person->person.address, 0},
        {"birth_date", person->person.birth_date, 0},
        {"sex", sex, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].key, key) == 0)
            return rows[i].part ? part_of(rows[i].text, rows[i].part == 1) : json_string(rows[i].text);
    return NULL;
}

static json_t *item_value(const struct programme_item *item, const struct kit_person *person)
{
    json_t *value = identity_value(item->key, person);
    if (value || !item->required)
        return value;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        if (strcmp(examples[i].key, item->key) == 0)
            return json_string(examples[i].value);
    return json_string(item->choice_count ? item->choices[0].value : by_type[item->type]);
}

json_t *kit_form_fill(const struct programme_procedure *procedure, const struct kit_person *person)
{
    json_t *items = json_object();
    for (size_t i = 0; items && i < procedure->item_count; i++) {
        json_t *value = item_value(&procedure->items[i], person);
        if (value && json_object_set_new(items, procedure->items[i].key, value) != 0) {
            json_decref(items);
            return NULL;
        }
    }
    return items;
}
