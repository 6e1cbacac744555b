#include "kit/journey_report.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const services[] = {"portal", "intake", "vault", "residence", "intermediate", "records",
    "certificates", "legacy_sync", "staff", "audit"};

json_t *report_steps(const json_t *application)
{
    const json_t *history = json_object_get(application, "history");
    json_t *steps = json_array();
    for (size_t i = 0; i + 1 < json_array_size(history); i++) {
        const json_t *step = json_array_get(history, i), *next = json_array_get(history, i + 1);
        json_int_t ms =
            json_integer_value(json_object_get(next, "at_ms")) - json_integer_value(json_object_get(step, "at_ms"));
        json_array_append_new(steps, json_pack("{ss sI}", "step", journey_text(step, "state"), "ms", ms));
    }
    return steps;
}

/* The line "Pss: N kB"; -1 if there is none. */
static long pss_read(FILE *in)
{
    char line[256];
    long kib = -1;
    while (in && kib < 0 && fgets(line, sizeof line, in))
        if (strncmp(line, "Pss:", 4) == 0)
            kib = strtol(line + 4, NULL, 10);
    return kib;
}

static long pss_find(long pid)
{
    char text[128];
    snprintf(text, sizeof text, "/proc/%ld/smaps_rollup", pid);
    FILE *in = fopen(text, "re");
    long kib = pss_read(in);
    if (in)
        fclose(in);
    if (kib >= 0)
        return kib;
    snprintf(text, sizeof text, "sudo -n cat /proc/%ld/smaps_rollup 2>/dev/null", pid);
    in = popen(text, "re");
    kib = pss_read(in);
    if (in)
        pclose(in);
    return kib;
}

json_t *report_memory(void)
{
    json_t *memory = json_object();
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        char path[600];
        long pid = 0;
        snprintf(path, sizeof path, "%s/pids/%s", journey_setting("SHIKAKU_RUN"), services[i]);
        FILE *in = fopen(path, "re");
        long kib = in && fscanf(in, "%ld", &pid) == 1 ? pss_find(pid) : -1;
        if (kib >= 0)
            json_object_set_new(memory, services[i], json_integer(kib));
        if (in)
            fclose(in);
    }
    return memory;
}

json_t *report_audit(void)
{
    char command[700];
    snprintf(command, sizeof command, "'%s/shikakuctl' audit verify", journey_setting("SHIKAKU_BIN"));
    FILE *out = popen(command, "re");
    json_t *said = out ? json_loadf(out, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    bool verified = out && pclose(out) == 0 && json_is_true(json_object_get(said, "verified"));
    json_int_t events = json_integer_value(json_object_get(said, "events"));
    json_decref(said);
    return json_pack("{sI sb}", "events", events, "verified", (int)verified);
}

double report_ready_seconds(void)
{
    char path[600];
    double seconds = 0;
    snprintf(path, sizeof path, "%s/ready_seconds", journey_setting("SHIKAKU_RUN"));
    FILE *in = fopen(path, "re");
    if (in && fscanf(in, "%lf", &seconds) != 1)
        seconds = 0;
    if (in)
        fclose(in);
    return seconds;
}

bool report_write(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool whole = file >= 0 && write(file, bytes, size) == (ssize_t)size;
    if (file >= 0 && close(file) != 0)
        whole = false;
    if (!whole)
        perror(path);
    return whole;
}

bool report_copy(const char *from, const char *folder, const char *name)
{
    struct stat about;
    int file = open(from, O_RDONLY | O_CLOEXEC);
    char *bytes = file >= 0 && fstat(file, &about) == 0 ? malloc((size_t)about.st_size + 1) : NULL;
    bool copied = bytes && read(file, bytes, (size_t)about.st_size) == about.st_size &&
                  report_write(folder, name, bytes, (size_t)about.st_size);
    if (!copied)
        perror(from);
    free(bytes);
    if (file >= 0)
        close(file);
    return copied;
}

bool report_workbook_find(int64_t since_ms, char path[600])
{
    const char *folder = journey_setting("SHIKAKU_EXPORT_DIR");
    DIR *open_folder = opendir(folder);
    int64_t newest = since_ms;
    bool found = false;
    for (struct dirent *entry; open_folder && (entry = readdir(open_folder)) != NULL;) {
        char one[600];
        struct stat about;
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".xlsx") != 0 ||
            (size_t)snprintf(one, sizeof one, "%s/%s", folder, entry->d_name) >= sizeof one || stat(one, &about) != 0)
            continue;
        int64_t made = (int64_t)about.st_mtim.tv_sec * 1000 + about.st_mtim.tv_nsec / 1000000;
        if (made >= newest) {
            newest = made;
            found = true;
            strcpy(path, one);
        }
    }
    if (open_folder)
        closedir(open_folder);
    return found;
}
