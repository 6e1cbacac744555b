#include "intake/application_manifest.h"

#include "chassis/work.h"

#include <openssl/sha.h>
#include <string.h>

#define UUID_LENGTH 36

/* The members that an object must have, no more and no fewer. */
static bool members_check(const json_t *object, const char *const *names, struct fault *fault)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return fault_set(fault, FAULT_malformed, NULL);
    json_object_foreach((json_t *)object, key, value)
    {
        const char *const *name = names;
        while (*name && strcmp(*name, key) != 0)
            name++;
        if (!*name)
            return fault_set(fault, FAULT_item_unknown, NULL);
    }
    for (; *names; names++)
        if (!json_object_get(object, *names))
            return fault_set(fault, FAULT_item_missing, *names);
    return true;
}

static bool text_take(const json_t *object, const char *name, size_t max, const char **text, struct fault *fault)
{
    *text = json_string_value(json_object_get(object, name));
    if (!*text || strlen(*text) > max || strlen(*text) != json_string_length(json_object_get(object, name)))
        return fault_set(fault, FAULT_malformed, name);
    return true;
}

static bool application_id_check(const char *id, struct fault *fault)
{
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? id[i] != '-' : !((id[i] >= '0' && id[i] <= '9') || (id[i] >= 'a' && id[i] <= 'f')))
            return fault_set(fault, FAULT_malformed, "application");
    }
    return id[UUID_LENGTH] ? fault_set(fault, FAULT_malformed, "application") : true;
}

static json_t *object_load(const void *text, size_t len, struct fault *fault)
{
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    if (!root)
        fault_set(fault, FAULT_malformed, NULL);
    return root;
}

bool document_parse(struct document *document, const void *text, size_t len, struct fault *fault)
{
    static const char *const members[] = {"application", "programme", "procedure", "manager", "items", NULL};
    memset(document, 0, sizeof *document);
    if (len > DOCUMENT_BYTES_MAX)
        return fault_set(fault, FAULT_too_large, "document");
    json_t *root = document->root = object_load(text, len, fault);
    if (!root || !members_check(root, members, fault))
        return false;
    document->items = json_object_get(root, "items");
    return text_take(root, "application", UUID_LENGTH, &document->application, fault) &&
           application_id_check(document->application, fault) &&
           text_take(root, "programme", 64, &document->programme, fault) &&
           text_take(root, "procedure", 64, &document->procedure, fault) &&
           text_take(root, "manager", 31, &document->manager, fault);
}

void document_fini(struct document *document)
{
    json_decref(document->root);
    document->root = NULL;
}

static bool digest_take(const json_t *text, uint8_t digest[32], const char *name, struct fault *fault)
{
    const char *hex = json_string_value(text);
    return hex && hex_take(digest, 32, hex) ? true : fault_set(fault, FAULT_malformed, name);
}

static bool attachment_parse(struct manifest *manifest, const json_t *object, struct fault *fault)
{
    static const char *const members[] = {"name", "media_type", "size", "sha256", "pieces", NULL};
    struct attachment *attachment = &manifest->attachments[manifest->attachment_count];
    const json_t *pieces = json_object_get(object, "pieces");
    if (!members_check(object, members, fault) || !text_take(object, "name", 128, &attachment->name, fault) ||
        !text_take(object, "media_type", 64, &attachment->media_type, fault) ||
        !digest_take(json_object_get(object, "sha256"), attachment->sha256, "sha256", fault))
        return false;
    attachment->size = json_integer_value(json_object_get(object, "size"));
    size_t count = json_array_size(pieces);
    if (attachment->size <= 0 || count == 0)
        return fault_set(fault, FAULT_malformed, "pieces");
    if (count > (size_t)(PIECES_MAX - manifest->piece_count))
        return fault_set(fault, FAULT_too_large, "attachments");
    attachment->first_piece = manifest->piece_count;
    attachment->piece_count = (int)count;
    for (size_t i = 0; i < count; i++)
        if (!digest_take(json_array_get(pieces, i), manifest->pieces[manifest->piece_count++], "pieces", fault))
            return false;
    manifest->attachment_count++;
    return true;
}

bool manifest_parse(struct manifest *manifest, const void *text, size_t len, struct fault *fault)
{
    static const char *const members[] = {
        "application", "programme", "procedure", "manager", "document_sha256", "attachments", NULL};
    memset(manifest, 0, sizeof *manifest);
    json_t *root = manifest->root = object_load(text, len, fault);
    if (!root || !members_check(root, members, fault) ||
        !text_take(root, "application", UUID_LENGTH, &manifest->application, fault) ||
        !text_take(root, "programme", 64, &manifest->programme, fault) ||
        !text_take(root, "procedure", 64, &manifest->procedure, fault) ||
        !text_take(root, "manager", 31, &manifest->manager, fault) ||
        !digest_take(json_object_get(root, "document_sha256"), manifest->document_sha256, "document_sha256", fault))
        return false;
    const json_t *attachments = json_object_get(root, "attachments");
    if (!json_is_array(attachments) || json_array_size(attachments) > ATTACHMENTS_MAX)
        return fault_set(fault, FAULT_malformed, "attachments");
    for (size_t i = 0; i < json_array_size(attachments); i++)
        if (!attachment_parse(manifest, json_array_get(attachments, i), fault))
            return false;
    return true;
}

void manifest_fini(struct manifest *manifest)
{
    json_decref(manifest->root);
    manifest->root = NULL;
}

bool manifest_covers(
    const struct manifest *manifest, const struct document *document, const void *text, size_t len, struct fault *fault)
{
    uint8_t digest[32];
    SHA256(text, len, digest);
    bool same = memcmp(digest, manifest->document_sha256, 32) == 0 &&
                strcmp(manifest->application, document->application) == 0 &&
                strcmp(manifest->programme, document->programme) == 0 &&
                strcmp(manifest->procedure, document->procedure) == 0 &&
                strcmp(manifest->manager, document->manager) == 0;
    return same ? true : fault_set(fault, FAULT_document_altered, "document");
}
