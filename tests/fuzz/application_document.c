/* The application: its document, its manifest, its signature, as whoever writes to Mynaportal or types at a terminal
 * may have made them. The first byte of an input is the mode. What passes goes on as far as the roll's entry and the
 * certificate's lines; a refusal gives a reason. Only what the applicant signed is taken for signed. */
#include <stdlib.h>
#include <string.h>

#include "chassis/programme.h"
#include "intake/application_manifest.h"
#include "intake/application_signature.h"
#include "kit/application.h"

#define INPUT_MAX (128 * 1024)
#define TEST_POLICY "1.2.392.200149.8.5.1.0.20"

enum mode {
    DOCUMENT,        /* the document itself */
    ITEMS,           /* which programme, which procedure, then the items of an else right document */
    MANIFEST,        /* the manifest itself */
    ATTACHMENTS,     /* the attachments of an else right manifest */
    SIGNED,          /* the CMS itself */
    SIGNATURE_PATCH, /* of a right CMS: offset in two bytes, what is written there */
    MODES
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct programmes *programmes;
static struct trust_roots *roots;
static struct kit_applicant applicant;
static struct kit_application right;
static struct person person; /* as applied; large */

static void world_make(void)
{
    static struct kit_authorities *authorities; /* the applicant borrows from them */
    static struct kit_world world;
    struct kit_request request = {.applicant = &applicant};
    char problem[PROGRAMMES_PROBLEM_MAX];
    programmes = programmes_load("deploy/programmes", problem, sizeof problem);
    if (!programmes || !kit_authorities_make("build/kit") || !(authorities = kit_authorities_load("build/kit")) ||
        !(roots = trust_roots_load("build/kit/jpki-roots")) ||
        !kit_applicant_init(&applicant, authorities, authorities->jpki, 1, 1, 0))
        abort();
    world = (struct kit_world){authorities, kit_sealer_random("1")};
    request.programme = programme_find(programmes, "chorishi");
    if (!world.sealer || !kit_application_make(&right, &world, &request))
        abort();
}

static bool refused(const struct fault *fault)
{
    if (fault->code == FAULT_NONE)
        abort();
    return true;
}

/* No field that would hold a number is filled, however the items are named (NUM-1). */
static void entry_check(const struct programme *programme, const json_t *entry)
{
    for (size_t t = 0; t < programme->table_count; t++)
        for (size_t f = 0; f < programme->tables[t].field_count; f++) {
            const struct programme_field *field = &programme->tables[t].fields[f];
            const json_t *table = json_object_get(entry, programme->tables[t].key);
            if (field->source == PROGRAMME_NUMBER && json_object_get(table, field->key))
                abort();
        }
    for (size_t i = 0; i < programme->certificate_line_count; i++) {
        char *line = programme_line_print(&programme->certificate_lines[i], entry);
        if (!line)
            abort();
        free(line);
    }
}

/* As records does with what intake let pass. */
static void items_follow(const struct programme *programme, const struct programme_procedure *procedure, json_t *items)
{
    struct fault fault = {0};
    char number[PROGRAMME_NUMBER_MAX];
    if ((!programme_items_check(procedure, items, &fault) ||
            !programme_person_make(programme, items, &person, &fault)) &&
        refused(&fault))
        return;
    if (!programme_number_print(programme, 1, "20260401", items, number, sizeof number))
        return;
    const struct programme_values values = {.items = items,
        .person = &person,
        .pseudonym = "Y0KQ-BQNY-JZVK-G0Z1",
        .portal_pseudonym = "p",
        .receipt = "ABCDE-FGHJK",
        .registration_number = number,
        .received_on = "20260401",
        .registered_on = "20260401"};
    json_t *entry = programme_entry_build(programme, procedure, &values);
    if (!entry)
        abort();
    entry_check(programme, entry);
    json_decref(entry);
}

static void document_follow(const void *text, size_t len)
{
    struct document document;
    struct fault fault = {0};
    const struct programme *programme = NULL;
    const struct programme_procedure *procedure = NULL;
    if (!document_parse(&document, text, len, &fault))
        refused(&fault);
    else if ((programme = programme_find(programmes, document.programme)) &&
             (procedure = programme_procedure_find(programme, document.procedure)))
        items_follow(programme, procedure, (json_t *)document.items);
    document_fini(&document);
}

static void items_send(const uint8_t *data, size_t size)
{
    if (size < 2)
        return;
    const struct programme *programme = programmes_at(programmes, data[0] % programmes_count(programmes));
    const struct programme_procedure *procedure = &programme->procedures[data[1] % programme->procedure_count];
    json_t *items = json_loadb((const char *)data + 2, size - 2, JSON_REJECT_DUPLICATES, NULL);
    if (items)
        items_follow(programme, procedure, items);
    json_decref(items);
}

static void manifest_follow(const void *text, size_t len)
{
    struct manifest manifest;
    struct fault fault = {0};
    bool parsed = manifest_parse(&manifest, text, len, &fault);
    if (!parsed)
        refused(&fault);
    if (parsed && (manifest.attachment_count > ATTACHMENTS_MAX || manifest.piece_count > PIECES_MAX))
        abort();
    const struct programme *programme = parsed ? programme_find(programmes, manifest.programme) : NULL;
    const struct programme_procedure *procedure =
        programme ? programme_procedure_find(programme, manifest.procedure) : NULL;
    for (int i = 0; procedure && i < manifest.attachment_count; i++)
        if (!programme_attachment_check(
                procedure, manifest.attachments[i].name, (size_t)manifest.attachments[i].size, &fault))
            refused(&fault);
    manifest_fini(&manifest);
}

static void attachments_send(const uint8_t *data, size_t size)
{
    json_t *manifest = json_loads(right.manifest, 0, NULL);
    json_t *attachments = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    if (attachments) {
        json_object_set_new(manifest, "attachments", attachments);
        char *text = json_dumps(manifest, JSON_COMPACT);
        manifest_follow(text, strlen(text));
        free(text);
    }
    json_decref(manifest);
}

static void signed_follow(const void *cms, size_t size, bool as_it_is)
{
    struct application_signature signature = {0};
    struct fault fault = {0};
    bool verified = application_signature_verify(&signature, roots, TEST_POLICY, cms, size, &fault);
    if (!verified && (as_it_is || fault.code == FAULT_NONE))
        abort();
    if (verified && (signature.manifest_size != strlen(right.manifest) ||
                        memcmp(signature.manifest, right.manifest, signature.manifest_size) != 0 ||
                        memcmp(signature.signer, applicant.signer, sizeof signature.signer) != 0))
        abort(); /* nobody but the applicant signed anything */
    application_signature_fini(&signature);
}

static void patch_send(const uint8_t *patch, size_t size)
{
    uint8_t *cms = malloc(right.signature_size);
    memcpy(cms, right.signature, right.signature_size);
    if (size > 2) {
        size_t offset = ((size_t)patch[0] << 8 | patch[1]) % right.signature_size, room = right.signature_size - offset;
        memcpy(cms + offset, patch + 2, size - 2 < room ? size - 2 : room);
    }
    signed_follow(cms, right.signature_size, size <= 2);
    free(cms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!programmes)
        world_make();
    if (size < 1 || size > INPUT_MAX)
        return 0;
    switch ((enum mode)(data[0] % MODES)) {
    case DOCUMENT:
        document_follow(data + 1, size - 1);
        break;
    case ITEMS:
        items_send(data + 1, size - 1);
        break;
    case MANIFEST:
        manifest_follow(data + 1, size - 1);
        break;
    case ATTACHMENTS:
        attachments_send(data + 1, size - 1);
        break;
    case SIGNED:
        signed_follow(data + 1, size - 1, false);
        break;
    default:
        patch_send(data + 1, size - 1);
    }
    return 0;
}
