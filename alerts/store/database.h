#pragma once
/* The durable store of decisions; the only file that names SQLite. One file, write-ahead log,
 * synchronous=FULL: what a commit returned true for survives a power cut.
 *
 * SQL is kept in the dialect SQLite and PostgreSQL share: parameters $1, $2 ... first used in
 * ascending order (checked when a statement is prepared), ON CONFLICT, the types TEXT, BIGINT,
 * DOUBLE PRECISION and BYTEA, keys made by us, no rowid; WITHOUT ROWID, where rows are read in the
 * order of their key, is all a port leaves out. Instants are Unix seconds, booleans 0/1.
 *
 * A handle is one connection and belongs to one thread at a time; each thread opens its own, or
 * takes one that only reads (readers.h). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/store/database_file.h"
#include "alerts/store/database_of.h"
#include "alerts/store/unreadable.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/error.h"

struct database;
struct database_statement;

/* One step of the schema, applied in order inside one transaction. */
struct database_migration {
    int version;     /* 1, 2, ... without gaps; the last row has 0 */
    const char *sql; /* of the last row: makes indexes where they are missing; NULL = has none */
};

struct database_config {
    const char *path; /* the file, made with mode 0600; ":memory:" = none, for tests and replay */
    const struct database_migration *migrations; /* ends with version 0 */
    int64_t busy_ms;                             /* how long to wait for another writer; 0 = 5 s */
    int64_t cache_bytes;                         /* page cache of this connection; 0 = 1 MiB */
    bool own; /* the service: takes <path>.lock, so that no second service runs on it; only it makes
                 the file and migrates */
    bool read_only; /* for commands that only read; nothing is made or migrated */
};

/* Open, check and migrate. NULL and *error:
 *   ERROR_CONFIG  a newer schema ("... has schema 7, this program knows 5"), another application's
 *                 file, a second service, or nothing where there was a database;
 *   ERROR_PARSE   the file is damaged (quick check, of our own that is not large; the message names
 *                 the file and what to do);
 *   ERROR_IO      it cannot be read or written; error_is_transient is false, the caller retries;
 *   ERROR_TIMEOUT another held it locked for busy_ms; ERROR_IO when it is our own.
 * In the first two cases the file is left exactly as it was. */
struct database *database_open(const struct database_config *config, struct error *error) MUST_USE;
/* Whether it was empty when it was opened: a first start. */
bool database_is_new(const struct database *database);

/* Whether the file is still there, the one that was opened, and whole: looks at the folder only,
 * checks the file only when it shrank. Anything but sound: *error says what happened, and what is
 * written now may be lost. The owner's handle. */
enum database_file_state database_look(struct database *database, struct error *error);

/* The quick check of a large file of our own, which opening left out; once. *error as that has. */
bool database_check_large(struct database *database, struct error *error) MUST_USE;

/* Check all of it, however long that takes. ERROR_PARSE: damaged, with the first damage found. */
bool database_check(struct database *database, struct error *error) MUST_USE;

/* Write a whole and compact copy to a file that does not exist yet, as of one instant, while others
 * go on writing. On false there is no such file. */
bool database_backup(struct database *database, const char *path, struct error *error) MUST_USE;

void database_close(struct database *database); /* NULL is fine; rolls back what is open */

/* Nobody uses it for a while: roll back what is open, and give back the memory of what was read. */
void database_rest(struct database *database);

/* Begin a writing transaction: waits for other writers now, so that nothing later can find the
 * database locked. A transaction that changes nothing writes nothing to disk.
 * ERROR_TIMEOUT after busy_ms: nothing has begun, try again later. Not nested. */
bool database_begin(struct database *database, struct error *error) MUST_USE;

/* Make it durable. On false (disk full, I/O) it has been rolled back. */
bool database_commit(struct database *database, struct error *error) MUST_USE;

/* Undo what was done since begin. Never fails; nothing happens when nothing is open. */
void database_rollback(struct database *database);

/* Inside a transaction: do something that may fail alone. When act returns false, what it wrote is
 * undone, *kept is false and *error says why; the transaction goes on. False: the transaction is
 * lost as well. No statement may be under way; not nested. */
typedef bool database_act(void *context, struct error *error);
bool database_try(struct database *database, database_act *act, void *context, bool *kept,
                  struct error *error) MUST_USE;

/* True between begin and commit or rollback: for assertions. */
bool database_is_open(const struct database *database);

/* The statement of this SQL, reset and unbound. Prepared once per connection and kept by the
 * text's address: pass literals. Aborts on SQL that does not compile: that is our mistake. */
struct database_statement *database_prepare(struct database *database, const char *sql);

/* The same of SQL that is made, not written: kept under the addresses of owner and kind. make
 * appends it to an empty text, once per connection. */
typedef void database_make(const void *owner, const char *kind, struct buf *sql);
struct database_statement *database_prepare_made(struct database *database, const void *owner,
                                                 const char *kind, database_make *make);

#define DATABASE_BYTES(array) database_of_blob(array, sizeof(array))

/* Give the parameters $1, $2 ... their values: texts, numbers, DATABASE_BYTES. As many as the SQL
 * has, or it aborts. Texts and blobs are borrowed until the statement is reset, prepared again or
 * stepped to its end. */
#define database_bind(statement, ...)                                                              \
    database_bind_values(statement,                                                                \
                         (const struct database_value[]){ DATABASE_EACH_(__VA_ARGS__) },           \
                         sizeof((const struct database_value[]){ DATABASE_EACH_(__VA_ARGS__) }) /  \
                             sizeof(struct database_value))
void database_bind_values(struct database_statement *statement, const struct database_value *values,
                          size_t count);

/* clang-format off */
#define DATABASE_OF_(x) _Generic((x), \
    bool: database_of_integer, int: database_of_integer, unsigned: database_of_integer, \
    long: database_of_integer, long long: database_of_integer, unsigned long: database_of_integer, \
    double: database_of_number, char *: database_of_text, const char *: database_of_text, \
    struct database_value: database_of_value)(x)
#define DATABASE_EACH1_(x) DATABASE_OF_(x)
#define DATABASE_EACH2_(x, ...) DATABASE_OF_(x), DATABASE_EACH1_(__VA_ARGS__)
#define DATABASE_EACH3_(x, ...) DATABASE_OF_(x), DATABASE_EACH2_(__VA_ARGS__)
#define DATABASE_EACH4_(x, ...) DATABASE_OF_(x), DATABASE_EACH3_(__VA_ARGS__)
#define DATABASE_EACH5_(x, ...) DATABASE_OF_(x), DATABASE_EACH4_(__VA_ARGS__)
#define DATABASE_EACH6_(x, ...) DATABASE_OF_(x), DATABASE_EACH5_(__VA_ARGS__)
#define DATABASE_NAME_(a, b, c, d, e, f, name, ...) name
#define DATABASE_EACH_(...) DATABASE_NAME_(__VA_ARGS__, DATABASE_EACH6_, DATABASE_EACH5_, \
    DATABASE_EACH4_, DATABASE_EACH3_, DATABASE_EACH2_, DATABASE_EACH1_, )(__VA_ARGS__)
/* clang-format on */

/* The next row: true and *row set, or true and *row false at the end (then reset). False and
 * *error when it failed: ERROR_IO, ERROR_TIMEOUT when locked, ERROR_PARSE when damaged. */
bool database_step(struct database_statement *statement, bool *row, struct error *error) MUST_USE;

/* Run a statement that gives no rows. */
bool database_run(struct database_statement *statement, struct error *error) MUST_USE;

/* Run a statement that gives one number, such as a count; 0 when it gives no row, or NULL. */
bool database_get_integer(struct database_statement *statement, int64_t *value,
                          struct error *error) MUST_USE;

/* Run a statement that gives one text, copied to the arena; *text NULL when it gives no row. */
bool database_get_text(struct database_statement *statement, struct arena *arena, const char **text,
                       struct error *error) MUST_USE;

/* Stop reading before the end. */
void database_reset(struct database_statement *statement);

/* For rows.c: columns of the current row, from 0; texts and blobs are valid until the next step.
 * NULL reads as "", 0, 0.0 and NULL with count 0. */
const char *database_text(struct database_statement *statement, int column);
int64_t database_integer(struct database_statement *statement, int column);
double database_number(struct database_statement *statement, int column);
const void *database_blob(struct database_statement *statement, int column, size_t *count);

/* What could not be read through this handle. */
struct unreadable *database_unreadable(const struct database *database);

/* Rows changed by the last database_run. */
int64_t database_changes(const struct database *database);

/* Rows changed by everything on this handle: before and after a transaction, whether it changed
 * any. */
int64_t database_total_changes(const struct database *database);

/* A number that changes when another handle, of any process, has committed. */
bool database_version(struct database *database, int64_t *version, struct error *error) MUST_USE;

/* Size of the file and its log on disk. Any thread. */
int64_t database_bytes(const struct database *database);
