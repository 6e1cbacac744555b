#include "leaks/memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kit/journey.h"

#define NAMES_MAX 32
#define PROCESSES_MAX 256
#define PAGE 4096u
#define READ_MAX (32u << 20)
#define PRESENT ((uint64_t)1 << 63)
#define SWAPPED ((uint64_t)1 << 62)

struct process {
    char name[32];
    pid_t pid;
};

/* What was seen of numbers in one service. */
struct stay {
    char name[32];
    unsigned looks, looks_with;
    size_t most;
    int64_t longest_ms, last_ms;
    int64_t *since_ms; /* per person: when first seen in an unbroken row of looks, 0: not in the last one */
    uint32_t *look;    /* per person: number of the look in which last seen */
    size_t now;
    int64_t began_ms;
};

struct memory {
    struct places *places;
    size_t people;
    pid_t control;
    struct stay stays[NAMES_MAX];
    size_t stay_count;
    uint8_t *buffer;
};

struct memory *memory_new(struct places *places, size_t people, pid_t control)
{
    struct memory *memory = calloc(1, sizeof *memory);
    if (!memory || !(memory->buffer = malloc(READ_MAX)))
        abort();
    memory->places = places;
    memory->people = people;
    memory->control = control;
    return memory;
}

void memory_free(struct memory *memory)
{
    for (size_t i = 0; i < memory->stay_count; i++) {
        free(memory->stays[i].since_ms);
        free(memory->stays[i].look);
    }
    free(memory->buffer);
    free(memory);
}

static struct stay *stay_find(struct memory *memory, const char *name)
{
    for (size_t i = 0; i < memory->stay_count; i++)
        if (strcmp(memory->stays[i].name, name) == 0)
            return &memory->stays[i];
    if (memory->stay_count == NAMES_MAX)
        abort();
    struct stay *stay = &memory->stays[memory->stay_count++];
    snprintf(stay->name, sizeof stay->name, "%s", name);
    stay->since_ms = calloc(memory->people, sizeof *stay->since_ms);
    stay->look = calloc(memory->people, sizeof *stay->look);
    if (!stay->since_ms || !stay->look)
        abort();
    return stay;
}

/* --- whose ---------------------------------------------------------------------------------------------------------
 */

static size_t children_list(pid_t parent, const char *name, struct process *list, size_t room)
{
    char path[64], line[512];
    size_t count = 0;
    struct dirent *entry;
    DIR *all = opendir("/proc");
    while (all && count < room && (entry = readdir(all))) {
        pid_t pid = (pid_t)atoi(entry->d_name), of = 0;
        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        FILE *file = pid > 0 ? fopen(path, "re") : NULL;
        const char *past = file && fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
        if (past && sscanf(past, ") %*c %d", &of) == 1 && of == parent) {
            snprintf(list[count].name, sizeof list[count].name, "%s", name);
            list[count++].pid = pid;
        }
        if (file)
            fclose(file);
    }
    if (all)
        closedir(all);
    return count;
}

static pid_t pid_read(const char *path)
{
    int pid = 0;
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%d", &pid) != 1)
        pid = 0;
    if (file)
        fclose(file);
    return pid;
}

/* What deploy/stack started, without the stand-ins, which are exempt by their names; and what those started. */
static size_t processes_list(const struct memory *memory, struct process list[PROCESSES_MAX])
{
    char path[PATH_MAX];
    size_t count = 0;
    struct dirent *entry;
    snprintf(path, sizeof path, "%s/pids", getenv("SHIKAKU_RUN"));
    DIR *pids = opendir(path);
    while (pids && count < PROCESSES_MAX / 2 && (entry = readdir(pids))) {
        if (entry->d_name[0] == '.' || strncmp(entry->d_name, "double-", 7) == 0)
            continue;
        snprintf(path, sizeof path, "%s/pids/%s", getenv("SHIKAKU_RUN"), entry->d_name);
        snprintf(list[count].name, sizeof list[count].name, "%.31s", entry->d_name);
        if ((list[count].pid = pid_read(path)) > 0)
            count++;
    }
    if (pids)
        closedir(pids);
    snprintf(path, sizeof path, "%s/pg/postmaster.pid", getenv("SHIKAKU_VAR"));
    list[count] = (struct process){"postgres", pid_read(path)};
    if (list[count].pid > 0) {
        count++;
        count += children_list(list[count - 1].pid, "postgres", list + count, PROCESSES_MAX - count - 1);
    }
    if (memory)
        list[count++] = (struct process){"control", memory->control};
    return count;
}

/* --- reading -------------------------------------------------------------------------------------------------------
 */

struct looking {
    struct memory *memory;
    struct place *place;
    struct stay *stay;
    const struct process *process;
    int mem, pagemap;
    char region[128];
};

static void number_seen(void *user, const struct needle *needle)
{
    const struct looking *looking = user;
    struct stay *stay = looking->stay;
    if (needle->kind != PLANTED_NUMBER || needle->person >= looking->memory->people ||
        stay->look[needle->person] == stay->looks)
        return;
    if (!stay->since_ms[needle->person] || stay->look[needle->person] != stay->looks - 1)
        stay->since_ms[needle->person] = stay->began_ms;
    stay->look[needle->person] = stay->looks;
    stay->now++;
    stay->last_ms = stay->began_ms;
    if (stay->began_ms - stay->since_ms[needle->person] > stay->longest_ms)
        stay->longest_ms = stay->began_ms - stay->since_ms[needle->person];
}

static void range_read(struct looking *looking, uint64_t from, uint64_t past)
{
    char where[200];
    size_t overlap = 4096;
    while (from < past) {
        size_t wanted = past - from < READ_MAX ? (size_t)(past - from) : READ_MAX;
        ssize_t have = pread(looking->mem, looking->memory->buffer, wanted, (off_t)from);
        if (have <= 0)
            return;
        snprintf(where, sizeof where, "pid %d %s +0x%llx", (int)looking->process->pid, looking->region,
            (unsigned long long)from);
        place_search(looking->memory->places, looking->place, where, looking->memory->buffer, (size_t)have, number_seen,
            looking);
        if ((size_t)have < wanted || from + wanted == past)
            return;
        from += wanted - overlap;
    }
}

/* Stacks and arenas are mostly not there: reading them would take longer than all else. */
static void region_read(struct looking *looking, uint64_t from, uint64_t past)
{
    uint64_t pages[512], run = 0;
    for (uint64_t at = from; at < past;) {
        size_t wanted = (past - at) / PAGE < 512 ? (size_t)((past - at) / PAGE) : 512;
        ssize_t have = pread(looking->pagemap, pages, wanted * sizeof *pages, (off_t)(at / PAGE * sizeof *pages));
        if (have <= 0)
            break;
        for (size_t i = 0; i < (size_t)have / sizeof *pages; i++, at += PAGE) {
            bool there = pages[i] & (PRESENT | SWAPPED);
            if (there && !run)
                run = at;
            if (!there && run) {
                range_read(looking, run, at);
                run = 0;
            }
        }
    }
    if (run)
        range_read(looking, run, past);
}

/* A line of maps: shared memory is read in one process of PostgreSQL's only; files that nobody can have written into
 * are not. */
static void line_read(struct looking *looking, const char *line, bool shared)
{
    unsigned long long from, past, inode;
    char flags[8], name[96] = "";
    if (sscanf(line, "%llx-%llx %7s %*x %*s %llu %95[^\n]", &from, &past, flags, &inode, name) < 4 || flags[0] != 'r')
        return;
    bool file = name[0] == '/' && strncmp(name, "/dev/", 5) != 0;
    if ((flags[3] == 's' && !shared) || (file && flags[1] != 'w') || strncmp(name, "[v", 2) == 0)
        return;
    snprintf(looking->region, sizeof looking->region, "%s %s", flags, *name ? name : "anonymous");
    region_read(looking, from, past);
}

static void process_read(struct looking *looking, bool shared)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)looking->process->pid);
    looking->mem = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%d/pagemap", (int)looking->process->pid);
    looking->pagemap = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%d/maps", (int)looking->process->pid);
    FILE *maps = looking->mem >= 0 && looking->pagemap >= 0 ? fopen(path, "re") : NULL;
    while (maps && fgets(line, sizeof line, maps))
        line_read(looking, line, shared);
    if (maps)
        fclose(maps);
    if (looking->mem >= 0)
        close(looking->mem);
    if (looking->pagemap >= 0)
        close(looking->pagemap);
}

static void process_look(struct memory *memory, const struct process *process, const char *when, bool shared)
{
    char name[64];
    snprintf(name, sizeof name, strcmp(process->name, "control") == 0 ? "memory of %s" : "memory of %s, %s",
        process->name, when);
    struct looking looking = {.memory = memory,
        .place = place_find(memory->places, name),
        .stay = stay_find(memory, process->name),
        .process = process};
    struct stay *stay = looking.stay;
    stay->looks++;
    stay->now = 0;
    stay->began_ms = journey_clock_ms();
    process_read(&looking, shared);
    stay->looks_with += stay->now > 0;
    if (stay->now > stay->most)
        stay->most = stay->now;
}

/* PostgreSQL's shared memory is read once a round, in its first process. */
static void round_look(struct memory *memory, const char *when, const char *const *hot)
{
    struct process list[PROCESSES_MAX];
    size_t count = processes_list(memory, list);
    bool shared = true;
    for (size_t i = 0; i < count; i++) {
        bool postgres = strcmp(list[i].name, "postgres") == 0;
        process_look(memory, &list[i], when, !postgres || shared);
        shared = shared && !postgres;
        for (size_t h = 0; hot && hot[h]; h++)
            for (size_t p = 0; p < count; p++)
                if (p != i && strcmp(list[p].name, hot[h]) == 0)
                    process_look(memory, &list[p], when, true);
    }
}

void memory_watch(struct memory *memory)
{
    static const char *const hot[] = {"residence", "legacy_sync", NULL};
    round_look(memory, "load", hot);
}

void memory_look(struct memory *memory, const char *when)
{
    round_look(memory, when, NULL);
}

void memory_print(const struct memory *memory)
{
    printf("\nnumbers in memory, look by look:\n");
    for (size_t i = 0; i < memory->stay_count; i++) {
        const struct stay *stay = &memory->stays[i];
        if (stay->looks_with)
            printf("  %-12s in %u of %u looks, at most %zu people's at once, one for %lld ms at most\n", stay->name,
                stay->looks_with, stay->looks, stay->most, (long long)stay->longest_ms);
    }
}

static bool core_is_forbidden(const struct process *process)
{
    static const char none[] = "Max core file size        0                    0 ";
    char path[64], line[256];
    bool forbidden = false;
    snprintf(path, sizeof path, "/proc/%d/limits", (int)process->pid);
    FILE *limits = fopen(path, "re");
    while (limits && fgets(line, sizeof line, limits))
        forbidden = forbidden || strncmp(line, none, sizeof none - 1) == 0;
    if (limits)
        fclose(limits);
    return forbidden;
}

/* Where the kernel would put it: in the folder that a service works in. */
static bool core_is_there(const char *folder)
{
    struct dirent *entry;
    bool there = false;
    DIR *dir = opendir(folder);
    while (dir && (entry = readdir(dir)))
        there = there || strcmp(entry->d_name, "core") == 0 || strncmp(entry->d_name, "core.", 5) == 0;
    if (dir)
        closedir(dir);
    return there;
}

bool memory_is_never_dumped(void)
{
    struct process list[PROCESSES_MAX];
    bool never = true;
    size_t count = processes_list(NULL, list);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].name, "postgres") == 0 || strcmp(list[i].name, "haproxy") == 0)
            continue;
        if (!core_is_forbidden(&list[i])) {
            printf("LEAK: %s may leave a core file\n", list[i].name);
            never = false;
        }
        kill(list[i].pid, SIGABRT);
    }
    int64_t deadline = journey_clock_ms() + 10000;
    while (processes_list(NULL, list) && journey_clock_ms() < deadline) {
        bool gone = true;
        for (size_t i = 0; i < count; i++)
            gone = gone && (strcmp(list[i].name, "postgres") == 0 || strcmp(list[i].name, "haproxy") == 0 ||
                               kill(list[i].pid, 0) != 0);
        if (gone)
            break;
    }
    if (core_is_there(".") || core_is_there(getenv("SHIKAKU_VAR"))) {
        printf("LEAK: an aborted service left a core file\n");
        never = false;
    }
    return never;
}
