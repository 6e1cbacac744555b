#include "chassis/audit_head.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PURPOSE "shikaku audit head 1"
#define RECONCILED_PURPOSE "shikaku audit reconciled 1"

struct head_text {
    char purpose[sizeof PURPOSE];
    uint8_t size[8], root[32], signed_at_ms[8];
};

struct reconciled_text {
    char purpose[sizeof RECONCILED_PURPOSE];
    uint8_t from_size[8], from_root[32], to_size[8], to_root[32], at_ms[8];
};

static struct head_text head_text(const struct audit_head *head)
{
    struct head_text text = {.purpose = PURPOSE};
    uint64_t size = htobe64(head->size), signed_at_ms = htobe64((uint64_t)head->signed_at_ms);
    memcpy(text.size, &size, 8);
    memcpy(text.root, head->root, 32);
    memcpy(text.signed_at_ms, &signed_at_ms, 8);
    return text;
}

bool audit_head_sign(struct audit_head *head, const struct key *key)
{
    struct head_text text = head_text(head);
    return key_ed25519_public(key, head->public_key) && key_sign(key, &text, sizeof text, head->signature);
}

bool audit_head_check(const struct audit_head *head)
{
    struct head_text text = head_text(head);
    return key_signature_check(head->public_key, &text, sizeof text, head->signature);
}

static void hex_print(const uint8_t *bytes, size_t len, char *text)
{
    for (size_t i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

static bool hex_parse(const char *text, uint8_t *bytes, size_t len)
{
    if (strlen(text) != 2 * len || strspn(text, "0123456789abcdef") != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++)
        sscanf(text + 2 * i, "%2hhx", &bytes[i]);
    return true;
}

int audit_head_print(const struct audit_head *head, char line[AUDIT_LINE_MAX])
{
    char root[65], public_key[65], signature[129];
    hex_print(head->root, 32, root);
    hex_print(head->public_key, 32, public_key);
    hex_print(head->signature, 64, signature);
    return snprintf(line, AUDIT_LINE_MAX, "%" PRIu64 " %s %" PRId64 " %s %s\n", head->size, root, head->signed_at_ms,
        public_key, signature);
}

bool audit_head_parse(struct audit_head *head, const char *line)
{
    char root[65], public_key[65], signature[129];
    return sscanf(line, "%" SCNu64 " %64s %" SCNd64 " %64s %128s", &head->size, root, &head->signed_at_ms, public_key,
               signature) == 5 &&
           hex_parse(root, head->root, 32) && hex_parse(public_key, head->public_key, 32) &&
           hex_parse(signature, head->signature, 64);
}

static struct reconciled_text reconciled_text(const struct audit_reconciliation *stated)
{
    struct reconciled_text text = {.purpose = RECONCILED_PURPOSE};
    uint64_t from = htobe64(stated->from_size), to = htobe64(stated->to_size), at = htobe64((uint64_t)stated->at_ms);
    memcpy(text.from_size, &from, 8);
    memcpy(text.from_root, stated->from_root, 32);
    memcpy(text.to_size, &to, 8);
    memcpy(text.to_root, stated->to_root, 32);
    memcpy(text.at_ms, &at, 8);
    return text;
}

bool audit_reconciliation_sign(struct audit_reconciliation *stated, const struct key *key)
{
    struct reconciled_text text = reconciled_text(stated);
    return key_ed25519_public(key, stated->public_key) && key_sign(key, &text, sizeof text, stated->signature);
}

bool audit_reconciliation_check(const struct audit_reconciliation *stated)
{
    struct reconciled_text text = reconciled_text(stated);
    return key_signature_check(stated->public_key, &text, sizeof text, stated->signature);
}

uint64_t audit_reconciliation_lost(const struct audit_reconciliation *stated)
{
    return stated->to_size < stated->from_size ? stated->from_size - stated->to_size : 0;
}

int audit_reconciliation_print(const struct audit_reconciliation *stated, char line[AUDIT_LINE_MAX])
{
    char from_root[65], to_root[65], public_key[65], signature[129];
    hex_print(stated->from_root, 32, from_root);
    hex_print(stated->to_root, 32, to_root);
    hex_print(stated->public_key, 32, public_key);
    hex_print(stated->signature, 64, signature);
    return snprintf(line, AUDIT_LINE_MAX, "reconciled %" PRIu64 " %s %" PRIu64 " %s %" PRId64 " %s %s\n",
        stated->from_size, from_root, stated->to_size, to_root, stated->at_ms, public_key, signature);
}

bool audit_reconciliation_parse(struct audit_reconciliation *stated, const char *line)
{
    char from_root[65], to_root[65], public_key[65], signature[129];
    return sscanf(line, "reconciled %" SCNu64 " %64s %" SCNu64 " %64s %" SCNd64 " %64s %128s", &stated->from_size,
               from_root, &stated->to_size, to_root, &stated->at_ms, public_key, signature) == 7 &&
           hex_parse(from_root, stated->from_root, 32) && hex_parse(to_root, stated->to_root, 32) &&
           hex_parse(public_key, stated->public_key, 32) && hex_parse(signature, stated->signature, 64);
}
