/* From a frame of the bus to a handler and back: the checks that no service writes for itself. In order: the seal, the
 * envelope's names and times, who may send this route, the person's right, the payload's size and shape, the service's
 * own check. */
#ifndef CHASSIS_DISPATCH_H
#define CHASSIS_DISPATCH_H

#include "chassis/boot.h"

/* Handle one frame; the answer lies in the work's arena until the next call. data NULL: nobody can be answered, because
 * the frame proves no sender. */
struct bytes dispatch(struct work *work, const void *frame, size_t len);

#endif
