/* One-time codes of a second factor: TOTP (RFC 6238) by HMAC-SHA-1, 30 s, 6 digits, as every authenticator reads them.
 */
#ifndef TOTP_H
#define TOTP_H

#include "chassis/arena.h"
#include "chassis/fault.h"

#include <stdbool.h>
#include <stdint.h>

#define TOTP_KEY_BYTES 20
#define TOTP_STEP_SECONDS 30
#define TOTP_DIGITS 6
#define TOTP_CODE_MAX 8

/* The code of a step with 6 to 8 digits. False when the computation is not to be had. */
MUST_USE bool totp_code(const uint8_t *key, size_t key_len, uint64_t step, int digits, char code[TOTP_CODE_MAX + 1]);

/* Which step's code is it, of those now, one before and one after, that are later than `used`? 0: of none. */
int64_t totp_step_find(const uint8_t key[TOTP_KEY_BYTES], const char *code, int64_t now_ms, int64_t used);

/* otpauth://totp/ISSUER:ACCOUNT?secret=…; in the arena, NULL when memory is out. */
char *totp_address(struct arena *arena, const char *issuer, const char *account, const uint8_t key[TOTP_KEY_BYTES]);
/* A text as a QR code: an SVG picture; in the arena, NULL when memory is out. */
char *qr_picture(struct arena *arena, const char *text);

#endif
