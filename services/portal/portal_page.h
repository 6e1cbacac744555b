/* The page that a QR code opens, in Japanese: plain HTML without scripts, everything that comes from outside escaped.
 */
#ifndef PORTAL_PAGE_H
#define PORTAL_PAGE_H

#include "certificates.pb-c.h"

#include <stddef.h>

/* reply NULL: no code was given. NULL when memory is out; page_free it. */
char *page_print(const Certificates__VerifyReply *reply, size_t *len);
/* The question could not be answered: `sentence` in place of a verdict. */
char *page_print_fault(const char *sentence, size_t *len);
void page_free(char *page);

#endif
