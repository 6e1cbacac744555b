/* A look at protobuf bytes before they are unpacked: protobuf-c bounds neither nesting nor the number of fields, so a
 * small message could exhaust the stack or memory. Follows the descriptor, so a nested message of a kind that is not in
 * the contract is not entered. */
#ifndef CHASSIS_WIRE_SCAN_H
#define CHASSIS_WIRE_SCAN_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_FIELDS_MAX 20000
#define WIRE_DEPTH_MAX 8

/* True when the bytes are well-formed, nest at most WIRE_DEPTH_MAX deep, hold at most WIRE_FIELDS_MAX fields, and every
 * string is UTF-8 without U+0000, which protobuf-c does not check either. */
bool wire_scan(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data, size_t len);

#endif
