#include "kit/people.h"

#include <stdio.h>
#include <string.h>

struct kit_name {
    const char *text, *kana;
};

static const struct kit_name families[] = {
    {"佐藤", "サトウ"},
    {"鈴木", "スズキ"},
    {"田中", "タナカ"},
    {"伊藤", "イトウ"},
    {"渡辺", "ワタナベ"},
    {"山本", "ヤマモト"},
    {"中村", "ナカムラ"},
    {"小林", "コバヤシ"},
    {"加藤", "カトウ"},
    {"山田", "ヤマダ"},
    {"佐々木", "ササキ"},
    {"山口", "ヤマグチ"},
    {"松本", "マツモト"},
    {"井上", "イノウエ"},
    {"木村", "キムラ"},
    {"林", "ハヤシ"},
    {"斎藤", "サイトウ"},
    {"斉藤", "サイトウ"},
    {"清水", "シミズ"},
    {"森", "モリ"},
    {"阿部", "アベ"},
    {"池田", "イケダ"},
    {"橋本", "ハシモト"},
    {"石川", "イシカワ"},
    {"前田", "マエダ"},
    {"小川", "オガワ"},
    {"岡田", "オカダ"},
    {"長谷川", "ハセガワ"},
    {"藤田", "フジタ"},
    {"後藤", "ゴトウ"},
    {"近藤", "コンドウ"},
    {"村上", "ムラカミ"},
    {"遠藤", "エンドウ"},
    {"青木", "アオキ"},
    {"坂本", "サカモト"},
    {"太田", "オオタ"},
    {"福田", "フクダ"},
    {"西村", "ニシムラ"},
    {"五十嵐", "イガラシ"},
    {"二階堂", "ニカイドウ"},
};

/* Characters that conversions lose: none is in JIS X 0208 or 0212 in this form. */
static const struct kit_name rare_families[] = {
    {"山\uFA11", "ヤマザキ"},   /* 﨑 */
    {"\u9AD9橋", "タカハシ"},   /* 髙 */
    {"\U00020BB7田", "ヨシダ"}, /* 𠮷, outside the BMP */
    {"大\uFA10", "オオツカ"},   /* 塚 as a compatibility ideograph: NFC would change it */
    {"\uFA19谷", "カミヤ"},     /* 神, the same */
    {"辻\U000E0100", "ツジ"},   /* 辻 and VS17: two code points, one character */
};

static const struct kit_name givens[2][16] = {
    {{"翔太", "ショウタ"}, {"大輔", "ダイスケ"}, {"健一", "ケンイチ"}, {"誠", "マコト"}, {"蓮", "レン"},
        {"湊", "ミナト"}, {"直樹", "ナオキ"}, {"学", "マナブ"}, {"浩二", "コウジ"}, {"一郎", "イチロウ"},
        {"拓也", "タクヤ"}, {"悠真", "ユウマ"}, {"隆", "タカシ"}, {"亮", "リョウ"}, {"剛", "ツヨシ"},
        {"のぼる", "ノボル"}},
    {{"花子", "ハナコ"}, {"陽子", "ヨウコ"}, {"美咲", "ミサキ"}, {"さくら", "サクラ"}, {"葵", "アオイ"},
        {"結衣", "ユイ"}, {"恵", "メグミ"}, {"真由美", "マユミ"}, {"由紀子", "ユキコ"}, {"愛", "アイ"},
        {"七海", "ナナミ"}, {"ひかり", "ヒカリ"}, {"エミ", "エミ"}, {"千尋", "チヒロ"}, {"薫", "カオル"},
        {"ハルカ", "ハルカ"}},
};

static const struct {
    const char *prefecture, *city, *prefecture_latin, *city_latin;
} places[] = {
    {"北海道", "札幌市中央区", "Hokkaido", "Sapporo-shi Chuo-ku"},
    {"宮城県", "仙台市青葉区", "Miyagi-ken", "Sendai-shi Aoba-ku"},
    {"埼玉県", "さいたま市浦和区", "Saitama-ken", "Saitama-shi Urawa-ku"},
    {"東京都", "千代田区", "Tokyo-to", "Chiyoda-ku"},
    {"東京都", "八王子市", "Tokyo-to", "Hachioji-shi"},
    {"神奈川県", "横浜市西区", "Kanagawa-ken", "Yokohama-shi Nishi-ku"},
    {"愛知県", "名古屋市中区", "Aichi-ken", "Nagoya-shi Naka-ku"},
    {"京都府", "京都市左京区", "Kyoto-fu", "Kyoto-shi Sakyo-ku"},
    {"大阪府", "大阪市北区", "Osaka-fu", "Osaka-shi Kita-ku"},
    {"奈良県", "奈良市", "Nara-ken", "Nara-shi"},
    {"福岡県", "福岡市博多区", "Fukuoka-ken", "Fukuoka-shi Hakata-ku"},
    {"沖縄県", "那覇市", "Okinawa-ken", "Naha-shi"},
};

static const char *const towns[] = {"架空町", "見本町", "例示本町", "試験が丘", "仮想台", "大字想定字見本"};
static const char *const houses[] = {"", "", "　架空ハイツ", "　見本ヶ丘マンション", "　コーポ例示"};

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* splitmix64: a draw depends on seed, index and what it is for, never on the order of drawing. */
static uint64_t draw(const struct kit_person *person, uint64_t what)
{
    uint64_t z = person->seed * 0x9E3779B97F4A7C15u + person->index * 0xD1B54A32D192ED03u + what * 0x8CB92BA72F3D8DD7u;
    for (int round = 0; round < 2; round++) {
        z += 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        z ^= z >> 31;
    }
    return z;
}

enum draws {
    DRAW_FAMILY,
    DRAW_GIVEN,
    DRAW_SEX,
    DRAW_PLACE,
    DRAW_ADDRESS,
    DRAW_BIRTH,
    DRAW_DOMICILE,
    DRAW_PSEUDONYM,
    DRAW_PSEUDONYM_END,
};

char kit_number_check_digit(const char *base)
{
    static const int weights[11] = {6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
    int sum = 0;
    for (int i = 0; i < 11; i++)
        sum += (base[i] - '0') * weights[i];
    int rest = sum % 11;
    return (char)('0' + (rest <= 1 ? 0 : 11 - rest));
}

char kit_residence_check_digit(const char *base)
{
    static const int weights[10] = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
    int sum = 0;
    for (int i = 0; i < 10; i++)
        sum += (base[i] - '0') * weights[i];
    int rest = sum % 11;
    return (char)('0' + (rest <= 1 ? 0 : 11 - rest));
}

/* Multiplying by a number prime to 10 visits each of the seven digits' values once: no two people share one. */
#define STRIDE 6180339u
#define STRIDE_INVERSE 6240059u /* STRIDE * STRIDE_INVERSE = 1 modulo KIT_PEOPLE_MAX */
_Static_assert((uint64_t)STRIDE *STRIDE_INVERSE % KIT_PEOPLE_MAX == 1, "the inverse of the stride");

static uint32_t spread(uint64_t seed, uint32_t index)
{
    return (uint32_t)((index % KIT_PEOPLE_MAX * (uint64_t)STRIDE + seed % KIT_PEOPLE_MAX) % KIT_PEOPLE_MAX);
}

static uint32_t gather(uint64_t seed, uint32_t digits)
{
    return (uint32_t)((digits + (uint64_t)KIT_PEOPLE_MAX - seed % KIT_PEOPLE_MAX) % KIT_PEOPLE_MAX * STRIDE_INVERSE %
                      KIT_PEOPLE_MAX);
}

static void numbers_make(struct kit_person *person)
{
    uint32_t digits = spread(person->seed, person->index);
    snprintf(person->number, sizeof person->number, KIT_NUMBER_PREFIX "%07u", digits % KIT_PEOPLE_MAX);
    person->number[11] = kit_number_check_digit(person->number);
    snprintf(
        person->residence_code, sizeof person->residence_code, KIT_RESIDENCE_PREFIX "%07u", digits % KIT_PEOPLE_MAX);
    person->residence_code[10] = kit_residence_check_digit(person->residence_code);
    uint64_t high = draw(person, DRAW_PSEUDONYM), low = draw(person, DRAW_PSEUDONYM_END);
    snprintf(person->portal_pseudonym, sizeof person->portal_pseudonym, "%08x-%04x-4%03x-%04x-%012llx",
        (unsigned)(high >> 32), (unsigned)(high >> 16 & 0xFFFF), (unsigned)(high & 0xFFF),
        (unsigned)(low >> 48 & 0x3FFF) | 0x8000, (unsigned long long)(low & 0xFFFFFFFFFFFFu));
}

static void full_width(unsigned value, char out[16])
{
    char digits[5];
    snprintf(digits, sizeof digits, "%u", value % 10000);
    size_t at = 0;
    for (const char *digit = digits; *digit; digit++, at += 3)
        memcpy(out + at, (const char[]){'\xEF', '\xBC', (char)('\x90' + (*digit - '0'))}, 3);
    out[at] = '\0';
}

static void address_make(struct kit_person *person)
{
    uint64_t place = draw(person, DRAW_PLACE) % COUNT(places), luck = draw(person, DRAW_ADDRESS);
    char block[16], number[16], house[16], room[16];
    full_width(1 + luck % 9, block);
    full_width(1 + (luck >> 8) % 40, number);
    full_width(1 + (luck >> 16) % 30, house);
    full_width(101 + (luck >> 24) % 9 * 100 + (luck >> 32) % 12, room);
    const char *town = towns[(luck >> 40) % COUNT(towns)], *building = houses[(luck >> 48) % COUNT(houses)];
    person->prefecture = places[place].prefecture_latin;
    person->city = places[place].city_latin;
    snprintf(person->person.address, sizeof person->person.address, "%s%s%s%s丁目%s番%s号%s%s%s",
        places[place].prefecture, places[place].city, town, block, number, house, building, *building ? room : "",
        *building ? "号室" : "");
    luck = draw(person, DRAW_DOMICILE);
    place = luck % COUNT(places);
    full_width(1 + (luck >> 16) % 2000, number);
    snprintf(person->domicile, sizeof person->domicile, "%s%s%s%s番地", places[place].prefecture, places[place].city,
        towns[(luck >> 8) % 4], number);
}

static void name_make(struct kit_person *person)
{
    bool rare = person->index % KIT_RARE_EVERY == KIT_RARE_EVERY - 1;
    const struct kit_name *family = rare ? &rare_families[person->index / KIT_RARE_EVERY % COUNT(rare_families)]
                                         : &families[draw(person, DRAW_FAMILY) % COUNT(families)];
    int sex = draw(person, DRAW_SEX) & 1;
    const struct kit_name *given = &givens[sex][draw(person, DRAW_GIVEN) % COUNT(givens[sex])];
    person->person.sex = sex ? '2' : '1';
    snprintf(person->person.name, sizeof person->person.name, "%s　%s", family->text, given->text);
    snprintf(person->kana, sizeof person->kana, "%s　%s", family->kana, given->kana);
}

void kit_person_make(struct kit_person *person, uint64_t seed, uint32_t index)
{
    memset(person, 0, sizeof *person);
    person->seed = seed;
    person->index = index % KIT_PEOPLE_MAX;
    name_make(person);
    address_make(person);
    /* Nobody under 15 has a certificate for signing; days to 28 are days of every month. */
    uint64_t luck = draw(person, DRAW_BIRTH);
    snprintf(person->person.birth_date, sizeof person->person.birth_date, "%04u%02u%02u",
        (unsigned)(1950 + luck % 55) % 10000, (unsigned)(1 + (luck >> 16) % 12) % 100,
        (unsigned)(1 + (luck >> 32) % 28) % 100);
    numbers_make(person);
}

bool kit_person_find(struct kit_person *person, uint64_t seed, const char *number_or_code)
{
    static const struct {
        const char *prefix;
        char (*check_digit)(const char *base);
    } ranges[] = {
        {KIT_NUMBER_PREFIX, kit_number_check_digit},
        {KIT_RESIDENCE_PREFIX, kit_residence_check_digit},
    };
    size_t length = strlen(number_or_code);
    if (strspn(number_or_code, "0123456789") != length)
        return false;
    for (size_t i = 0; i < COUNT(ranges); i++) {
        size_t prefix = strlen(ranges[i].prefix);
        if (length != prefix + 8 || strncmp(number_or_code, ranges[i].prefix, prefix) != 0 ||
            ranges[i].check_digit(number_or_code) != number_or_code[length - 1])
            continue;
        uint32_t digits = 0;
        for (const char *digit = number_or_code + prefix; digit < number_or_code + length - 1; digit++)
            digits = digits * 10 + (uint32_t)(*digit - '0');
        kit_person_make(person, seed, gather(seed, digits));
        return true;
    }
    return false;
}

static bool is_right(const char *number)
{
    return kit_number_check_digit(number) == number[11];
}

/* Change one digit so that the check digit notices, or so that it does not. Changes from the right, so that the
 * reserved prefix is the last to go. */
static bool digit_change(char *number, bool noticed)
{
    for (int at = 10; at >= 0; at--)
        for (char digit = '0'; digit <= '9'; digit++) {
            char kept = number[at];
            number[at] = digit;
            if (digit != kept && is_right(number) != noticed)
                return true;
            number[at] = kept;
        }
    return false;
}

static bool neighbours_swap(char *number)
{
    for (int at = 9; at >= 0; at--) {
        char kept = number[at];
        number[at] = number[at + 1];
        number[at + 1] = kept;
        if (!is_right(number))
            return true;
        number[at + 1] = number[at];
        number[at] = kept;
    }
    return false;
}

bool kit_number_damage(enum kit_number_damage how, const char *number, char damaged[KIT_NUMBER_DAMAGED_SIZE])
{
    snprintf(damaged, KIT_NUMBER_DAMAGED_SIZE, "%.12s", number);
    switch (how) {
    case KIT_NUMBER_WRONG_CHECK_DIGIT:
        damaged[11] = (char)('0' + (damaged[11] - '0' + 1) % 10);
        return true;
    case KIT_NUMBER_DIGIT_CHANGED:
    case KIT_NUMBER_DIGIT_UNNOTICED:
        return digit_change(damaged, how == KIT_NUMBER_DIGIT_CHANGED);
    case KIT_NUMBER_SWAPPED:
        return neighbours_swap(damaged);
    case KIT_NUMBER_SHORT:
        damaged[11] = '\0';
        return true;
    case KIT_NUMBER_LONG:
        strcpy(damaged + 12, "0");
        return true;
    case KIT_NUMBER_LETTER:
        damaged[5] = 'O';
        return true;
    case KIT_NUMBER_FULL_WIDTH:
        for (int i = 0; i < 12; i++)
            memcpy(damaged + i * 3, (const char[]){'\xEF', '\xBC', (char)('\x90' + (number[i] - '0'))}, 3);
        damaged[36] = '\0';
        return true;
    case KIT_NUMBER_ZEROS:
        memset(damaged, '0', 12);
        return true;
    case KIT_NUMBER_DAMAGES:
        break;
    }
    return false;
}
