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
            scan->at += value;
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
    struct scan scan = {data, data + len, WIRE_FIELDS_MAX};
    return message_scan(&scan, descriptor, WIRE_DEPTH_MAX);
}
