#pragma once
/* The file of a database as its folder has it: whose it is, whether there was one before, and
 * whether it is still the one that was opened. Knows no SQLite, and opens no file that exists:
 * closing it would let go of the locks another connection of this process has on it (POSIX).
 *
 * <path>.lock is locked by the service that runs, and remembers that there was a database: one that
 * is gone or empty later is no first start. */
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

struct database_file {
    const char *path; /* borrowed */
    int lock;         /* <path>.lock, or -1 */
    struct {
        uint64_t device, inode; /* 0 = not seen yet */
    } data, log;
    int64_t bytes; /* of the file itself, at the last look */
};

enum database_file_state {
    DATABASE_FILE_SOUND,
    DATABASE_FILE_REMOVED,
    DATABASE_FILE_REPLACED,
    DATABASE_FILE_EMPTIED,
    DATABASE_FILE_SHRUNK, /* it may have been tidied up: the caller checks, and sets bytes */
};

/* Take the lock; ERROR_CONFIG when another service has it, and when there was a database that is
 * gone or empty. */
bool database_file_own(struct database_file *file, struct error *error) MUST_USE;

/* From now on there has been one. */
void database_file_mark(struct database_file *file);

/* Refuse an empty database where there was a full one. */
bool database_file_lost(const struct database_file *file, struct error *error);

/* Make the file, nobody else's to read, when there is none. */
bool database_file_make(const struct database_file *file, struct error *error) MUST_USE;

/* The same, of a copy: ERROR_REQUEST when there is one. Then make it durable, or away. */
bool database_file_new(const struct database_file *file, struct error *error) MUST_USE;
bool database_file_sync(const struct database_file *file, struct error *error) MUST_USE;
void database_file_remove(const struct database_file *file);

/* Compare with the first look; error says what happened. */
enum database_file_state database_file_look(struct database_file *file, struct error *error);

/* Size of the file and its log. */
int64_t database_file_bytes(const char *path);

void database_file_close(struct database_file *file);
