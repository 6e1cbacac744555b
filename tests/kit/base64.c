#include "kit/base64.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

char *kit_base64(const void *bytes, size_t size)
{
    if (size > INT_MAX / 2)
        return NULL;
    char *text = malloc((size + 2) / 3 * 4 + 1);
    if (text)
        EVP_EncodeBlock((unsigned char *)text, bytes, (int)size);
    return text;
}

char *kit_base64url(const void *bytes, size_t size)
{
    char *text = kit_base64(bytes, size);
    if (!text)
        return NULL;
    for (char *at = text; *at; at++)
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
    text[strcspn(text, "=")] = '\0';
    return text;
}
