/* A second witness on another host: it is given every line that the first one has, in order, until it has said that it
 * keeps them. GET URL/heads/newest tells the last line that it has (204: none); POST URL/heads?at=BYTES takes further
 * lines as text/plain (2xx: kept, and not to be lost) where it has so many bytes of lines, so that what is sent twice
 * is kept once. While it cannot be reached the first witness goes on alone. */
#ifndef SECOND_WITNESS_H
#define SECOND_WITNESS_H

#include "chassis/step.h"

/* Before threads. path: the first witness; url "": there is no second one; ca: file of the authority of its
 * certificate,
 * "" for the system's. */
void second_witness_open(const char *path, const char *url, const char *ca);

/* Lane: returns how many lines it gave. */
int second_witness_turn(struct work *work, const struct lane *lane);

#endif
