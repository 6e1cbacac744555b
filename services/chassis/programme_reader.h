/* Reading one definition, value by value. Each reader returns false, with one line for the operator, at the first thing
 * that is not as it must be. */
#ifndef CHASSIS_PROGRAMME_READER_H
#define CHASSIS_PROGRAMME_READER_H

#include <regex.h>
#include "chassis/programme.h"

/* All that a load keeps, so that one call frees it. */
struct programme_block {
    struct programme_block *next;
    max_align_t bytes[];
};

struct programme_pattern {
    struct programme_pattern *next;
    regex_t compiled;
};

struct programmes {
    struct programme **list; /* by code */
    size_t count;
    const char **managers; /* each once */
    size_t manager_count;
    json_t **roots; /* the texts belong to them */
    struct programme_block *blocks;
    struct programme_pattern *patterns;
};

struct reader {
    struct programmes *all;
    const char *file;
    char *problem;
    size_t size;
    bool failed;
};

#define WHERE_MAX 160
#define KEYS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Always false; the first refusal is the one told. */
bool reader_refuse(struct reader *reader, const char *where, const char *why);
/* Zeroed memory that lives as long as the definitions; NULL when out of memory, which is told. */
void *reader_keep(struct reader *reader, size_t count, size_t size);
void reader_path(char where[WHERE_MAX], const char *outer, const char *key);
void reader_place(char where[WHERE_MAX], const char *outer, const char *key, size_t index);
/* An object without keys beyond those known. */
bool reader_keys(struct reader *reader, const json_t *object, const char *where, const char *const *known);

bool read_text(struct reader *reader, const json_t *object, const char *where, const char *key, const char **text);
bool read_key(struct reader *reader, const json_t *object, const char *where, const char *key, const char **text);
bool read_bool(struct reader *reader, const json_t *object, const char *where, const char *key, bool *flag);
bool read_integer(struct reader *reader, const json_t *object, const char *where, const char *key, json_int_t most,
    json_int_t *number);
bool read_size(
    struct reader *reader, const json_t *object, const char *where, const char *key, size_t most, size_t *size);
const json_t *read_array(struct reader *reader, const json_t *object, const char *where, const char *key);
/* One of some words; its place among them. */
bool read_word(struct reader *reader, const json_t *object, const char *where, const char *key,
    const char *const *words, size_t *index);
/* The key `bodies`; procedures must have been read. */
bool read_bodies(struct reader *reader, const json_t *root, struct programme *programme);
/* A list of words as a set of bits, 1 for the first word. */
bool read_words(struct reader *reader, const json_t *object, const char *where, const char *key,
    const char *const *words, unsigned *bits);

#endif
