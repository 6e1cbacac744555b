/* The fixed format (決められた形式) in which the residence network is asked and answers: services/residence/README.md.
 * Ours, modelled on what is public; the official layout is not. UTF-8; fields have widths in bytes, padded with spaces.
 */
#ifndef RESIDENCE_INQUIRY_WIRE_H
#define RESIDENCE_INQUIRY_WIRE_H

#include "chassis/arena.h"
#include "chassis/fault.h"
#include "chassis/person_match.h"

#define INQUIRY_RECORDS_MAX 1000
#define INQUIRY_CANDIDATES_MAX 20 /* of one record, by the format */
#define INQUIRY_NUMBER_DIGITS 12

enum inquiry_form {
    INQUIRY_BATCH = 'B',    /* 一括 */
    INQUIRY_TERMINAL = 'T', /* 即時: one record, from a 本人確認端末 */
};

/* One line of an inquiry file: by the number, or by the four items. */
struct inquiry_record {
    char reference[37];          /* the inquiry's id */
    char affair[17];             /* 利用事務: the programme's code */
    const char *number;          /* 12 digits, borrowed; NULL: by the items */
    const struct person *person; /* borrowed; name and birth date at least, the rest may be empty */
};

struct inquiry_file {
    enum inquiry_form form;
    char reference[33]; /* 32 hex digits */
    char body[17];      /* who asks: the manager's code */
    char made_at[15];   /* YYYYMMDDhhmmss, Japan's time */
    const struct inquiry_record *records;
    size_t count;
};

/* The file in the arena, which wipes it. False with too_large (records, or a text wider than its field) or internal. */
MUST_USE bool inquiry_file_put(
    struct arena *arena, const struct inquiry_file *file, struct bytes *out, struct fault *fault);

/* Result codes (our own). */
enum inquiry_result {
    RESULT_MATCH,          /* 00 一致 */
    RESULT_SEVERAL,        /* 01 複数候補 */
    RESULT_NONE,           /* 02 該当なし */
    RESULT_DEAD,           /* 11 消除(死亡) */
    RESULT_REMOVED,        /* 12 消除(職権) */
    RESULT_ABROAD,         /* 13 国外転出 */
    RESULT_NUMBER_CHANGED, /* 21 番号変更あり */
    RESULT_LATER,          /* 90 一時不能: ask again */
    RESULTS,
};

/* "match", "several" …, as in intake.ResidenceAnswered; "unavailable" for RESULT_LATER. Static. */
const char *inquiry_result_text(enum inquiry_result result);

struct result_line {
    char reference[37];
    enum inquiry_result result;
    unsigned index, total; /* candidate 1..total; 0, 0 where there is nobody */
    char changed_on[9];    /* YYYYMMDD of the 異動, "" where there is none */
    bool has_person;
    struct person person;
};

struct result_file {
    struct result_line *lines; /* in the arena */
    size_t count;
};

/* Take a result file apart. It must answer `asked` (its form, reference and body), keep the format to the byte, and
 * name only records that were asked, each with candidates 1..total in order, nobody twice. Malformed, field "line N",
 * else. */
MUST_USE bool result_file_take(struct arena *arena, const struct inquiry_file *asked, struct bytes text,
    struct result_file *results, struct fault *fault);

/* Now, as made_at has it. */
void inquiry_made_at(char made_at[15]);

#endif
