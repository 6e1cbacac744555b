/* The certificate for the eye: its QR code as PNG, and one A4 page as PDF. Fonts and drawing live only here and are
 * only ever called in the short-lived renderer (certificate_render.h). */
#ifndef CERTIFICATES_CERTIFICATE_PAGE_H
#define CERTIFICATES_CERTIFICATE_PAGE_H

#include <stdio.h>
#include "certificates/certificate_cose.h"

enum page_outcome {
    PAGE_DONE,
    PAGE_FAILED,        /* drawing or writing went wrong, or the code is too long for a QR code */
    PAGE_GLYPH_MISSING, /* no installed font has a character: better no page than a wrong name */
    PAGE_FULL,          /* the text does not fit one page even in the smallest size */
};

/* Level M where it fits, else L (JIS X 0510); quiet zone of four modules; six pixels a module. */
MUST_USE enum page_outcome certificate_page_qr(const char *url, FILE *out);

/* 証書: title, labels and values, 発行日 (Japan time), issuer, QR code. Characters come from IPAmj明朝, which has the
 * variants of names (IVS), then IPAex明朝; the text can be taken out of the file unchanged. */
MUST_USE enum page_outcome certificate_page_pdf(const struct certificate *certificate, const char *url, FILE *out);

#endif
