#include "chassis/programme_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool reader_refuse(struct reader *reader, const char *where, const char *why)
{
    if (!reader->failed)
        snprintf(reader->problem, reader->size, "%s: %s: %s", reader->file, where, why);
    reader->failed = true;
    return false;
}

void *reader_keep(struct reader *reader, size_t count, size_t size)
{
    struct programme_block *block = calloc(1, sizeof *block + count * size);
    if (block == NULL) {
        reader_refuse(reader, "", "out of memory");
        return NULL;
    }
    block->next = reader->all->blocks;
    reader->all->blocks = block;
    return block->bytes;
}

void reader_path(char where[WHERE_MAX], const char *outer, const char *key)
{
    snprintf(where, WHERE_MAX, "%s%s%s", outer, outer[0] == 0 ? "" : ".", key);
}

void reader_place(char where[WHERE_MAX], const char *outer, const char *key, size_t index)
{
    snprintf(where, WHERE_MAX, "%s%s%s[%zu]", outer, outer[0] == 0 ? "" : ".", key, index);
}

bool reader_keys(struct reader *reader, const json_t *object, const char *where, const char *const *known)
{
    if (!json_is_object(object))
        return reader_refuse(reader, where, "must be an object");
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], key) != 0)
            i++;
        if (known[i] == NULL) {
            char at[WHERE_MAX];
            reader_path(at, where, key);
            return reader_refuse(reader, at, "this key is not known");
        }
    }
    return true;
}

bool read_text(struct reader *reader, const json_t *object, const char *where, const char *key, const char **text)
{
    char at[WHERE_MAX];
    reader_path(at, where, key);
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value) || json_string_length(value) == 0)
        return reader_refuse(reader, at, "must be a text that is not empty");
    *text = json_string_value(value);
    return true;
}

static bool is_key(const char *text)
{
    return text[0] >= 'a' && text[0] <= 'z' && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == 0;
}

bool read_key(struct reader *reader, const json_t *object, const char *where, const char *key, const char **text)
{
    if (!read_text(reader, object, where, key, text))
        return false;
    char at[WHERE_MAX];
    reader_path(at, where, key);
    return is_key(*text) || reader_refuse(reader, at, "must be lower-case ASCII letters, digits, _ and -");
}

bool read_bool(struct reader *reader, const json_t *object, const char *where, const char *key, bool *flag)
{
    char at[WHERE_MAX];
    reader_path(at, where, key);
    const json_t *value = json_object_get(object, key);
    *flag = json_is_true(value);
    return json_is_boolean(value) || reader_refuse(reader, at, "must be true or false");
}

bool read_integer(struct reader *reader, const json_t *object, const char *where, const char *key, json_int_t most,
    json_int_t *number)
{
    char at[WHERE_MAX];
    reader_path(at, where, key);
    const json_t *value = json_object_get(object, key);
    *number = json_integer_value(value);
    return (json_is_integer(value) && *number >= 0 && *number <= most) ||
           reader_refuse(reader, at, "must be an integer within its limits");
}

bool read_size(
    struct reader *reader, const json_t *object, const char *where, const char *key, size_t most, size_t *size)
{
    json_int_t number;
    if (!read_integer(reader, object, where, key, (json_int_t)most, &number))
        return false;
    *size = (size_t)number;
    char at[WHERE_MAX];
    reader_path(at, where, key);
    return number > 0 || reader_refuse(reader, at, "must not be 0");
}

const json_t *read_array(struct reader *reader, const json_t *object, const char *where, const char *key)
{
    char at[WHERE_MAX];
    reader_path(at, where, key);
    const json_t *value = json_object_get(object, key);
    if (!json_is_array(value)) {
        reader_refuse(reader, at, "must be a list");
        return NULL;
    }
    return value;
}

bool read_word(struct reader *reader, const json_t *object, const char *where, const char *key,
    const char *const *words, size_t *index)
{
    const char *text;
    if (!read_text(reader, object, where, key, &text))
        return false;
    for (*index = 0; words[*index] != NULL; (*index)++)
        if (strcmp(words[*index], text) == 0)
            return true;
    char at[WHERE_MAX];
    reader_path(at, where, key);
    return reader_refuse(reader, at, "this word is not known");
}

bool read_words(struct reader *reader, const json_t *object, const char *where, const char *key,
    const char *const *words, unsigned *bits)
{
    const json_t *list = read_array(reader, object, where, key);
    *bits = 0;
    for (size_t i = 0; list != NULL && i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        size_t word = 0;
        while (words[word] != NULL && (text == NULL || strcmp(words[word], text) != 0))
            word++;
        char at[WHERE_MAX];
        reader_place(at, where, key, i);
        if (words[word] == NULL)
            return reader_refuse(reader, at, "this word is not known");
        *bits |= 1u << word;
    }
    return list != NULL;
}
