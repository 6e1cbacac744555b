/* The Merkle tree of RFC 6962, section 2.1, of which only the roots of the complete subtrees are kept: enough to add
 * leaves and to tell the root of what was added. Leaf: SHA-256(0x00 || data); node: SHA-256(0x01 || left || right). */
#ifndef CHASSIS_MERKLE_H
#define CHASSIS_MERKLE_H

#include "chassis/fault.h"

#include <stdint.h>

#define MERKLE_HASH_BYTES 32
#define MERKLE_SUBTREES_MAX 64

struct merkle {
    uint64_t size;                                            /* leaves */
    int count;                                                /* complete subtrees: the one bits of size */
    uint8_t subtrees[MERKLE_SUBTREES_MAX][MERKLE_HASH_BYTES]; /* largest first */
};

/* Take up a tree from its kept form. False if subtrees do not fit the size. */
MUST_USE bool merkle_init(struct merkle *tree, uint64_t size, const void *subtrees, size_t len);

/* SHA-256 of what begins with the byte 0x00, as audit_record_put makes it. */
void merkle_leaf(const void *marked, size_t len, uint8_t leaf[MERKLE_HASH_BYTES]);
void merkle_add(struct merkle *tree, const uint8_t leaf[MERKLE_HASH_BYTES]);
void merkle_root(const struct merkle *tree, uint8_t root[MERKLE_HASH_BYTES]); /* of no leaves: SHA-256 of nothing */

/* What proves that a leaf is in a tree, or that a tree extends an earlier one (RFC 6962, 2.1.1 and 2.1.2): roots of
 * parts of the tree, each over the leaves [from, to). */
struct merkle_part {
    uint64_t from, to;
};
/* In the proof's order; the number of parts. position < size; 0 < earlier <= size. */
size_t merkle_inclusion(uint64_t position, uint64_t size, struct merkle_part parts[MERKLE_SUBTREES_MAX]);
size_t merkle_consistency(uint64_t earlier, uint64_t size, struct merkle_part parts[MERKLE_SUBTREES_MAX]);

#endif
