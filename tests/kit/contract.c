#include "kit/contract.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct contract_operation *operation_begin(struct contract *contract, const char *path, const char *method)
{
    if (contract->count == CONTRACT_OPERATIONS_MAX)
        return NULL;
    struct contract_operation *operation = &contract->operations[contract->count++];
    strcpy(operation->path, path);
    for (size_t i = 0; method[i]; i++)
        operation->method[i] = (char)toupper((unsigned char)method[i]);
    return operation;
}

static void operation_read(struct contract_operation *operation, const char *line)
{
    static const char security[] = "      security: ", body[] = "      requestBody:";
    int status;
    if (strncmp(line, security, sizeof security - 1) == 0) {
        line += sizeof security - 1;
        snprintf(operation->security, sizeof operation->security, "%.*s", (int)strcspn(line, "\n"), line);
    } else if (strncmp(line, body, sizeof body - 1) == 0) {
        const char *max = strstr(line, "maxLength: ");
        operation->has_body = true;
        operation->body_max = max ? strtol(max + 11, NULL, 10) : 0;
    } else if (sscanf(line, "        \"%3d\":", &status) == 1 && line[8] == '"') {
        for (size_t i = 0; i < CONTRACT_STATUSES_MAX; i++)
            if (!operation->statuses[i]) {
                operation->statuses[i] = status;
                break;
            }
    }
}

bool contract_read(struct contract *contract)
{
    char line[512], path[96] = "", word[96];
    struct contract_operation *operation = NULL;
    FILE *in = fopen("proto/portal.openapi.yaml", "r");
    memset(contract, 0, sizeof *contract);
    while (in && fgets(line, sizeof line, in) && strncmp(line, "components:", 11) != 0) {
        if (strncmp(line, "  /", 3) == 0 && sscanf(line, " %95[^: ]:", word) == 1)
            strcpy(path, word);
        else if (*path && strncmp(line, "    ", 4) == 0 && line[4] != ' ' && sscanf(line, " %7[a-z]:", word) == 1)
            operation = operation_begin(contract, path, word);
        else if (operation)
            operation_read(operation, line);
    }
    if (in)
        fclose(in);
    return contract->count > 0;
}

bool contract_states(const struct contract *contract, const char *method, const char *path, int status)
{
    for (size_t i = 0; i < contract->count; i++) {
        const struct contract_operation *operation = &contract->operations[i];
        if (strcmp(operation->method, method) != 0 || strcmp(operation->path, path) != 0)
            continue;
        for (size_t j = 0; j < CONTRACT_STATUSES_MAX; j++)
            if (operation->statuses[j] == status)
                return true;
    }
    return false;
}
