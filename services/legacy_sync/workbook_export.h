/* One roll entry with its number as an encrypted workbook in the export folder (准看護師籍簿, S4 I.2 system 4). */
#ifndef LEGACY_SYNC_WORKBOOK_EXPORT_H
#define LEGACY_SYNC_WORKBOOK_EXPORT_H

#include "chassis/programme.h"
#include "legacy_sync/hand_over_wire.h"

/* Check that the folder can be written and that what is freed in this process is wiped; called once, before threads. */
MUST_USE bool workbook_export_open(struct fault *fault);

/* Write HAND_OVER.xlsx, whole or not at all; the same again replaces it. sealed_number is a JWE to this service's own
 * key: opened here, written into the workbook, wiped. reference becomes the file's name. */
void workbook_export(struct arena *arena, const struct programme *programme, const char *hand_over,
    const LegacySync__HandOverRequest *entry, const char *sealed_number, struct delivery *delivery);

#endif
