/* Applications as a table that leaves the system (AUTH-8): by a right that is lent for a time, recorded under its loan
 * with how many, and whose. */
#ifndef INTAKE_APPLICATION_EXPORT_H
#define INTAKE_APPLICATION_EXPORT_H

#include "chassis/work.h"

enum outcome export_act(struct work *work);

#endif
