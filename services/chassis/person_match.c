#include "chassis/person_match.h"

#include "chassis/programme_value.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <uchar.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

/* The longest text is an address of 1,200 bytes, so at most 1,200 UTF-16 units; compatibility characters may grow it.
 * What grows past this bound is not compared but called different. */
#define UNITS_MAX 2048

struct form {
    char32_t text[UNITS_MAX];
    int32_t length;
};

/* Old and new forms of one character (新旧字体), and the typographic variants that printers swap (髙, 﨑, 𠮷).
 * Characters that are merely alike (斎 and 斉, 嶋 and 島, 冨 and 富) are not here: those are different names. */
static const struct {
    char32_t from, to;
} kanji_forms[] = {
    {U'﨑', U'崎'},
    {U'髙', U'高'},
    {U'𠮷', U'吉'},
    {U'德', U'徳'},
    {U'邊', U'辺'},
    {U'邉', U'辺'},
    {U'齋', U'斎'},
    {U'齊', U'斉'},
    {U'澤', U'沢'},
    {U'濱', U'浜'},
    {U'濵', U'浜'},
    {U'櫻', U'桜'},
    {U'廣', U'広'},
    {U'國', U'国'},
    {U'眞', U'真'},
    {U'惠', U'恵'},
    {U'條', U'条'},
    {U'龍', U'竜'},
    {U'瀧', U'滝'},
    {U'驛', U'駅'},
    {U'圓', U'円'},
    {U'應', U'応'},
    {U'奧', U'奥'},
    {U'學', U'学'},
    {U'關', U'関'},
    {U'觀', U'観'},
    {U'巖', U'巌'},
    {U'舊', U'旧'},
    {U'峽', U'峡'},
    {U'曉', U'暁'},
    {U'勳', U'勲'},
    {U'縣', U'県'},
    {U'顯', U'顕'},
    {U'檢', U'検'},
    {U'劍', U'剣'},
    {U'權', U'権'},
    {U'黑', U'黒'},
    {U'雜', U'雑'},
    {U'兒', U'児'},
    {U'實', U'実'},
    {U'壽', U'寿'},
    {U'收', U'収'},
    {U'從', U'従'},
    {U'涉', U'渉'},
    {U'緖', U'緒'},
    {U'敍', U'叙'},
    {U'將', U'将'},
    {U'燒', U'焼'},
    {U'奬', U'奨'},
    {U'乘', U'乗'},
    {U'淨', U'浄'},
    {U'穰', U'穣'},
    {U'愼', U'慎'},
    {U'晉', U'晋'},
    {U'穗', U'穂'},
    {U'瀨', U'瀬'},
    {U'專', U'専'},
    {U'淺', U'浅'},
    {U'踐', U'践'},
    {U'禪', U'禅'},
    {U'壯', U'壮'},
    {U'莊', U'荘'},
    {U'藏', U'蔵'},
    {U'帶', U'帯'},
    {U'團', U'団'},
    {U'鑄', U'鋳'},
    {U'廳', U'庁'},
    {U'鐵', U'鉄'},
    {U'傳', U'伝'},
    {U'嶽', U'岳'},
    {U'燈', U'灯'},
    {U'當', U'当'},
    {U'榮', U'栄'},
    {U'彌', U'弥'},
    {U'藥', U'薬'},
    {U'與', U'与'},
    {U'搖', U'揺'},
    {U'樣', U'様'},
    {U'來', U'来'},
    {U'賴', U'頼'},
    {U'禮', U'礼'},
    {U'鹽', U'塩'},
    {U'豐', U'豊'},
    {U'萬', U'万'},
    {U'靜', U'静'},
    {U'寳', U'宝'},
    {U'寶', U'宝'},
    {U'亞', U'亜'},
    {U'爲', U'為'},
    {U'衞', U'衛'},
    {U'假', U'仮'},
    {U'繪', U'絵'},
    {U'惡', U'悪'},
    {U'佛', U'仏'},
    {U'拂', U'払'},
    {U'聲', U'声'},
    {U'祿', U'禄'},
};

static char32_t kanji_fold(char32_t c)
{
    if (c < 0x3400)
        return c;
    for (size_t i = 0; i < sizeof kanji_forms / sizeof kanji_forms[0]; i++)
        if (kanji_forms[i].from == c)
            return kanji_forms[i].to;
    return c;
}

static bool is_variation_selector(char32_t c)
{
    return (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0100 && c <= 0xE01EF);
}

/* The long-sound mark is in the family because clerks type it, the minus and the dash for one another. */
static bool is_hyphen(char32_t c)
{
    return c == '-' || (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0x2043 || c == 0x2500 || c == 0x2501 ||
           c == 0x30FC;
}

static bool is_digit(char32_t c)
{
    return c >= '0' && c <= '9';
}

/* NFKC (which settles the width of kana, letters and digits), then one character for each family. Spaces become one
 * U+0020 each; runs and ends are the caller's. False if the text is not UTF-8 or too long. */
static bool text_fold(const char *text, struct form *form)
{
    UErrorCode status = U_ZERO_ERROR;
    UChar raw[UNITS_MAX], folded[UNITS_MAX];
    int32_t raw_length = 0;
    u_strFromUTF8(raw, UNITS_MAX, &raw_length, text, -1, &status);
    const UNormalizer2 *nfkc = unorm2_getNFKCInstance(&status);
    /* Both calls do nothing when an earlier one failed. */
    int32_t length = unorm2_normalize(nfkc, raw, raw_length, folded, UNITS_MAX, &status);
    if (U_FAILURE(status))
        return false;
    form->length = 0;
    for (int32_t i = 0; i < length;) {
        UChar32 unit;
        U16_NEXT(folded, i, length, unit);
        char32_t c = (char32_t)unit;
        if (is_variation_selector(c))
            continue;
        if (is_hyphen(c))
            c = '-';
        else if (u_isUWhiteSpace(c))
            c = ' ';
        else if (c >= 'a' && c <= 'z')
            c -= 'a' - 'A';
        form->text[form->length++] = kanji_fold(c);
    }
    return true;
}

/* The space between 姓 and 名 is kept, once: without it two different names can read the same (森 永子, 森永 子). */
static void name_space_fold(struct form *form)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < form->length; i++) {
        if (form->text[i] == ' ' && (kept == 0 || form->text[kept - 1] == ' '))
            continue;
        form->text[kept++] = form->text[i];
    }
    if (kept > 0 && form->text[kept - 1] == ' ')
        kept--;
    form->length = kept;
}

static bool is_kanji(char32_t c)
{
    return u_hasBinaryProperty((UChar32)c, UCHAR_IDEOGRAPHIC);
}

static int kanji_digit(char32_t c)
{
    static const char32_t digits[] = {U'〇', U'一', U'二', U'三', U'四', U'五', U'六', U'七', U'八', U'九'};
    for (int i = 0; i < 10; i++)
        if (digits[i] == c)
            return i;
    return -1;
}

/* Does what stands at `at` begin with this? */
static bool form_has(const struct form *form, int32_t at, const char32_t *what)
{
    for (; *what != 0; what++, at++)
        if (at >= form->length || form->text[at] != *what)
            return false;
    return true;
}

/* The run of kanji numerals at `at`: its length, and its value up to 99 (0 for none or a larger one). */
static int32_t kanji_number_read(const struct form *form, int32_t at, unsigned *value)
{
    int32_t end = at;
    bool ten = false;
    for (*value = 0; end < form->length && end - at < 3; end++) {
        int digit = kanji_digit(form->text[end]);
        if (form->text[end] == U'十' && !ten) {
            *value = *value == 0 ? 10 : *value * 10;
            ten = true;
        } else if (digit >= 0) {
            *value = (ten ? *value : *value * 10) + (unsigned)digit;
        } else {
            break;
        }
    }
    if (*value > 99)
        *value = 0;
    return end - at;
}

/* A run of kanji numerals that counts 丁目, 番 or 号 becomes digits; others, as in 三田 or 八王子, stay. */
static void kanji_number_fold(struct form *form)
{
    struct form from = *form;
    form->length = 0;
    for (int32_t i = 0; i < from.length;) {
        unsigned value;
        int32_t end = i + kanji_number_read(&from, i, &value);
        if (form->length + 2 > UNITS_MAX) { /* 十 became two characters too often: no address, equal to nothing */
            form->length = 0;
            return;
        }
        if (value == 0 ||
            !(form_has(&from, end, U"丁目") || form_has(&from, end, U"番") || form_has(&from, end, U"号"))) {
            form->text[form->length++] = from.text[i++];
            continue;
        }
        if (value >= 10)
            form->text[form->length++] = U'0' + value / 10;
        form->text[form->length++] = U'0' + value % 10;
        i = end;
    }
}

/* What may stand for a hyphen, or for nothing, when it follows a digit or another of its kind; the longest first. */
static const struct {
    const char32_t *text;
    char32_t to; /* 0: dropped */
} address_joints[] = {
    {U"丁目", '-'},
    {U"番地の", '-'},
    {U"番地ノ", '-'},
    {U"番地", '-'},
    {U"番の", '-'},
    {U"番", '-'},
    {U"号室", 0},
    {U"号の", '-'},
    {U"号", '-'},
    {U"の", '-'},
    {U"ノ", '-'},
    {U"之", '-'},
    {U"-", '-'},
    {U" ", '-'},
};

static int32_t length_of(const char32_t *text)
{
    int32_t length = 0;
    while (text[length] != 0)
        length++;
    return length;
}

/* A hyphen after a number that no number follows (before a building's name, at the end) says nothing. */
static void joint_fold(struct form *form)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < form->length; i++) {
        bool after = kept > 0 && is_digit(form->text[kept - 1]);
        bool before = i + 1 < form->length && is_digit(form->text[i + 1]);
        if (form->text[i] == '-' && after && !before)
            continue;
        form->text[kept++] = form->text[i];
    }
    form->length = kept;
}

/* The characters an address may or may not show between two parts of its number, and 大字, 字, the ヶ family and
 * spaces. */
static void address_fold(struct form *form)
{
    kanji_number_fold(form);
    int32_t kept = 0;
    for (int32_t i = 0; i < form->length;) {
        char32_t c = form->text[i], before = kept > 0 ? form->text[kept - 1] : 0;
        size_t joint = 0, joints = sizeof address_joints / sizeof address_joints[0];
        if (is_digit(before) || before == '-')
            while (joint < joints && !form_has(form, i, address_joints[joint].text))
                joint++;
        else
            joint = joints;
        if (joint < joints) {
            if (address_joints[joint].to != 0 && before != '-')
                form->text[kept++] = address_joints[joint].to;
            i += length_of(address_joints[joint].text);
        } else if (form_has(form, i, U"大字")) {
            i += 2;
        } else if (c == ' ' ||
                   (c == U'字' && (before == U'町' || before == U'村' || before == U'市' || before == U'区'))) {
            i++;
        } else {
            bool is_ga =
                (c == U'ヶ' || c == U'が' || c == U'ガ') && i + 1 < form->length && is_kanji(form->text[i + 1]);
            form->text[kept++] = is_ga && is_kanji(before) ? U'ケ' : c;
            i++;
        }
    }
    form->length = kept;
    joint_fold(form);
}

static bool forms_equal(const struct form *one, const struct form *other)
{
    return one->length > 0 && one->length == other->length &&
           memcmp(one->text, other->text, (size_t)one->length * sizeof one->text[0]) == 0;
}

static enum person_agreement text_compare(const char *one, const char *other, void (*fold)(struct form *))
{
    if (one[0] == 0 || other[0] == 0)
        return PERSON_DIFFERENT;
    struct form one_form, other_form;
    if (!text_fold(one, &one_form) || !text_fold(other, &other_form))
        return PERSON_DIFFERENT;
    if (strcmp(one, other) == 0)
        return PERSON_EQUAL;
    fold(&one_form);
    fold(&other_form);
    return forms_equal(&one_form, &other_form) ? PERSON_NORMALISED : PERSON_DIFFERENT;
}

struct person_match person_match_compare(const struct person *one, const struct person *other)
{
    struct person_match match = {.rule_version = PERSON_RULE_VERSION};
    match.items[PERSON_NAME] = text_compare(one->name, other->name, name_space_fold);
    match.items[PERSON_ADDRESS] = text_compare(one->address, other->address, address_fold);
    bool dates = one->birth_date[0] != 0 && strcmp(one->birth_date, other->birth_date) == 0;
    match.items[PERSON_BIRTH_DATE] = dates ? PERSON_EQUAL : PERSON_DIFFERENT;
    match.items[PERSON_SEX] = one->sex != 0 && one->sex == other->sex ? PERSON_EQUAL : PERSON_DIFFERENT;
    return match;
}

bool person_match_agrees(const struct person_match *match)
{
    for (int i = 0; i < PERSON_ITEMS; i++)
        if (match->items[i] == PERSON_DIFFERENT)
            return false;
    return true;
}

bool person_match_is_exact(const struct person_match *match)
{
    for (int i = 0; i < PERSON_ITEMS; i++)
        if (match->items[i] != PERSON_EQUAL)
            return false;
    return true;
}

const char *person_item_text(enum person_item item)
{
    static const char *const words[PERSON_ITEMS] = {"name", "address", "birth_date", "sex"};
    return words[item];
}

const char *person_agreement_text(enum person_agreement agreement)
{
    static const char *const words[] = {"different", "equal_normalised", "equal"};
    return words[agreement];
}

void person_match_print(const struct person_match *match, char *text, unsigned long size)
{
    snprintf(text, size, "name=%s address=%s birth_date=%s sex=%s rule=%d",
        person_agreement_text(match->items[PERSON_NAME]), person_agreement_text(match->items[PERSON_ADDRESS]),
        person_agreement_text(match->items[PERSON_BIRTH_DATE]), person_agreement_text(match->items[PERSON_SEX]),
        match->rule_version);
}

bool person_name_normalise(const char *name, char *key, unsigned long size)
{
    struct form form;
    if (size == 0 || !text_fold(name, &form))
        return false;
    name_space_fold(&form);
    unsigned long length = 0;
    for (int32_t i = 0; i < form.length; i++) {
        uint8_t bytes[U8_MAX_LENGTH];
        int32_t count = 0;
        U8_APPEND_UNSAFE(bytes, count, form.text[i]);
        if (length + (unsigned long)count >= size)
            return false;
        memcpy(key + length, bytes, (size_t)count);
        length += (unsigned long)count;
    }
    key[length] = 0;
    return length > 0;
}

static bool text_fill(char *to, size_t size, const char *from, const char *item, struct fault *fault)
{
    if (from == NULL || from[0] == 0)
        return fault_set(fault, FAULT_item_missing, item);
    size_t length = strlen(from);
    if (length >= size)
        return fault_set(fault, FAULT_item_too_long, item);
    UErrorCode status = U_ZERO_ERROR;
    int32_t units;
    u_strFromUTF8(NULL, 0, &units, from, (int32_t)length, &status);
    if (status != U_BUFFER_OVERFLOW_ERROR && U_FAILURE(status))
        return fault_set(fault, FAULT_item_invalid, item);
    memcpy(to, from, length + 1);
    return true;
}

bool person_fill(struct person *person, const char *name, const char *address, const char *birth_date, const char *sex,
    struct fault *fault)
{
    memset(person, 0, sizeof *person);
    if (!text_fill(person->name, sizeof person->name, name, "name", fault) ||
        !text_fill(person->address, sizeof person->address, address, "address", fault) ||
        !text_fill(person->birth_date, sizeof person->birth_date, birth_date, "birth_date", fault))
        return false;
    if (!programme_date_is_real(person->birth_date))
        return fault_set(fault, FAULT_item_invalid, "birth_date");
    if (sex == NULL || sex[0] == 0)
        return fault_set(fault, FAULT_item_missing, "sex");
    if (sex[0] < '1' || sex[0] > '3' || sex[1] != 0)
        return fault_set(fault, FAULT_item_invalid, "sex");
    person->sex = sex[0];
    return true;
}
