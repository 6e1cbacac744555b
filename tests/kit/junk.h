/* What anybody could send who reaches a service's socket. */
#ifndef KIT_JUNK_H
#define KIT_JUNK_H

/* Send it all to the socket at `path`: as nng messages, random bytes and bytes that look more and more like a frame; as
 * raw bytes, what is no greeting of nng's, and messages that say they are longer than any may be. How many of them were
 * answered, which none should be; -1 if the socket took no connection. */
int junk_send(const char *path);

#endif
