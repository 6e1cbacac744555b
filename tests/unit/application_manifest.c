/* Document and manifest: strict parsing, one meaning, and each fault with its field. */
#include "intake/application_manifest.h"

#include "chassis/work.h"

#include <check.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID "0f8fad5b-d9cb-469f-a165-70867728950e"
#define HEAD                                                                                                           \
    "\"application\":\"" ID "\",\"programme\":\"chorishi\",\"procedure\":\"registration\",\"manager\":\"tokyo\""
#define DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ATTACHMENT                                                                                                     \
    "{\"name\":\"evidence.pdf\",\"media_type\":\"application/pdf\",\"size\":3,\"sha256\":\"" DIGEST                    \
    "\",\"pieces\":[\"" DIGEST "\"]}"

static const struct {
    const char *text;
    enum fault_code code;
    const char *field;
} documents[] = {
    {"{" HEAD ",\"items\":{\"name\":\"x\"}}", FAULT_NONE, ""},
    {"{" HEAD ",\"items\":{},\"more\":1}", FAULT_item_unknown, ""},
    {"{" HEAD "}", FAULT_item_missing, "items"},
    {"{" HEAD ",\"items\":{},\"programme\":\"hoikushi\"}", FAULT_malformed, ""},
    {"{\"application\":\"0F8FAD5B-D9CB-469F-A165-70867728950E\",\"programme\":\"c\",\"procedure\":\"r\",\"manager\":"
     "\"t\","
     "\"items\":{}}",
        FAULT_malformed, "application"},
    {"{\"application\":\"../../etc\",\"programme\":\"c\",\"procedure\":\"r\",\"manager\":\"t\",\"items\":{}}",
        FAULT_malformed, "application"},
    {"{\"application\":1,\"programme\":\"c\",\"procedure\":\"r\",\"manager\":\"t\",\"items\":{}}", FAULT_malformed,
        "application"},
    {"[]", FAULT_malformed, ""},
    {"{" HEAD ",\"items\":{}} trailing", FAULT_malformed, ""},
    {"", FAULT_malformed, ""},
};

/* APPLY-5: what the fixed interface does not name is refused */
START_TEST(document_is_strict)
{
    struct document document;
    struct fault fault = {0};
    bool parsed = document_parse(&document, documents[_i].text, strlen(documents[_i].text), &fault);
    ck_assert_int_eq(parsed, documents[_i].code == FAULT_NONE);
    ck_assert_int_eq(fault.code, documents[_i].code);
    ck_assert_str_eq(fault.field, documents[_i].field);
    document_fini(&document);
}
END_TEST

static const struct {
    const char *text;
    enum fault_code code;
    const char *field;
} manifests[] = {
    {"{" HEAD ",\"document_sha256\":\"" DIGEST "\",\"attachments\":[]}", FAULT_NONE, ""},
    {"{" HEAD ",\"document_sha256\":\"" DIGEST "\",\"attachments\":[" ATTACHMENT "," ATTACHMENT "]}", FAULT_NONE, ""},
    {"{" HEAD ",\"document_sha256\":\"abc\",\"attachments\":[]}", FAULT_malformed, "document_sha256"},
    {"{" HEAD ",\"document_sha256\":\"" DIGEST "\",\"attachments\":{}}", FAULT_malformed, "attachments"},
    {"{" HEAD ",\"document_sha256\":\"" DIGEST "\",\"attachments\":[{}]}", FAULT_item_missing, "name"},
    {"{" HEAD ",\"attachments\":[]}", FAULT_item_missing, "document_sha256"},
};

START_TEST(manifest_is_strict)
{
    struct manifest manifest;
    struct fault fault = {0};
    bool parsed = manifest_parse(&manifest, manifests[_i].text, strlen(manifests[_i].text), &fault);
    ck_assert_int_eq(parsed, manifests[_i].code == FAULT_NONE);
    ck_assert_int_eq(fault.code, manifests[_i].code);
    ck_assert_str_eq(fault.field, manifests[_i].field);
    manifest_fini(&manifest);
}
END_TEST

/* APPLY-2: the signature covers the manifest, the manifest covers the document */
START_TEST(another_document_is_found)
{
    static const char text[] = "{" HEAD ",\"items\":{}}", other[] = "{" HEAD ",\"items\":{\"a\":\"b\"}}";
    char manifest_text[1024], hex[65];
    uint8_t digest[32];
    struct document document, altered;
    struct manifest manifest;
    struct fault fault = {0};
    SHA256((const uint8_t *)text, strlen(text), digest);
    hex_put(hex, digest, 32);
    snprintf(manifest_text, sizeof manifest_text, "{" HEAD ",\"document_sha256\":\"%s\",\"attachments\":[]}", hex);
    ck_assert(manifest_parse(&manifest, manifest_text, strlen(manifest_text), &fault));
    ck_assert(document_parse(&document, text, strlen(text), &fault));
    ck_assert(document_parse(&altered, other, strlen(other), &fault));
    ck_assert(manifest_covers(&manifest, &document, text, strlen(text), &fault));
    ck_assert(!manifest_covers(&manifest, &altered, other, strlen(other), &fault));
    ck_assert_int_eq(fault.code, FAULT_document_altered);
    document_fini(&document);
    document_fini(&altered);
    manifest_fini(&manifest);
}
END_TEST

/* More pieces than the bound are refused before anything is read. */
START_TEST(too_many_pieces_are_refused)
{
    struct manifest manifest;
    struct fault fault = {0};
    char *text = malloc(64 * 1024);
    size_t used = (size_t)sprintf(text, "{" HEAD ",\"document_sha256\":\"" DIGEST "\",\"attachments\":[");
    used += (size_t)sprintf(
        text + used, "{\"name\":\"a\",\"media_type\":\"b\",\"size\":3,\"sha256\":\"" DIGEST "\",\"pieces\":[");
    for (int i = 0; i <= PIECES_MAX; i++)
        used += (size_t)sprintf(text + used, "%s\"" DIGEST "\"", i ? "," : "");
    used += (size_t)sprintf(text + used, "]}]}");
    ck_assert(!manifest_parse(&manifest, text, used, &fault));
    ck_assert_int_eq(fault.code, FAULT_too_large);
    manifest_fini(&manifest);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("application_manifest");
    TCase *parsing = tcase_create("parsing");
    tcase_add_loop_test(parsing, document_is_strict, 0, sizeof documents / sizeof *documents);
    tcase_add_loop_test(parsing, manifest_is_strict, 0, sizeof manifests / sizeof *manifests);
    tcase_add_test(parsing, another_document_is_found);
    tcase_add_test(parsing, too_many_pieces_are_refused);
    suite_add_tcase(suite, parsing);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
