/* A read-only view of the file system for this process and what comes of it, by Linux' Landlock. */
#ifndef VAULT_FILE_VIEW_H
#define VAULT_FILE_VIEW_H

#include <stdbool.h>

/* From now on nothing can be written, made, moved or removed anywhere, nor a program started, but sockets made and
 * removed in `sockets`. Of the calling thread and those that it starts later. False where the kernel cannot. */
bool file_view_narrow(const char *sockets);

#endif
