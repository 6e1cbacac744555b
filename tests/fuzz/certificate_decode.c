/* The decoder of certificates: whatever a camera, a mail program or an attacker puts behind ?c=. */
#include <stdlib.h>
#include <string.h>
#include "certificates/certificate_cose.h"
#include "certificates/certificate_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct certificate certificate;
    uint8_t bytes[CERTIFICATE_BYTES_MAX];
    size_t len;
    if (certificate_decode(data, size, &certificate)) {
        char url[CERTIFICATE_URL_MAX];
        if (!certificate_url_print("https://localhost/w/", data, size, url) ||
            !certificate_code_parse(certificate_url_code(url), bytes, &len) || len != size || memcmp(bytes, data, len))
            abort(); /* what decodes must travel unchanged */
    }
    char *code = malloc(size + 1);
    if (!code)
        return 0;
    memcpy(code, data, size);
    code[size] = 0;
    if (certificate_code_parse(code, bytes, &len) && certificate_decode(bytes, len, &certificate) && !certificate.name)
        abort();
    free(code);
    return 0;
}
