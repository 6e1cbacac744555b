/* Drawing in a process of its own: fonts, cairo and pango take 20 MiB and have had their bugs, so a service that is
 * asked for a page starts itself again as `shikaku-certificates --render FORMAT`, gives it the address of the QR code
 * (which holds all that is printed) and takes the file back. A crash there is one request refused. */
#ifndef CERTIFICATES_CERTIFICATE_RENDER_H
#define CERTIFICATES_CERTIFICATE_RENDER_H

#include "chassis/arena.h"
#include "chassis/fault.h"

#define RENDER_BYTES_MAX (240 * 1024) /* a reply on the bus holds 256 KiB */

/* format: "png" (QR code) or "pdf" (page). Blocks for at most six seconds; usually 0.1 s. The file is in the arena.
 * Faults: glyph_missing, item_too_long when a page does not hold it, unavailable when the renderer failed. */
MUST_USE bool certificate_render(
    const char *format, const char *url, struct arena *arena, struct bytes *file, struct fault *fault);

/* The renderer's side: address on standard input, file on standard output. Does not return. */
_Noreturn void certificate_render_main(const char *format);

#endif
