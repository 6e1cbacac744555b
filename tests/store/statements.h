/* Every SQL text of the services, read from their sources: the constants of services/X/Y_store.c, where the rule
 * tests/rules/sql keeps all SQL. Adjacent literals are joined, a macro of the file that is a text stands for it. And
 * what a text says: which tables it names, without its filters, which column a parameter is for. */
#ifndef STORE_STATEMENTS_H
#define STORE_STATEMENTS_H

#include <ctype.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENTS_MAX 512
#define STATEMENT_BYTES 6000

struct statement_text {
    char file[96], name[64], service[24]; /* service: whose role runs it */
    char sql[STATEMENT_BYTES];
};

static struct statement_text statements[STATEMENTS_MAX];
static size_t statement_count;

static inline char *file_read(const char *path)
{
    FILE *in = fopen(path, "r");
    if (!in || fseek(in, 0, SEEK_END) != 0)
        abort();
    size_t size = (size_t)ftell(in);
    char *text = calloc(1, size + 1);
    rewind(in);
    if (!text || fread(text, 1, size, in) != size)
        abort();
    fclose(in);
    return text;
}

/* Append the literal that begins at `at`; returns what is behind it. */
static inline const char *literal_take(const char *at, char *sql)
{
    size_t used = strlen(sql);
    for (at++; *at && *at != '"'; at++) {
        if (*at == '\\')
            at++;
        if (used + 1 < STATEMENT_BYTES)
            sql[used++] = *at;
    }
    sql[used] = '\0';
    return at + 1;
}

static inline const char *blank_skip(const char *at)
{
    for (;;) {
        at += strspn(at, " \t\n\\");
        if (strncmp(at, "/*", 2) == 0)
            at = strstr(at, "*/") + 2;
        else
            return at;
    }
}

/* The parameter of a macro that is being read, and what stands for it; "" outside one. */
struct macro_argument {
    char name[32], text[256];
};

static inline const char *text_take(
    const char *source, const char *at, const struct macro_argument *argument, char *sql);

/* `word` is a macro of this file, with one parameter or none: append what it stands for. Returns what is behind its
 * use; NULL where there is no such macro. */
static inline const char *macro_take(
    const char *source, const char *word, const char *behind, const struct macro_argument *outer, char *sql)
{
    char define[80];
    struct macro_argument argument = {0};
    snprintf(define, sizeof define, "#define %s%s", word, *behind == '(' ? "(" : " ");
    const char *meant = strstr(source, define);
    if (!meant)
        return NULL;
    meant += strlen(define);
    if (*behind == '(') {
        static char text[STATEMENT_BYTES];
        text[0] = '\0';
        behind = text_take(source, behind + 1, outer, text) + 1;
        snprintf(argument.text, sizeof argument.text, "%s", text);
        snprintf(argument.name, sizeof argument.name, "%.*s", (int)strcspn(meant, ")"), meant);
        meant += strcspn(meant, ")") + 1;
    }
    text_take(source, meant, &argument, sql);
    return behind;
}

/* Literals and macros of this file, until something else comes. */
static inline const char *text_take(
    const char *source, const char *at, const struct macro_argument *argument, char *sql)
{
    char word[64];
    for (;;) {
        at = blank_skip(at);
        if (*at == '"') {
            at = literal_take(at, sql);
            continue;
        }
        size_t len = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");
        if (len == 0 || len >= sizeof word)
            return at;
        snprintf(word, sizeof word, "%.*s", (int)len, at);
        if (argument && *argument->name && strcmp(word, argument->name) == 0) {
            strncat(sql, argument->text, STATEMENT_BYTES - strlen(sql) - 1);
            at += len;
            continue;
        }
        const char *behind = macro_take(source, word, at + len, argument, sql);
        if (!behind)
            return at;
        at = behind;
    }
}

static inline bool is_sql(const char *text)
{
    static const char *const begins[] = {"SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ", "SET ", "CALL ", "LOCK "};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (strncmp(text, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

/* The service's own folder is its role; the operator's command reads audit's log; the chassis' texts are every
 * service's. */
static inline void statement_add(const char *path, const char *name, size_t name_len, const char *sql)
{
    char folder[24] = "";
    if (statement_count == STATEMENTS_MAX)
        abort();
    struct statement_text *one = &statements[statement_count++];
    snprintf(one->file, sizeof one->file, "%s", path);
    snprintf(one->name, sizeof one->name, "%.*s", (int)name_len, name);
    sscanf(path, "services/%23[a-z_]/", folder);
    snprintf(one->service, sizeof one->service, "%s",
        strcmp(folder, "shikakuctl") == 0 ? "audit"
        : strcmp(folder, "chassis") == 0  ? "intake"
                                          : folder);
    size_t used = 0;
    for (; *sql && used + sizeof one->service < sizeof one->sql; sql++)
        used += (size_t)snprintf(one->sql + used, sizeof one->sql - used, "%.*s",
            *sql == '@' ? (int)strlen(one->service) : 1, *sql == '@' ? one->service : sql);
}

/* Every run of literals of the source that is SQL; its name is that of the constant, else "line N". */
static inline void statements_read_file(const char *path)
{
    char *source = file_read(path);
    static char sql[STATEMENT_BYTES];
    for (const char *at = source; (at = strchr(at, '"'));) {
        const char *line = at;
        while (line > source && !strchr(";{}", line[-1]))
            line--;
        sql[0] = '\0';
        const char *constant = strstr(line, "static const char ");
        const char *begin = constant && constant < at ? strchr(constant, '=') + 1 : at;
        const char *behind = text_take(source, begin, NULL, sql);
        constant = constant && constant < at ? constant + strlen("static const char ") : "text";
        if (is_sql(sql))
            statement_add(path, constant, strcspn(constant, "[ "), sql);
        at = behind > at ? behind : at + 1;
    }
    free(source);
}

static inline void statements_read(void)
{
    glob_t found;
    if (glob("services/*/*_store.c", 0, NULL, &found) != 0)
        abort();
    for (size_t i = 0; i < found.gl_pathc; i++)
        statements_read_file(found.gl_pathv[i]);
    globfree(&found);
}

static inline bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Does the word (any case) begin at `at`, standing alone? */
static inline bool word_at(const char *text, const char *at, const char *word)
{
    size_t len = strlen(word);
    return strncasecmp(at, word, len) == 0 && !is_word_char(at[len]) && (at == text || !is_word_char(at[-1]));
}

static inline bool names_table(const char *sql, const char *table)
{
    for (const char *at = sql; (at = strstr(at, table)); at++)
        if (!is_word_char(at[strlen(table)]) && (at == sql || !is_word_char(at[-1])))
            return true;
    return false;
}

/* Where the clause that begins at `at` ends: at a word that begins another, or where its parenthesis closes. */
static inline const char *clause_end(const char *text, const char *at)
{
    static const char *const words[] = {
        "GROUP", "ORDER", "LIMIT", "RETURNING", "FOR", "UNION", "ON", "OFFSET", "HAVING", "WINDOW"};
    int depth = 0;
    for (; *at; at++) {
        if (*at == '\'') {
            at = strchr(at + 1, '\'');
            continue;
        }
        depth += (*at == '(') - (*at == ')');
        if (depth < 0)
            return at;
        for (size_t i = 0; depth == 0 && i < sizeof words / sizeof *words; i++)
            if (word_at(text, at, words[i]))
                return at;
    }
    return at;
}

/* The same statement without any filter: every WHERE is made true, and every comparison of a manager with it. What the
 * filters say still stands there, so that each parameter keeps its type. */
static inline void filters_strip(const char *sql, char stripped[2 * STATEMENT_BYTES])
{
    size_t used = 0;
    const size_t size = 2 * (size_t)STATEMENT_BYTES;
    const char *ends[16];
    int open = 0;
    for (const char *at = sql; *at || open;) {
        if (open && at == ends[open - 1]) {
            used += (size_t)snprintf(stripped + used, size - used, ") OR true ");
            open--;
            continue;
        }
        if (word_at(sql, at, "WHERE") && open < 16) {
            ends[open++] = clause_end(sql, at + 5);
            used += (size_t)snprintf(stripped + used, size - used, "WHERE (");
            at += 5;
            continue;
        }
        int parameter = 0, len = 0;
        if (word_at(sql, at, "manager") && sscanf(at, "manager = $%d%n", &parameter, &len) == 1 && len) {
            size_t from = used; /* with the table before it: "v.manager" */
            while (from && (is_word_char(stripped[from - 1]) || stripped[from - 1] == '.'))
                from--;
            memmove(stripped + from + 1, stripped + from, used - from);
            stripped[from] = '(';
            used++;
            used += (size_t)snprintf(stripped + used, size - used, "manager = $%d OR true)", parameter);
            at += len;
            continue;
        }
        stripped[used++] = *at++;
    }
    stripped[used] = '\0';
}

/* The column that parameter `number` is compared with or put into; "" where the text does not tell. */
static inline void parameter_column(const char *sql, int number, char column[64])
{
    char sign[8];
    column[0] = '\0';
    snprintf(sign, sizeof sign, "$%d", number);
    for (const char *at = sql; (at = strstr(at, sign)); at++) {
        if (isdigit((unsigned char)at[strlen(sign)]))
            continue;
        const char *left = at;
        while (left > sql && left[-1] == ' ')
            left--;
        if (left > sql && left[-1] == '=') {
            for (left--; left > sql && left[-1] == ' ';)
                left--;
            const char *end = left;
            while (left > sql && is_word_char(left[-1]))
                left--;
            snprintf(column, 64, "%.*s", (int)(end - left), left);
            if (*column)
                return;
        }
    }
    /* INSERT INTO t (a, b) VALUES ($1, $2) or SELECT $1, $2: the same place in both lists. */
    for (const char *insert = sql; (insert = strstr(insert, "INSERT INTO ")); insert++) {
        const char *names = strchr(insert, '('), *values = names ? strchr(names, ')') : NULL;
        values = values ? strpbrk(values, "$") : NULL;
        for (; names && values && *names != ')' && *values == '$';) {
            names += strspn(names, "(, ");
            size_t len = strspn(names, "abcdefghijklmnopqrstuvwxyz_0123456789");
            if (atoi(values + 1) == number) {
                snprintf(column, 64, "%.*s", (int)len, names);
                return;
            }
            names += len;
            int depth = 0;
            while (*values && (depth || *values != ',') && !(depth == 0 && *values == ')')) {
                depth += (*values == '(') - (*values == ')');
                values++;
            }
            values += strspn(values, ", ");
        }
    }
}

#endif
