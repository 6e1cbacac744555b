/* A roll (名簿) as a table that a person carries out by a lent right (AUTH-8). */
#ifndef RECORDS_ROLL_EXPORT_H
#define RECORDS_ROLL_EXPORT_H

#include "chassis/work.h"

enum outcome roll_export_act(struct work *work);

#endif
