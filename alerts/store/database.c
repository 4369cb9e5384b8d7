#include "alerts/store/database.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"

enum {
    APPLICATION_ID = 0x44464578, /* "DFEx", in the header of our files */
    BUSY_MS = 5000,
    CACHE_BYTES = 1024 * 1024,
    CHECK_MS = 10000, /* a file that takes longer is checked in part */
    CHECK_STEPS = 10000,
    CHECK_LATER_BYTES = 16 * 1024 * 1024, /* what is checked once there are answers */
    LOG_BYTES = 16 * 1024 * 1024,         /* what a checkpoint leaves of the log */
};

struct database_statement {
    struct database *database;
    const void *owner; /* owner and kind are the key, by address; owner NULL: kind is the SQL */
    const char *kind;
    const char *sql;
    char *made;             /* the SQL of an owner */
    sqlite3_stmt *compiled; /* NULL = it could not be: result says why */
    int result;
};

struct database {
    char *path;
    sqlite3 *handle;
    struct database_file file;
    const struct database_migration *migrations; /* the caller's */
    bool open, fresh, unchecked;
    struct database_statement **statements;
    size_t count, capacity;
    struct unreadable *unreadable;
};

/* --- errors ----------------------------------------------------------------------------------- */
static enum error_code code_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERROR_TIMEOUT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERROR_PARSE;
    default:
        return ERROR_IO;
    }
}

static bool damaged(const struct database *database, const char *what, struct error *error)
{
    return error_set(error, ERROR_PARSE,
                     "%s is damaged (%s); it was left as it is: restore a copy, "
                     "or move it away "
                     "with its -wal and .lock files to start anew",
                     database->path, what);
}

static bool failed(const struct database *database, int result, struct error *error)
{
    const char *what = database->handle ? sqlite3_errmsg(database->handle) : sqlite3_errstr(result);
    enum error_code code = code_of(result);
    if (code == ERROR_PARSE)
        return damaged(database, what, error);
    return error_set(error, code, "database %s: %s", database->path, what);
}

/* Run SQL without parameters or rows. */
static bool execute(struct database *database, const char *sql, struct error *error)
{
    int result = sqlite3_exec(database->handle, sql, NULL, NULL, NULL);
    return result == SQLITE_OK || failed(database, result, error);
}

/* --- opening ---------------------------------------------------------------------------------- */
static bool is_memory(const char *path)
{
    return !strcmp(path, ":memory:");
}

static bool connect_file(struct database *database, const struct database_config *config,
                         struct error *error)
{
    int flags = config->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (is_memory(config->path))
        flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY;
    else if (config->own && !database_file_make(&database->file, error))
        return false;
    int result = sqlite3_open_v2(database->path, &database->handle,
                                 flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (result != SQLITE_OK)
        return failed(database, result, error);
    sqlite3_busy_timeout(database->handle, (int)(config->busy_ms ? config->busy_ms : BUSY_MS));
    /* Until it is known to be ours, closing it must not move the log into it. */
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return true;
}

/* One number, such as a pragma gives. */
static bool read_integer(struct database *database, const char *sql, int64_t *value,
                         struct error *error)
{
    return database_get_integer(database_prepare(database, sql), value, error);
}

static int newest_version(const struct database_config *config)
{
    int version = 0;
    while (config->migrations[version].version)
        version++;
    return version;
}

/* Whether the file is ours and not from the future. */
static bool recognize(struct database *database, const struct database_config *config,
                      int64_t *version, struct error *error)
{
    int64_t application, tables;
    if (!read_integer(database, "PRAGMA application_id", &application, error) ||
        !read_integer(database, "PRAGMA user_version", version, error) ||
        !read_integer(database, "SELECT COUNT(*) FROM sqlite_master", &tables, error))
        return false;
    bool fresh = !application && !*version && !tables;
    if (application != APPLICATION_ID && !fresh)
        return error_set(error, ERROR_CONFIG, "%s is a database of another program",
                         database->path);
    if (*version > newest_version(config))
        return error_set(error, ERROR_CONFIG,
                         "%s has schema %lld, this program knows %d: "
                         "use a newer program, or another --storage.path",
                         database->path, (long long)*version, newest_version(config));
    database->fresh = fresh;
    if (fresh && config->own && database_file_lost(&database->file, error))
        return false;
    if (!config->own && !is_memory(config->path) && *version < newest_version(config))
        return error_set(error, ERROR_CONFIG,
                         "%s has schema %lld, this program needs %d: "
                         "start the service on it once",
                         database->path, (long long)*version, newest_version(config));
    return true;
}

static int is_late(void *context)
{
    int64_t *left_at_ms = context;
    *left_at_ms = clock_monotonic_ms() >= *left_at_ms ? 0 : *left_at_ms;
    return !*left_at_ms;
}

/* Look for damage: "ok", or what was found. */
static bool check(struct database *database, const char *pragma, struct error *error)
{
    struct database_statement *statement = database_prepare(database, pragma);
    bool row;
    if (!database_step(statement, &row, error))
        return false;
    bool ok = row && !strcmp(database_text(statement, 0), "ok");
    if (!ok)
        damaged(database, row ? database_text(statement, 0) : "the check said nothing", error);
    database_reset(statement);
    return ok;
}

/* Not for long: a start waits for it. */
static bool quick_check(struct database *database, struct error *error)
{
    int64_t until_ms = clock_monotonic_ms() + CHECK_MS;
    sqlite3_progress_handler(database->handle, CHECK_STEPS, is_late, &until_ms);
    bool ok = check(database, "PRAGMA quick_check(1)", error);
    sqlite3_progress_handler(database->handle, 0, NULL, NULL);
    if (!ok && !until_ms)
        log_warn(MSG("the database is too large to be checked at the start: try db check"),
                 TEXT("path", database->path));
    return ok || !until_ms;
}

bool database_check_large(struct database *database, struct error *error)
{
    database->unchecked = database->unchecked && !quick_check(database, error);
    return !database->unchecked;
}

bool database_check(struct database *database, struct error *error)
{
    return check(database, "PRAGMA integrity_check(1)", error);
}

bool database_backup(struct database *database, const char *path, struct error *error)
{
    struct database_file copy = { .path = path, .lock = -1 };
    struct database_statement *statement = database_prepare(database, "VACUUM INTO $1");
    if (!database_file_new(&copy, error))
        return false;
    database_bind(statement, path);
    if (database_run(statement, error) && database_file_sync(&copy, error))
        return true;
    database_file_remove(&copy);
    return error_wrap(error, "copying to %s", path);
}

static bool set_up(struct database *database, const struct database_config *config,
                   struct error *error)
{
    char sql[256];
    int64_t cache_bytes = config->cache_bytes ? config->cache_bytes : CACHE_BYTES;
    snprintf(sql, sizeof sql,
             "PRAGMA cache_size = -%lld; PRAGMA synchronous = FULL;"
             " PRAGMA journal_size_limit = %d",
             (long long)(cache_bytes / 1024), LOG_BYTES);
    if (!execute(database, sql, error))
        return false;
    if (config->read_only)
        return true;
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return execute(database, "PRAGMA journal_mode = WAL", error);
}

/* The steps that are missing, all of them or none. */
static bool migrate(struct database *database, const struct database_config *config,
                    struct error *error)
{
    int64_t version;
    char sql[128];
    if (!database_begin(database, error) ||
        !read_integer(database, "PRAGMA user_version", &version, error))
        return false;
    for (const struct database_migration *step = config->migrations; step->version; step++)
        if (step->version > version && !execute(database, step->sql, error))
            return error_wrap(error, "schema %d", step->version);
    snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             APPLICATION_ID, newest_version(config));
    if (version < newest_version(config) && !execute(database, sql, error))
        return false;
    return database_commit(database, error);
}

static bool prepare_file(struct database *database, const struct database_config *config,
                         struct error *error)
{
    int64_t version;
    if (config->own && !is_memory(config->path) && !database_file_own(&database->file, error))
        return false;
    if (!connect_file(database, config, error) || !recognize(database, config, &version, error))
        return false;
    int newest = newest_version(config);
    const char *indexes = config->own || !version ? config->migrations[newest].sql : NULL;
    bool old = version != newest, later = !old && database_bytes(database) > CHECK_LATER_BYTES;
    database->unchecked = config->own;
    if ((!later && !database_check_large(database, error)) || !set_up(database, config, error) ||
        (old && !migrate(database, config, error)) ||
        (indexes && !execute(database, indexes, error)))
        return false;
    database_file_mark(&database->file);
    return !config->own || database_look(database, error) == DATABASE_FILE_SOUND;
}

struct database *database_open(const struct database_config *config, struct error *error)
{
    struct database *database = MEMORY_NEW(struct database);
    database->path = memory_copy(config->path);
    database->file = (struct database_file){ .path = database->path, .lock = -1 };
    database->migrations = config->migrations;
    database->unreadable = unreadable_create(config->own);
    if (prepare_file(database, config, error))
        return database;
    if (config->own && error->code == ERROR_TIMEOUT)
        error->code = ERROR_IO; /* the caller retries as it likes */
    database_close(database);
    return NULL;
}

bool database_is_new(const struct database *database)
{
    return database->fresh;
}

/* Check the file as it is now, which this handle has in part in its memory. */
static bool is_whole(const struct database *database, struct error *error)
{
    const struct database_config config = { .path = database->path,
                                            .migrations = database->migrations,
                                            .read_only = true };
    struct database *reader = database_open(&config, error);
    bool whole = reader && quick_check(reader, error);
    database_close(reader);
    return whole;
}

enum database_file_state database_look(struct database *database, struct error *error)
{
    if (is_memory(database->path))
        return DATABASE_FILE_SOUND;
    struct error said = { 0 }, why;
    enum database_file_state state = database_file_look(&database->file, &said);
    if (state == DATABASE_FILE_SHRUNK && is_whole(database, &why)) {
        database->file.bytes = 0; /* somebody compacted it */
        state = database_file_look(&database->file, &said);
    }
    if (state != DATABASE_FILE_SOUND)
        *error = said;
    return state;
}

void database_close(struct database *database)
{
    if (!database)
        return;
    database_rollback(database);
    for (size_t i = 0; i < database->count; i++) {
        sqlite3_finalize(database->statements[i]->compiled);
        free(database->statements[i]->made);
        free(database->statements[i]);
    }
    sqlite3_close(database->handle);
    database_file_close(&database->file);
    free(database->statements);
    unreadable_destroy(database->unreadable);
    free(database->path);
    free(database);
}

void database_rest(struct database *database)
{
    database_rollback(database);
    sqlite3_db_release_memory(database->handle);
}

/* --- transactions ----------------------------------------------------------------------------- */
bool database_begin(struct database *database, struct error *error)
{
    assert(!database->open);
    if (!execute(database, "BEGIN IMMEDIATE", error))
        return false;
    database->open = true;
    return true;
}

bool database_commit(struct database *database, struct error *error)
{
    assert(database->open);
    bool ok = execute(database, "COMMIT", error);
    if (ok)
        database->open = false;
    else
        database_rollback(database);
    return ok;
}

static void reset_all(struct database *database)
{
    for (size_t i = 0; i < database->count; i++)
        database_reset(database->statements[i]);
}

bool database_try(struct database *database, database_act *act, void *context, bool *kept,
                  struct error *error)
{
    assert(database->open);
    struct error lost;
    *kept = false;
    if (!execute(database, "SAVEPOINT act", error))
        return false;
    *kept = act(context, error);
    if (*kept)
        return execute(database, "RELEASE act", error);
    reset_all(database);
    return execute(database, "ROLLBACK TO act; RELEASE act", &lost);
}

void database_rollback(struct database *database)
{
    reset_all(database);
    if (database->open && !sqlite3_get_autocommit(database->handle))
        sqlite3_exec(database->handle, "ROLLBACK", NULL, NULL, NULL);
    database->open = false;
}

struct unreadable *database_unreadable(const struct database *database)
{
    return database->unreadable;
}

bool database_is_open(const struct database *database)
{
    return database->open;
}

/* --- statements ------------------------------------------------------------------------------- */

/* Parameters stand as $1, $2 ... in the order they are first used: the library
 * numbers them by first use, PostgreSQL by what is written. */
static void check_parameters(sqlite3_stmt *statement)
{
    for (int i = 1; i <= sqlite3_bind_parameter_count(statement); i++) {
        const char *name = sqlite3_bind_parameter_name(statement, i);
        char wanted[16];
        snprintf(wanted, sizeof wanted, "$%d", i);
        if (!name || strcmp(name, wanted) != 0)
            memory_abort("parameter %d is out of order: %s", i, sqlite3_sql(statement));
    }
}

/* Compile, or keep the reason why not for the first step: anything but a
 * mistake of ours can have passed when the statement is wanted again. */
static void compile(struct database_statement *statement)
{
    sqlite3 *handle = statement->database->handle;
    statement->result = sqlite3_prepare_v3(handle, statement->sql, -1, SQLITE_PREPARE_PERSISTENT,
                                           &statement->compiled, NULL);
    /* A table that is gone is no mistake of ours: somebody took the file away. */
    if (statement->result == SQLITE_ERROR && strncmp(sqlite3_errmsg(handle), "no such table", 13))
        memory_abort("%s: %s", sqlite3_errmsg(handle), statement->sql);
    if (statement->compiled)
        check_parameters(statement->compiled);
}

static struct database_statement *add(struct database *database, const void *owner,
                                      const char *kind)
{
    struct database_statement *statement = MEMORY_NEW(struct database_statement);
    *statement = (struct database_statement){
        .database = database, .owner = owner, .kind = kind, .sql = kind
    };
    MEMORY_GROW(database->statements, database->count, database->capacity);
    return database->statements[database->count++] = statement;
}

/* Ready to be bound: compiled, reset, without values. */
static struct database_statement *ready(struct database_statement *statement)
{
    if (!statement->compiled)
        compile(statement);
    database_reset(statement);
    if (statement->compiled)
        sqlite3_clear_bindings(statement->compiled);
    return statement;
}

static struct database_statement *find(struct database *database, const void *owner,
                                       const char *kind)
{
    for (size_t i = 0; i < database->count; i++)
        if (database->statements[i]->kind == kind && database->statements[i]->owner == owner)
            return database->statements[i];
    return NULL;
}

struct database_statement *database_prepare(struct database *database, const char *sql)
{
    struct database_statement *statement = find(database, NULL, sql);
    return ready(statement ? statement : add(database, NULL, sql));
}

struct database_statement *database_prepare_made(struct database *database, const void *owner,
                                                 const char *kind, database_make *make)
{
    struct database_statement *statement = find(database, owner, kind);
    if (!statement) {
        CLEANUP(buf_finish) struct buf sql = { 0 };
        make(owner, kind, &sql);
        statement = add(database, owner, kind);
        statement->sql = statement->made = memory_copy(buf_cstr(&sql));
    }
    return ready(statement);
}

/* --- parameters ----------------------------------------------------------------------------- */

static void bind(sqlite3_stmt *compiled, int number, const struct database_value *value)
{
    switch (value->type) {
    case DATABASE_INTEGER:
        sqlite3_bind_int64(compiled, number, value->integer);
        break;
    case DATABASE_NUMBER:
        sqlite3_bind_double(compiled, number, value->number);
        break;
    case DATABASE_TEXT:
        sqlite3_bind_text(compiled, number, value->bytes, -1, SQLITE_STATIC);
        break;
    case DATABASE_BLOB:
        sqlite3_bind_blob64(compiled, number, value->bytes, value->count, SQLITE_STATIC);
        break;
    case DATABASE_NULL: /* as it is */
        break;
    }
}

void database_bind_values(struct database_statement *statement, const struct database_value *values,
                          size_t count)
{
    if (!statement->compiled) /* the first step says why */
        return;
    if ((size_t)sqlite3_bind_parameter_count(statement->compiled) != count)
        memory_abort("%zu values for: %s", count, statement->sql);
    for (size_t i = 0; i < count; i++)
        bind(statement->compiled, (int)i + 1, &values[i]);
}

/* --- rows ----------------------------------------------------------------------------------- */

bool database_step(struct database_statement *statement, bool *row, struct error *error)
{
    int result = statement->compiled ? sqlite3_step(statement->compiled) : statement->result;
    *row = result == SQLITE_ROW;
    if (result == SQLITE_ROW)
        return true;
    bool ok = result == SQLITE_DONE || failed(statement->database, result, error);
    database_reset(statement);
    return ok;
}

bool database_run(struct database_statement *statement, struct error *error)
{
    bool row;
    if (!database_step(statement, &row, error))
        return false;
    assert(!row);
    return true;
}

bool database_get_integer(struct database_statement *statement, int64_t *value, struct error *error)
{
    bool row;
    if (!database_step(statement, &row, error))
        return false;
    *value = row ? database_integer(statement, 0) : 0;
    database_reset(statement);
    return true;
}

bool database_get_text(struct database_statement *statement, struct arena *arena, const char **text,
                       struct error *error)
{
    bool row;
    if (!database_step(statement, &row, error))
        return false;
    *text = row ? arena_text(arena, database_text(statement, 0)) : NULL;
    database_reset(statement);
    return true;
}

void database_reset(struct database_statement *statement)
{
    sqlite3_reset(statement->compiled);
}

const char *database_text(struct database_statement *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement->compiled, column);
    return text ? (const char *)text : "";
}

int64_t database_integer(struct database_statement *statement, int column)
{
    return sqlite3_column_int64(statement->compiled, column);
}

double database_number(struct database_statement *statement, int column)
{
    return sqlite3_column_double(statement->compiled, column);
}

const void *database_blob(struct database_statement *statement, int column, size_t *count)
{
    const void *bytes = sqlite3_column_blob(statement->compiled, column);
    *count = (size_t)sqlite3_column_bytes(statement->compiled, column);
    return bytes;
}

int64_t database_changes(const struct database *database)
{
    return sqlite3_changes64(database->handle);
}

int64_t database_total_changes(const struct database *database)
{
    return sqlite3_total_changes64(database->handle);
}

bool database_version(struct database *database, int64_t *version, struct error *error)
{
    return read_integer(database, "PRAGMA data_version", version, error);
}

int64_t database_bytes(const struct database *database)
{
    return database_file_bytes(database->path);
}
