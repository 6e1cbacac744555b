#include "chassis/person_match.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

/* The longest text is an address of 1,200 bytes, at most 1,200 UTF-16 units; compatibility characters may grow it. What
 * grows past this bound is not compared but called different. */
#define UNITS_MAX 2048

struct units {
    UChar text[UNITS_MAX];
    int32_t length;
};

/* Old and new forms of one character (新旧字体) and the two typographic variants that printers swap (髙, 﨑, 𠮷).
 * Characters that are merely similar (斎 and 斉, 嶋 and 島) are not here: those are different names. */
static const struct {
    UChar32 from, to;
} kanji_forms[] = {
    {U'﨑', U'崎'}, {U'髙', U'高'}, {U'𠮷', U'吉'}, {U'德', U'徳'}, {U'邊', U'辺'}, {U'邉', U'辺'}, {U'齋', U'斎'},
    {U'齊', U'斉'}, {U'澤', U'沢'}, {U'濱', U'浜'}, {U'濵', U'浜'}, {U'櫻', U'桜'}, {U'廣', U'広'}, {U'國', U'国'},
    {U'眞', U'真'}, {U'惠', U'恵'}, {U'條', U'条'}, {U'龍', U'竜'}, {U'瀧', U'滝'}, {U'驛', U'駅'}, {U'圓', U'円'},
    {U'應', U'応'}, {U'奧', U'奥'}, {U'學', U'学'}, {U'關', U'関'}, {U'觀', U'観'}, {U'巖', U'巌'}, {U'舊', U'旧'},
    {U'峽', U'峡'}, {U'曉', U'暁'}, {U'勳', U'勲'}, {U'縣', U'県'}, {U'顯', U'顕'}, {U'檢', U'検'}, {U'劍', U'剣'},
    {U'權', U'権'}, {U'黑', U'黒'}, {U'雜', U'雑'}, {U'兒', U'児'}, {U'實', U'実'}, {U'壽', U'寿'}, {U'收', U'収'},
    {U'從', U'従'}, {U'涉', U'渉'}, {U'緖', U'緒'}, {U'敍', U'叙'}, {U'將', U'将'}, {U'燒', U'焼'}, {U'奬', U'奨'},
    {U'乘', U'乗'}, {U'淨', U'浄'}, {U'穰', U'穣'}, {U'愼', U'慎'}, {U'晉', U'晋'}, {U'瑞', U'瑞'}, {U'穗', U'穂'},
    {U'瀨', U'瀬'}, {U'專', U'専'}, {U'淺', U'浅'}, {U'踐', U'践'}, {U'禪', U'禅'}, {U'壯', U'壮'}, {U'莊', U'荘'},
    {U'藏', U'蔵'}, {U'帶', U'帯'}, {U'瀆', U'涜'}, {U'團', U'団'}, {U'鑄', U'鋳'}, {U'廳', U'庁'}, {U'鐵', U'鉄'},
    {U'傳', U'伝'}, {U'嶽', U'岳'}, {U'燈', U'灯'}, {U'當', U'当'}, {U'藤', U'藤'}, {U'榮', U'栄'}, {U'富', U'富'},
    {U'彌', U'弥'}, {U'藥', U'薬'}, {U'與', U'与'}, {U'搖', U'揺'}, {U'樣', U'様'}, {U'來', U'来'}, {U'賴', U'頼'},
    {U'禮', U'礼'}, {U'鹽', U'塩'}, {U'豐', U'豊'}, {U'萬', U'万'}, {U'靜', U'静'}, {U'凜', U'凛'}, {U'遙', U'遥'},
    {U'冨', U'富'}, {U'寳', U'宝'}, {U'寶', U'宝'}, {U'邨', U'村'}, {U'槇', U'槙'}, {U'亞', U'亜'}, {U'爲', U'為'},
    {U'榮', U'栄'}, {U'衞', U'衛'}, {U'假', U'仮'}, {U'繪', U'絵'}, {U'莖', U'茎'}, {U'惡', U'悪'}, {U'佛', U'仏'},
    {U'拂', U'払'}, {U'聲', U'声'}, {U'竈', U'竈'}, {U'籠', U'籠'}, {U'祐', U'祐'}, {U'祿', U'禄'}, {U'都', U'都'},
};
