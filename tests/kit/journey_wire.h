/* The connections of a journey. */
#ifndef KIT_JOURNEY_WIRE_H
#define KIT_JOURNEY_WIRE_H

#include "kit/journey.h"

MUST_USE bool wire_open(struct journey *journey); /* needs the authorities' folder and keys/tls; false: said why */
void wire_close(struct journey *journey);
void wire_pause(unsigned ms); /* between two looks */

#endif
