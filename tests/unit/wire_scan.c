/* What is refused before it is unpacked: protobuf-c 1.4.1 itself bounds neither depth nor number of fields. */
#include "chassis/arena.h"
#include "chassis/wire_scan.h"
#include "envelope.pb-c.h"
#include "intake.pb-c.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1024 * 1024)

static uint8_t bytes[2 * MIB];

static size_t varint_put(uint8_t *at, uint64_t value)
{
    size_t size = 0;
    for (; value > 127; value >>= 7)
        at[size++] = (uint8_t)(value | 0x80);
    at[size++] = (uint8_t)value;
    return size;
}

/* A type that holds itself, as no contract of ours does: the worst that a .proto could allow. */
extern const ProtobufCMessageDescriptor nest_descriptor;
struct nest {
    ProtobufCMessage base;
    struct nest *inner;
};
static const ProtobufCFieldDescriptor nest_fields[] = {{.name = "inner",
    .id = 1,
    .label = PROTOBUF_C_LABEL_NONE,
    .type = PROTOBUF_C_TYPE_MESSAGE,
    .offset = offsetof(struct nest, inner),
    .descriptor = &nest_descriptor}};
static const unsigned nest_names[] = {0};
static const ProtobufCIntRange nest_numbers[] = {{1, 0}, {0, 1}};
const ProtobufCMessageDescriptor nest_descriptor = {.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
    .name = "nest",
    .sizeof_message = sizeof(struct nest),
    .n_fields = 1,
    .fields = nest_fields,
    .fields_sorted_by_name = nest_names,
    .n_field_ranges = 1,
    .field_ranges = nest_numbers};

/* `depth` messages, each in the one before; written from the innermost outwards, at the end of `bytes`. */
static const uint8_t *nest_make(int depth, size_t *len)
{
    uint8_t *at = bytes + sizeof bytes, head[12];
    for (int i = 0; i < depth; i++) {
        size_t size = 1 + varint_put(head + 1, (uint64_t)(bytes + sizeof bytes - at));
        head[0] = 1 << 3 | 2;
        at -= size;
        memcpy(at, head, size);
    }
    *len = (size_t)(bytes + sizeof bytes - at);
    return at;
}

/* pitfalls 6: 34 KB nested 10,000 deep would end the process */
START_TEST(deep_nesting_is_refused)
{
    size_t len;
    const uint8_t *at = nest_make(10000, &len);
    ck_assert_uint_ge(len, 30000);
    ck_assert_uint_le(len, 40000);
    ck_assert(!wire_scan(&nest_descriptor, at, len));
    at = nest_make(WIRE_DEPTH_MAX, &len);
    ck_assert(wire_scan(&nest_descriptor, at, len));
    at = nest_make(WIRE_DEPTH_MAX + 1, &len);
    ck_assert(!wire_scan(&nest_descriptor, at, len));
}
END_TEST

/* pitfalls 6: 1 MB of empty sub-messages would take 77 MB */
START_TEST(many_fields_are_refused)
{
    for (size_t i = 0; i < MIB; i += 2) {
        bytes[i] = 1 << 3 | 2; /* intake.StatusReply.applications */
        bytes[i + 1] = 0;
    }
    ck_assert(!wire_scan(&intake__status_reply__descriptor, bytes, MIB));
    ck_assert(wire_scan(&intake__status_reply__descriptor, bytes, 2 * WIRE_FIELDS_MAX));
    ck_assert(!wire_scan(&intake__status_reply__descriptor, bytes, 2 * WIRE_FIELDS_MAX + 2));
}
END_TEST

/* What the scan lets pass still has the arena's bound. */
START_TEST(what_unpacks_large_meets_the_arena)
{
    struct arena *arena = arena_new(MIB);
    for (size_t i = 0; i < 2 * WIRE_FIELDS_MAX; i += 2) {
        bytes[i] = 1 << 3 | 2;
        bytes[i + 1] = 0;
    }
    ck_assert(wire_scan(&intake__status_reply__descriptor, bytes, 2 * WIRE_FIELDS_MAX));
    ck_assert_ptr_null(protobuf_c_message_unpack(
        &intake__status_reply__descriptor, arena_allocator(arena), 2 * WIRE_FIELDS_MAX, bytes));
    arena_free(arena);
}
END_TEST

static const struct {
    const char *why;
    uint8_t bytes[12];
    size_t len;
} malformed[] = {
    {"field number 0", {0x02, 0x00}, 2},
    {"a group's start", {0x0b}, 1},
    {"a group's end", {0x0c}, 1},
    {"an unknown wire type", {0x0e, 0x00}, 2},
    {"a tag that does not end", {0xff, 0xff}, 2},
    {"a varint of eleven bytes", {0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 12},
    {"a varint that does not end", {0x30, 0x80}, 2},
    {"a length past the end", {0x0a, 0x05, 0x01}, 3},
    {"a length near 2^64", {0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 11},
    {"64 bits cut short", {0x09, 0x00, 0x00}, 3},
    {"32 bits cut short", {0x0d, 0x00}, 2},
    {"field number above 2^29", {0xf8, 0xff, 0xff, 0xff, 0xff, 0x01, 0x00}, 7},
};

START_TEST(malformed_bytes_are_refused)
{
    ck_assert_msg(
        !wire_scan(&bus__envelope__descriptor, malformed[_i].bytes, malformed[_i].len), "taken: %s", malformed[_i].why);
}
END_TEST

/* Field 3 of the envelope, its route, is a string. */
static bool text_taken(const char *text, size_t len)
{
    bytes[0] = 3 << 3 | 2;
    bytes[1] = (uint8_t)len;
    memcpy(bytes + 2, text, len);
    return wire_scan(&bus__envelope__descriptor, bytes, len + 2);
}

START_TEST(strings_are_utf_8)
{
    static const char right[][16] = {
        "", "vault", "渡邉󠄀", "𠮷", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"};
    static const char wrong[][8] = {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xf8\x88", "\xff", "\xe6\xb8", "a\xe6",
        "\xe6"
        "a\xa1",
        "\xf0\x80\x80\x80"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        ck_assert_msg(text_taken(right[i], strlen(right[i])), "refused: %s", right[i]);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!text_taken(wrong[i], strlen(wrong[i])), "taken: number %zu", i);
    ck_assert(!text_taken("a\0b", 3));
}
END_TEST

START_TEST(what_we_pack_passes)
{
    Bus__Envelope envelope = BUS__ENVELOPE__INIT;
    uint8_t id[16] = {1}, payload[] = {0xff, 0x00, 0xfe}; /* bytes are any bytes */
    envelope.message_id = (ProtobufCBinaryData){sizeof id, id};
    envelope.route = "intake_submit";
    envelope.sent_at_ms = INT64_MIN;
    envelope.deadline_ms = INT64_MAX;
    envelope.payload = (ProtobufCBinaryData){sizeof payload, payload};
    size_t len = bus__envelope__pack(&envelope, bytes);
    ck_assert(wire_scan(&bus__envelope__descriptor, bytes, len));
    ck_assert(wire_scan(&bus__envelope__descriptor, NULL, 0));
    for (size_t cut = 1; cut < len; cut++) { /* cut anywhere, it is read to its end and no further */
        uint8_t *alone = malloc(cut);
        memcpy(alone, bytes, cut);
        bool taken = wire_scan(&bus__envelope__descriptor, alone, cut);
        Bus__Envelope *again = taken ? bus__envelope__unpack(NULL, cut, alone) : NULL;
        bus__envelope__free_unpacked(again, NULL);
        free(alone);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wire_scan");
    TCase *cases = tcase_create("wire_scan");
    tcase_add_test(cases, deep_nesting_is_refused);
    tcase_add_test(cases, many_fields_are_refused);
    tcase_add_test(cases, what_unpacks_large_meets_the_arena);
    tcase_add_loop_test(cases, malformed_bytes_are_refused, 0, sizeof malformed / sizeof *malformed);
    tcase_add_test(cases, strings_are_utf_8);
    tcase_add_test(cases, what_we_pack_passes);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
