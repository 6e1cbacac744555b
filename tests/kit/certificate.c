#include "kit/certificate.h"

#include <stdio.h>
#include <string.h>
#include <openssl/x509v3.h>

#define DAY 86400L

/* The characters of the kit's people that JIS X 0208 and 0212 lack. What a municipality really puts in their place is
 * its own choice; a letter that reads the same is the likely one. */
static const struct {
    const char *text, *substitute;
} substitutes[] = {
    {"\uFA11", "崎"},
    {"\u9AD9", "高"},
    {"\U00020BB7", "吉"},
    {"\uFA10", "塚"},
    {"\uFA19", "神"},
};
#define VS17 "\U000E0100"

static size_t character_size(const char *text)
{
    unsigned char lead = (unsigned char)*text;
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

bool kit_jis_print(const char *text, char *out, size_t size, char *flags, size_t flags_size)
{
    size_t written = 0, count = 0;
    for (size_t step; *text; text += step) {
        step = character_size(text);
        const char *put = text;
        size_t put_size = step;
        char flag = '0';
        for (size_t i = 0; i < sizeof substitutes / sizeof *substitutes; i++)
            if (strncmp(text, substitutes[i].text, step) == 0) {
                put = substitutes[i].substitute;
                put_size = strlen(put);
                flag = '1';
            }
        if (strncmp(text + step, VS17, strlen(VS17)) == 0) {
            step += strlen(VS17);
            flag = '1';
        }
        if (written + put_size + 1 > size || count + 2 > flags_size)
            return false;
        memcpy(out + written, put, put_size);
        written += put_size;
        flags[count++] = flag;
    }
    out[written] = '\0';
    flags[count] = '\0';
    return true;
}

/* 生年月日: the era's digit, then the Gregorian date. */
static char era_of(const char *birth_date)
{
    static const struct {
        const char *first_day;
        char era;
    } eras[] = {{"20190501", '5'}, {"19890108", '4'}, {"19261225", '3'}, {"19120730", '2'}, {"18680125", '1'}};
    for (size_t i = 0; i < sizeof eras / sizeof *eras; i++)
        if (strcmp(birth_date, eras[i].first_day) >= 0)
            return eras[i].era;
    return '0';
}

static bool item_add(GENERAL_NAMES *names, int arc, const char *text)
{
    char oid[40];
    snprintf(oid, sizeof oid, "1.2.392.200149.8.5.5.%d", arc);
    ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
    ASN1_TYPE *value = ASN1_TYPE_new();
    ASN1_UTF8STRING *string = ASN1_UTF8STRING_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    if (!type || !value || !string || !name || !ASN1_STRING_set(string, text, -1))
        goto out;
    ASN1_TYPE_set(value, V_ASN1_UTF8STRING, string);
    string = NULL;
    if (!GENERAL_NAME_set0_othername(name, type, value))
        goto out;
    type = NULL;
    value = NULL;
    if (!sk_GENERAL_NAME_push(names, name))
        goto out;
    return true;
out:
    ASN1_OBJECT_free(type);
    ASN1_TYPE_free(value);
    ASN1_UTF8STRING_free(string);
    GENERAL_NAME_free(name);
    return false;
}

/* The order is the profile's: name, birth date, sex, address, then where characters of name and address were replaced.
 */
static bool items_add(X509 *certificate, const struct person *person, unsigned flaws)
{
    char name[PERSON_NAME_BYTES + 1], name_flags[PERSON_NAME_BYTES + 1];
    char address[PERSON_ADDRESS_BYTES + 1], address_flags[PERSON_ADDRESS_BYTES + 1];
    if (!kit_jis_print(person->name, name, sizeof name, name_flags, sizeof name_flags) ||
        !kit_jis_print(person->address, address, sizeof address, address_flags, sizeof address_flags))
        return false;
    char birth_date[] = {era_of(person->birth_date), 0, 0, 0, 0, 0, 0, 0, 0, 0};
    memcpy(birth_date + 1, flaws & KIT_LEAF_BAD_BIRTH_DATE ? "19900230" : person->birth_date, 8);
    const char sex[] = {person->sex, 0};
    const struct {
        unsigned missing;
        int arc;
        const char *text;
    } items[] = {
        {KIT_LEAF_NO_NAME, 1, name},
        {KIT_LEAF_NO_BIRTH_DATE, 4, birth_date},
        {KIT_LEAF_NO_SEX, 3, sex},
        {KIT_LEAF_NO_ADDRESS, 5, address},
        {0, 2, name_flags},
        {0, 6, address_flags},
        {flaws & KIT_LEAF_TWO_NAMES ? 0 : ~0u, 1, "架空　別人"},
    };
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    bool ok = names != NULL;
    for (size_t i = 0; ok && i < sizeof items / sizeof *items; i++)
        if (!(items[i].missing == ~0u || flaws & items[i].missing))
            ok = item_add(names, items[i].arc, items[i].text);
    ok = ok && X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, X509V3_ADD_APPEND) == 1;
    GENERAL_NAMES_free(names);
    return ok;
}

static bool usage_add(X509 *certificate, const struct kit_authority *authority, unsigned flaws)
{
    static const struct {
        unsigned flaw;
        const char *usage;
    } wrong[] = {
        {KIT_LEAF_CERT_SIGN, "critical,digitalSignature,nonRepudiation,keyCertSign"},
        {KIT_LEAF_NO_COMMITMENT, "critical,digitalSignature"},
        {KIT_LEAF_USAGE_UNCRITICAL, "digitalSignature,nonRepudiation"},
    };
    if (flaws & KIT_LEAF_NO_USAGE)
        return true;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (flaws & wrong[i].flaw) {
            X509_EXTENSION *extension = kit_extension(authority->root, NID_key_usage, wrong[i].usage);
            bool ok = extension && X509_add_ext(certificate, extension, -1) == 1;
            X509_EXTENSION_free(extension);
            return ok;
        }
    return X509_add_ext(certificate, authority->key_usage, -1) == 1;
}

static bool policy_add(X509 *certificate, const struct kit_authority *authority, unsigned flaws)
{
    if (flaws & KIT_LEAF_NO_POLICY)
        return true;
    if (!(flaws & (KIT_LEAF_REAL_POLICY | KIT_LEAF_POLICY_UNCRITICAL)))
        return X509_add_ext(certificate, authority->policy, -1) == 1;
    X509_EXTENSION *extension = kit_policy_extension(
        flaws & KIT_LEAF_REAL_POLICY ? KIT_POLICY_REAL : KIT_POLICY_TEST, !(flaws & KIT_LEAF_POLICY_UNCRITICAL));
    bool ok = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

/* What a right certificate does not have. */
static bool oddities_add(X509 *certificate, unsigned flaws)
{
    bool ok = true;
    if (flaws & KIT_LEAF_CA) {
        BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
        if (constraints)
            constraints->ca = 0xFF;
        ok = constraints && X509_add1_ext_i2d(certificate, NID_basic_constraints, constraints, 1, 0) == 1;
        BASIC_CONSTRAINTS_free(constraints);
    }
    if (ok && flaws & KIT_LEAF_UNKNOWN_CRITICAL) {
        X509_EXTENSION *extension = NULL;
        ASN1_OBJECT *type = OBJ_txt2obj("1.2.392.200149.8.5.99", 1);
        ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
        ok = type && value && ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05", 2) &&
             (extension = X509_EXTENSION_create_by_OBJ(NULL, type, 1, value)) &&
             X509_add_ext(certificate, extension, -1) == 1;
        X509_EXTENSION_free(extension);
        ASN1_OCTET_STRING_free(value);
        ASN1_OBJECT_free(type);
    }
    return ok;
}

/* The subject names no person: the municipality, and a serial of issue that says nothing. */
static bool subject_set(X509 *certificate, const struct kit_person *person)
{
    char issue[48];
    snprintf(issue, sizeof issue, "%08X%08lX", person->index, (unsigned long)time(NULL) & 0xFFFFFFFFul);
    const struct {
        const char *field, *value;
    } parts[] = {{"C", "JP"}, {"L", person->prefecture}, {"L", person->city}, {"CN", issue}};
    X509_NAME *name = X509_get_subject_name(certificate);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (X509_NAME_add_entry_by_txt(
                name, parts[i].field, MBSTRING_UTF8, (const unsigned char *)parts[i].value, -1, -1, 0) != 1)
            return false;
    return true;
}

X509 *kit_certificate_issue(
    const struct kit_authority *authority, const struct kit_person *person, EVP_PKEY *key, unsigned flaws)
{
    time_t now = time(NULL), from = now - DAY, until = now + 5 * 365 * DAY;
    if (flaws & KIT_LEAF_EXPIRED) {
        from = now - 5 * 365 * DAY;
        until = now - DAY;
    } else if (flaws & KIT_LEAF_NOT_YET) {
        from = now + DAY;
    }
    X509 *certificate = X509_new();
    if (certificate && kit_certificate_date(certificate, from, until) && subject_set(certificate, person) &&
        X509_set_issuer_name(certificate, X509_get_subject_name(authority->root)) == 1 &&
        X509_set_pubkey(certificate, key) == 1 && usage_add(certificate, authority, flaws) &&
        (flaws & KIT_LEAF_NO_ITEMS || items_add(certificate, &person->person, flaws)) &&
        X509_add_ext(certificate, authority->issuer_name, -1) == 1 && policy_add(certificate, authority, flaws) &&
        X509_add_ext(certificate, authority->crl_place, -1) == 1 &&
        X509_add_ext(certificate, authority->key_id, -1) == 1 && oddities_add(certificate, flaws) &&
        X509_sign(certificate, authority->key, flaws & KIT_LEAF_SHA512 ? EVP_sha512() : EVP_sha256()) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}
