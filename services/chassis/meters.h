/* Counters and sums for /metrics, kept as atomics. A meter whose name ends in _seconds_total counts microseconds and is
 * shown in seconds, Prometheus's unit. A meter is a row of meters.def; its label (a route, a lane, a state)
 * is a constant string or a name of one of our tables, never something that came from outside. */
#ifndef CHASSIS_METERS_H
#define CHASSIS_METERS_H

#include <stddef.h>
#include <stdint.h>

enum meter {
#define METER(name, kind, label, prose) METER_##name,
#include "chassis/meters.def"
#undef METER
    METERS
};

void meter_add(enum meter meter, const char *label, int64_t value); /* counters; gauges that go up and down */
void meter_set(enum meter meter, const char *label, int64_t value); /* gauges */

/* Prometheus text; returns a malloc'ed string owned by the caller, NULL when memory is out. */
char *meters_print(void);

#endif
