#include "chassis/wire_scan.h"

enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LENGTH = 2, WIRE_32 = 5 };

struct scan {
    const uint8_t *at, *end;
    int fields_left;
};

static bool varint_take(struct scan *scan, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 64 && scan->at < scan->end; shift += 7) {
        uint8_t byte = *scan->at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static bool skip(struct scan *scan, uint64_t count)
{
    if (count > (uint64_t)(scan->end - scan->at))
        return false;
    scan->at += count;
    return true;
}

/* Length of the UTF-8 character at `at` (RFC 3629: shortest form, no surrogates, at most U+10FFFF); 0 for anything
 * else. U+0000 is none either: C would see the text end there, and PostgreSQL takes it in no text. */
static size_t character_size(const uint8_t *at, const uint8_t *end)
{
    static const uint32_t smallest[] = {0, 1, 0x80, 0x800, 0x10000};
    size_t size = *at < 0x80 ? 1 : *at >> 5 == 6 ? 2 : *at >> 4 == 14 ? 3 : *at >> 3 == 30 ? 4 : 0;
    if (size == 0 || size > (size_t)(end - at))
        return 0;
    uint32_t character = size == 1 ? *at : *at & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (at[i] >> 6 != 2)
            return 0;
        character = character << 6 | (at[i] & 0x3f);
    }
    bool allowed = character >= smallest[size] && character <= 0x10ffff && (character < 0xd800 || character > 0xdfff);
    return allowed ? size : 0;
}

static bool text_skip(struct scan *scan, uint64_t count)
{
    const uint8_t *end = scan->at + count;
    while (scan->at < end) {
        size_t size = character_size(scan->at, end);
        if (size == 0)
            return false;
        scan->at += size;
    }
    return true;
}

static bool message_scan(struct scan *scan, const ProtobufCMessageDescriptor *descriptor, int depth_left)
{
    uint64_t tag, value;
    while (scan->at < scan->end) {
        if (--scan->fields_left < 0 || !varint_take(scan, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3)
            return false;
        if ((tag & 7) == WIRE_VARINT) {
            if (!varint_take(scan, &value))
                return false;
            continue;
        }
        if ((tag & 7) == WIRE_64 || (tag & 7) == WIRE_32) {
            if (!skip(scan, (tag & 7) == WIRE_64 ? 8 : 4))
                return false;
            continue;
        }
        const uint8_t *end = scan->end;
        if ((tag & 7) != WIRE_LENGTH || !varint_take(scan, &value) || value > (uint64_t)(end - scan->at))
            return false;
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(tag >> 3));
        if (!field || field->type != PROTOBUF_C_TYPE_MESSAGE) {
            if (!field || field->type != PROTOBUF_C_TYPE_STRING)
                scan->at += value;
            else if (!text_skip(scan, value))
                return false;
            continue;
        }
        scan->end = scan->at + value;
        if (depth_left == 0 || !message_scan(scan, field->descriptor, depth_left - 1))
            return false;
        scan->end = end;
    }
    return true;
}

bool wire_scan(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data, size_t len)
{
    if (len == 0)
        return true;
    struct scan scan = {data, data + len, WIRE_FIELDS_MAX};
    return message_scan(&scan, descriptor, WIRE_DEPTH_MAX);
}
