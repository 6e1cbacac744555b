/* kit-demo: five people apply for five qualifications, and what must be refused is refused. Tells the story on standard
 * output and leaves certificates, workbook, export, audit heads and report.json in SHIKAKU_VAR/demo. The stack runs
 * already (deploy/demo starts it). Exit status 0 if everything is as it must be. */
#include "kit/journey.h"
#include "kit/journey_refusals.h"
#include "kit/journey_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define APPLICATION_MS 60000
#define LEGACY_MS 10000

static struct journey journey;
static char folder[512];
static int wrong;

/* --- telling ----------------------------------------------------------------------------------------------------- */

static void expect(bool right, const char *what)
{
    if (right)
        return;
    wrong++;
    printf("  ✗ %s\n", what);
}

/* One line of the story: who does what (the step's English name), and how long it took. */
__attribute__((format(printf, 3, 4))) static void tell(const char *step, double ms, const char *text, ...)
{
    va_list list;
    va_start(list, text);
    printf("  ");
    vprintf(text, list);
    va_end(list);
    if (ms >= 0)
        printf(" (%s) … %.0f ms\n", step, ms);
    else
        printf(" (%s)\n", step);
    fflush(stdout);
}

/* What happens in a state, for those who look on. */
static const struct {
    const char *state, *text;
} doings[] = {
    {"residence", "住民基本台帳ネットワークへ固定形式ファイルで照会し、氏名・住所・生年月日・性別を照合"},
    {"residence_terminal", "職員が本人確認端末で即時照会し、結果を登録"},
    {"family", "取得番号で機関別符号を得て、提供許可証をとり、法務省へ戸籍関係情報を照会"},
    {"person", "職員が確認して処理を続行"},
    {"review", "登録端末の職員が審査し、受理"},
    {"fee", "手数料を納付"},
    {"registering", "名簿に登録し、登録番号を付与"},
    {"certifying", "資格者証(COSE_Sign1)を発行"},
    {"handing_over", "既存システムへ連携"},
    {"notifying", "マイナポータルへ結果を通知"},
};

static void step_tell(const json_t *step)
{
    const char *state = journey_text(step, "step");
    for (size_t i = 0; i < sizeof doings / sizeof *doings; i++)
        if (strcmp(doings[i].state, state) == 0)
            tell(state, (double)json_integer_value(json_object_get(step, "ms")), "%s", doings[i].text);
}

/* --- one application ---------------------------------------------------------------------------------------------- */

/* Tell the steps that were left since; returns how many there are now. */
static size_t steps_tell(const json_t *application, size_t told)
{
    json_t *steps = report_steps(application);
    size_t count = json_array_size(steps);
    for (; told < count; told++)
        step_tell(json_array_get(steps, told));
    json_decref(steps);
    return told;
}

static const char *payment_japanese(const char *payment)
{
    return strcmp(payment, "cash") == 0     ? "窓口で現金により"
           : strcmp(payment, "stamps") == 0 ? "窓口で収入印紙等により"
                                            : "オンラインで";
}

static bool act(struct journey_trip *trip, const char *payment)
{
    if (strcmp(trip->state, "residence_terminal") == 0)
        return trip_identify(trip, &journey) == 200;
    if (strcmp(trip->state, "review") == 0)
        return trip_decide(trip, &journey, "accept", NULL) == 200;
    if (strcmp(trip->state, "fee") == 0)
        return trip_pay(trip, &journey, payment) == 200;
    return false;
}

/* True once completed. */
static bool follow(struct journey_trip *trip, const char *payment)
{
    size_t told = 0;
    for (char before[32] = ""; trip_await(trip, &journey, "residence_terminal|review|fee|completed", APPLICATION_MS);) {
        told = steps_tell(trip->answer.json, told);
        if (strcmp(trip->state, "completed") == 0)
            return true;
        if (strcmp(trip->state, before) == 0) { /* the fee is paid; the service has yet to see it */
            continue;
        }
        strcpy(before, trip->state);
        if (!act(trip, payment)) {
            printf("  ✗ %s: %d %s\n", before, trip->answer.status, journey_text(trip->answer.json, "code"));
            return false;
        }
    }
    printf("  ✗ 状態 %s で止まった\n", trip->state);
    return false;
}

static void file_keep(const struct journey_trip *trip, const char *extension)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", trip->programme->code, extension);
    expect(trip->answer.status == 200 && report_write(folder, name, trip->answer.body, trip->answer.size), name);
}

/* {"qr":…, "verify":…}. New reference. */
static json_t *certificate_show(struct journey_trip *trip)
{
    char qr[8000] = "";
    if (trip_certificate(trip, &journey, "lines") == 200)
        snprintf(qr, sizeof qr, "%s", journey_text(trip->answer.json, "qr_url"));
    (void)trip_certificate(trip, &journey, "png");
    expect(trip->answer.size > 8 && memcmp(trip->answer.body, "\x89PNG", 4) == 0, "QRコードの画像");
    file_keep(trip, "png");
    (void)trip_certificate(trip, &journey, "pdf");
    expect(trip->answer.size > 5 && memcmp(trip->answer.body, "%PDF-", 5) == 0, "資格者証のPDF");
    file_keep(trip, "pdf");
    int status = trip_verify(trip, &journey, qr);
    bool valid = status == 200 && json_is_true(json_object_get(trip->answer.json, "valid"));
    const char *verdict = valid ? "valid" : journey_text(trip->answer.json, "reason");
    expect(valid, "資格者証の検証");
    tell("verify", trip->answer.ms, "第三者が QR コードから資格者証を検証: %s",
        valid ? "有効" : journey_text(trip->answer.json, "japanese"));
    return json_pack("{ss ss}", "qr", qr, "verify", verdict);
}

/* Rows of a ledger that are of this pseudonym; the last of them as a new reference in *row. */
static int rows_of(const char *setting, const char *kind, const char *pseudonym, json_t **row)
{
    struct journey_answer answer = {0};
    int count = 0;
    size_t i;
    json_t *one;
    if (journey_ledger(&journey, setting, kind, NULL, &answer) >= 0)
        json_array_foreach(json_object_get(answer.json, "rows"), i, one)
        {
            json_t *body = json_object_get(one, "body");
            if (strcmp(journey_text(body, "pseudonym"), pseudonym) != 0)
                continue;
            count++;
            if (row) {
                json_decref(*row);
                *row = json_incref(body);
            }
        }
    journey_answer_fini(&answer);
    return count;
}

/* What the existing system was given, kept as the export. */
static bool taken_keep(const struct journey_trip *trip, const char *setting, const char *pseudonym, bool number)
{
    json_t *row = NULL;
    char name[64];
    bool taken = rows_of(setting, "taken", pseudonym, &row) == 1;
    char *text = row ? json_dumps(row, JSON_INDENT(2)) : NULL;
    snprintf(name, sizeof name, "export-%s.json", trip->programme->code);
    expect(taken, "既存システムの台帳に1件だけあること");
    expect(text && report_write(folder, name, text, strlen(text)), name);
    expect(text && !strstr(text, trip->applicant.person.number), "既存システムに個人番号が平文で渡らないこと");
    expect((*journey_text(row, "number_mark") != '\0') == number, "個人番号の要否");
    free(text);
    json_decref(row);
    return taken;
}

static const char *kaigi_show(const struct journey_trip *trip, const char *pseudonym)
{
    int64_t deadline = journey_clock_ms() + LEGACY_MS;
    bool taken = taken_keep(trip, "SHIKAKU_KAIGI_URL", pseudonym, false), copied = false;
    while (taken && !(copied = rows_of("SHIKAKU_KAIGI_URL", "copy", pseudonym, NULL) == 1) &&
           journey_clock_ms() < deadline)
        ;
    expect(copied, "海技資格制度事務処理システムの副本データ");
    return copied ? "taken without the number, copy issued" : "failed";
}

static const char *workbook_show(int64_t since_ms)
{
    static const unsigned char container[] = {0xD0, 0xCF, 0x11, 0xE0};
    char path[600], head[4] = "";
    FILE *in = report_workbook_find(since_ms, path) ? fopen(path, "re") : NULL;
    bool sealed = in && fread(head, 1, sizeof head, in) == sizeof head && memcmp(head, container, sizeof head) == 0;
    if (in)
        fclose(in);
    expect(sealed && report_copy(path, folder, "jun-kangoshi.xlsx"), "パスワード付きワークブック");
    return sealed ? "workbook under a password" : "failed";
}

static const char *legacy_show(const struct journey_trip *trip, const char *pseudonym, int64_t since_ms)
{
    const char *kind = trip->programme->legacy;
    if (strcmp(kind, "kaigi_api") == 0)
        return kaigi_show(trip, pseudonym);
    if (strcmp(kind, "hoikushi") == 0)
        return taken_keep(trip, "SHIKAKU_HOIKUSHI_URL", pseudonym, true) ? "taken with the number sealed" : "failed";
    if (strcmp(kind, "ginou") == 0)
        return taken_keep(trip, "SHIKAKU_GINOU_URL", pseudonym, true) ? "taken with the number sealed" : "failed";
    return strcmp(kind, "workbook") == 0 ? workbook_show(since_ms) : "none";
}

/* The title of the person's only notice about this application. */
static void notice_show(const struct journey_trip *trip, char title[256])
{
    struct journey_answer answer = {0};
    char path[128];
    size_t i, count = 0;
    json_t *notice;
    snprintf(path, sizeof path, "/notices/%s", trip->applicant.person.portal_pseudonym);
    (void)journey_outside(&journey, "SHIKAKU_MYNAPORTAL_URL", "GET", path, NULL, &answer);
    json_array_foreach(json_object_get(answer.json, "notices"), i, notice)
    {
        if (strcmp(journey_text(notice, "receipt"), trip->receipt) == 0) {
            count++;
            snprintf(title, 256, "%s", journey_text(notice, "title"));
        }
    }
    expect(count == 1, "お知らせは1通だけ");
    journey_answer_fini(&answer);
}

/* 資格仮名ID, which staff alone see. */
static void pseudonym_show(struct journey_trip *trip, char pseudonym[64])
{
    char path[128];
    struct journey_clerk *clerk = journey_clerk(&journey, trip->programme->manager, "counter");
    snprintf(path, sizeof path, "/api/staff/applications/%s", trip->receipt);
    if (clerk && journey_clerk_call(&journey, clerk, "GET", path, NULL, NULL, &trip->answer) == 200)
        snprintf(pseudonym, 64, "%s", journey_text(json_object_get(trip->answer.json, "application"), "pseudonym"));
    expect(*pseudonym, "資格仮名ID");
}

/* The application's part of report.json. New reference. */
static json_t *outcome_report(struct journey_trip *trip, double submit_ms, int64_t begun)
{
    char pseudonym[64] = "", notice[256] = "", number[64];
    expect(trip_look(trip, &journey) == 200, "申請状況の照会");
    snprintf(number, sizeof number, "%s", journey_text(trip->answer.json, "registration_number"));
    json_t *steps = report_steps(trip->answer.json);
    json_array_insert_new(steps, 0, json_pack("{ss si}", "step", "submit", "ms", (int)(submit_ms + 0.5)));
    double seconds = (double)(journey_clock_ms() - begun) / 1000;
    expect(*number, "登録番号");
    json_t *certificate = certificate_show(trip);
    pseudonym_show(trip, pseudonym);
    const char *legacy = legacy_show(trip, pseudonym, begun);
    notice_show(trip, notice);
    tell("outcome", -1, "申請者に届いたお知らせ「%s」、登録番号 %s、既存システム: %s", notice, number, legacy);
    return json_pack("{ss ss ss ss ss so so ss ss sf}", "programme", trip->programme->code, "receipt", trip->receipt,
        "state", trip->state, "pseudonym", pseudonym, "registration_number", number, "steps", steps, "certificate",
        certificate, "legacy", legacy, "notice", notice, "seconds", seconds);
}

static json_t *application_show(const char *programme, const char *payment)
{
    struct journey_trip trip;
    const struct journey_plan plan = {.programme = programme, .index = journey_people_take(1)};
    json_t *report = NULL;
    if (!trip_init(&trip, &journey, &plan)) {
        expect(false, programme);
        return NULL;
    }
    printf("\n■ %s (%s) — 資格管理者: %s、手数料は%s納付\n", trip.programme->title, programme,
        trip.programme->manager_title, payment_japanese(payment));
    int64_t begun = journey_clock_ms();
    int status = trip_submit_by_relay(&trip, &journey);
    double ms = trip.answer.ms;
    if (status == 201) {
        tell("submit", ms, "申請者が申請書に電子署名し、マイナポータル経由で申請: 受付番号 %s", trip.receipt);
        expect(follow(&trip, payment), "申請が完了すること");
        report = outcome_report(&trip, ms, begun);
    } else {
        printf("  ✗ submit: %d %s %s\n", status, journey_text(trip.answer.json, "code"),
            journey_text(trip.answer.json, "field"));
        wrong++;
    }
    trip_fini(&trip);
    return report;
}

/* --- the rest ----------------------------------------------------------------------------------------------------- */

static json_t *refusals_show(void)
{
    json_t *list = json_array();
    printf("\n■ 受け付けてはならない申請 (refusals)\n");
    for (size_t i = 0; i < refusal_count; i++) {
        struct refusal_outcome outcome;
        refusal_play(&journey, &refusals[i], &outcome);
        printf("  %s (%s): %d %s%s%s %s\n", refusals[i].japanese, refusals[i].name, outcome.http,
            *outcome.code ? outcome.code : "同じ受付番号", *outcome.field ? " 項目 " : "", outcome.field,
            outcome.message);
        expect(!*outcome.wrong, outcome.wrong);
        fflush(stdout);
        json_array_append_new(list, json_pack("{ss si ss ss}", "case", refusals[i].name, "http", outcome.http, "code",
                                        outcome.code, "message", outcome.message));
    }
    return list;
}

static json_t *memory_show(void)
{
    json_t *memory = report_memory(), *one;
    const char *name;
    json_int_t all = 0;
    json_object_foreach(memory, name, one)
    {
        all += json_integer_value(one);
    }
    if (json_object_size(memory) == 0) /* they run on other machines, or in containers */
        return memory;
    printf("  各サービスのメモリ (PSS): 合計 %.1f MiB / %zu サービス (memory)\n", (double)all / 1024,
        json_object_size(memory));
    expect(json_object_size(memory) == 10, "すべてのサービスのメモリ使用量");
    return memory;
}

static json_t *audit_show(void)
{
    json_t *audit = report_audit();
    bool verified = json_is_true(json_object_get(audit, "verified"));
    printf("  個人情報の利用記録 %lld 件を、データベース外の署名付き要約と突合: %s (audit)\n",
        (long long)json_integer_value(json_object_get(audit, "events")), verified ? "一致" : "不一致");
    expect(verified && json_integer_value(json_object_get(audit, "events")) > 0, "利用記録の検証");
    expect(report_copy(journey_setting("SHIKAKU_WITNESS"), folder, "audit-heads"), "署名付き要約の写し");
    return audit;
}

int main(void)
{
    static const char *const applications[][2] = {{"chorishi", "cash"}, {"kaigishi", "online"}, {"hoikushi", "online"},
        {"ginou-kentei", "online"}, {"jun-kangoshi", "online"}};
    snprintf(folder, sizeof folder, "%s/demo", journey_setting("SHIKAKU_VAR"));
    if (!journey_open(&journey, NULL))
        return 1;
    mkdir(folder, 0700);
    double ready = report_ready_seconds();
    printf("国家資格等情報連携・活用システム: 五つの資格の新規登録申請 (起動 %.1f 秒)\n", ready);
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof applications / sizeof *applications; i++) {
        json_t *report = application_show(applications[i][0], applications[i][1]);
        if (report)
            json_array_append_new(list, report);
    }
    json_t *refused = refusals_show();
    printf("\n■ システム (system)\n");
    json_t *memory = memory_show();
    json_t *report = json_pack("{so so so so sf}", "applications", list, "refusals", refused, "audit", audit_show(),
        "memory_pss_kib", memory, "ready_seconds", ready);
    char *text = json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    expect(text && report_write(folder, "report.json", text, strlen(text)), "report.json");
    free(text);
    json_decref(report);
    journey_close(&journey);
    printf("\n%s → %s\n", wrong ? "✗ 期待と異なるものがあります" : "すべて期待どおりです", folder);
    return wrong != 0;
}
