#include "staff/password_guess.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 4096
#define WORD_SIZE 24
#define FOLDED_SIZE 129

static char words[WORDS_MAX][WORD_SIZE];
static size_t word_count;

static int word_compare(const void *one, const void *other)
{
    return strcmp(one, other);
}

bool guesses_open(const char *file, struct fault *fault)
{
    char line[256];
    bool good = true;
    FILE *in = fopen(file, "re");
    if (!in)
        return fault_set(fault, FAULT_unavailable, "SHIKAKU_KNOWN_PASSWORDS");
    for (word_count = 0; good && fgets(line, sizeof line, in);) {
        size_t len = strcspn(line, "\r\n");
        line[len] = '\0';
        if (len == 0 || *line == '#')
            continue;
        good = word_count < WORDS_MAX && len < WORD_SIZE && strspn(line, "abcdefghijklmnopqrstuvwxyz") == len;
        if (good)
            memcpy(words[word_count++], line, len + 1);
    }
    fclose(in);
    qsort(words, word_count, sizeof *words, word_compare);
    return (good && word_count) || fault_set(fault, FAULT_malformed, "SHIKAKU_KNOWN_PASSWORDS");
}

/* Letters alone; `leet`: what stands for a letter is that letter. */
static void fold(const char *password, bool leet, char folded[FOLDED_SIZE])
{
    static const char from[] = "013457@$!", to[] = "oieastasi";
    size_t used = 0;
    for (const char *at = password; *at && used + 1 < FOLDED_SIZE; at++) {
        char c = (char)tolower((unsigned char)*at);
        const char *stands = leet ? strchr(from, c) : NULL;
        c = stands ? to[stands - from] : c;
        if (c >= 'a' && c <= 'z')
            folded[used++] = c;
    }
    folded[used] = '\0';
}

static size_t trim(const char *password, const char **from)
{
    size_t len = strlen(password);
    *from = password;
    while (len && !isalpha((unsigned char)**from))
        (*from)++, len--;
    while (len && !isalpha((unsigned char)(*from)[len - 1]))
        len--;
    return len;
}

/* Is it nothing but words in a row? */
static bool is_words(const char *folded)
{
    size_t len = strlen(folded);
    bool reached[FOLDED_SIZE] = {[0] = true};
    for (size_t at = 0; at < len; at++)
        for (size_t size = 3; reached[at] && size < WORD_SIZE && at + size <= len; size++) {
            char part[WORD_SIZE];
            memcpy(part, folded + at, size);
            part[size] = '\0';
            reached[at + size] |= bsearch(part, words, word_count, sizeof *words, word_compare) != NULL;
        }
    return reached[len] && len > 0;
}

/* Digits and signs before and behind are taken off first, as guessers put them on: of Password-1234 the 3 is no e. */
bool password_is_guess(const char *password, const char *account)
{
    char core[FOLDED_SIZE], folded[FOLDED_SIZE], name[FOLDED_SIZE];
    const char *from;
    size_t len = trim(password, &from);
    if (len >= sizeof core)
        return false;
    memcpy(core, from, len);
    core[len] = '\0';
    fold(account, false, name);
    for (int leet = 0; leet < 2; leet++) {
        fold(core, leet, folded);
        if (!*folded || is_words(folded) || (strlen(name) > 3 && strcmp(folded, name) == 0))
            return true;
    }
    return false;
}
