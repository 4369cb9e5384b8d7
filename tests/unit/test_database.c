/* database: durable, refusing what is not its own, and writing nothing when
 * nothing changed. */
#include "alerts/store/database.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alerts/store/schema.h"
#include "core/buf.h"
#include "core/hash.h"

static const struct database_migration one[] = {
    { 1, "CREATE TABLE note (id BIGINT PRIMARY KEY, text TEXT, number DOUBLE "
         "PRECISION,"
         " bytes BYTEA)" },
    { 0, NULL },
};
static const struct database_migration two[] = {
    { 1, "CREATE TABLE note (id BIGINT PRIMARY KEY, text TEXT, number DOUBLE "
         "PRECISION,"
         " bytes BYTEA)" },
    { 2, "CREATE TABLE more (id BIGINT PRIMARY KEY); INSERT INTO more VALUES (7)" },
    { 0, NULL },
};
static const struct database_migration broken[] = {
    { 1, "CREATE TABLE note (id BIGINT PRIMARY KEY, text TEXT, number DOUBLE "
         "PRECISION,"
         " bytes BYTEA)" },
    { 2, "CREATE TABLE more (id BIGINT PRIMARY KEY); INSERT INTO nowhere VALUES "
         "(7)" },
    { 0, NULL },
};

static const char *path_of(const char *name)
{
    static char path[4300];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    return path;
}

static struct database *open_with(const char *path, const struct database_migration *migrations,
                                  bool own, struct error *error)
{
    struct database_config config = {
        .path = path,
        .migrations = migrations,
        .busy_ms = 20,
        .own = own,
    };
    return database_open(&config, error);
}

/* Everything in a file, as a digest. */
static struct hash_sha256 digest(const char *path)
{
    struct hash_sha256 out;
    CLEANUP(buf_finish) struct buf content = { 0 };
    char block[4096];
    FILE *file = fopen(path, "rb");
    for (size_t got; file && (got = fread(block, 1, sizeof block, file));)
        buf_append(&content, block, got);
    if (file)
        fclose(file);
    hash_sha256(buf_cstr(&content), content.length, &out);
    return out;
}

static bool same_file(const char *path, const struct hash_sha256 *before)
{
    struct hash_sha256 now = digest(path);
    return !memcmp(&now, before, sizeof now);
}

static bool put(struct database *database, int64_t id, const char *text, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "INSERT INTO note (id, text, number, bytes)"
                                   " VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE"
                                   " SET text = excluded.text WHERE note.text <> excluded.text");
    database_bind(statement, id, text, 0.1, database_of_blob("a\0b", 3));
    return database_run(statement, error);
}

static int64_t count(struct database *database)
{
    struct error error = { 0 };
    struct database_statement *statement = database_prepare(database, "SELECT COUNT(*) FROM note");
    bool row;
    CHECK(database_step(statement, &row, &error) && row);
    int64_t value = database_integer(statement, 0);
    database_reset(statement);
    return value;
}

TEST(values_come_back_as_they_went_in)
{
    struct error error = { 0 };
    struct database *database = open_with(":memory:", one, true, &error);
    CHECK(database && database_begin(database, &error));
    CHECK(database_is_open(database));
    CHECK(put(database, INT64_MIN, "\xC3\xA4", &error));
    CHECK_INT(database_changes(database), 1);
    CHECK(put(database, 2, NULL, &error));
    CHECK(database_commit(database, &error));
    CHECK(!database_is_open(database));
    struct database_statement *statement =
        database_prepare(database, "SELECT id, text, number, bytes FROM note ORDER BY id");
    bool row;
    size_t bytes;
    CHECK(database_step(statement, &row, &error) && row);
    CHECK_INT(database_integer(statement, 0), INT64_MIN);
    CHECK_TEXT(database_text(statement, 1), "\xC3\xA4");
    CHECK_NUMBER(database_number(statement, 2), 0.1);
    CHECK(!memcmp(database_blob(statement, 3, &bytes), "a\0b", 3));
    CHECK_INT(bytes, 3);
    CHECK(database_step(statement, &row, &error) && row);
    CHECK_TEXT(database_text(statement, 1), "");
    CHECK(database_step(statement, &row, &error) && !row);
    CHECK(database_step(statement, &row, &error) && row); /* it was reset */
    database_close(database);
    database_close(NULL);
}

TEST(what_was_rolled_back_is_gone)
{
    struct error error = { 0 };
    const char *path = path_of("rollback.db");
    struct database *database = open_with(path, one, true, &error);
    CHECK(database_begin(database, &error));
    CHECK(put(database, 1, "a", &error));
    database_rollback(database);
    database_rollback(database);
    CHECK_INT(count(database), 0);
    CHECK(database_begin(database, &error));
    CHECK(put(database, 1, "a", &error));
    database_close(database);
    database = open_with(path, one, true, &error);
    CHECK_INT(count(database), 0);
    database_close(database);
}

TEST(a_commit_survives_a_kill)
{
    const char *path = path_of("kill.db");
    int ready[2];
    CHECK(!pipe(ready));
    for (int round = 1; round <= 3; round++) {
        pid_t child = fork();
        if (!child) {
            struct error error = { 0 };
            struct database *database = open_with(path, one, true, &error);
            bool ok = database && database_begin(database, &error) &&
                      put(database, round, "kept", &error) && database_commit(database, &error) &&
                      database_begin(database, &error) && put(database, 99, "lost", &error);
            char word = ok ? 'y' : 'n';
            if (write(ready[1], &word, 1) != 1)
                _exit(1);
            pause();
        }
        char word = 0;
        CHECK(read(ready[0], &word, 1) == 1 && word == 'y');
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        struct error error = { 0 };
        struct database *database = open_with(path, one, true, &error);
        CHECK(database);
        if (!database)
            printf("%s\n", error.message);
        else
            CHECK_INT(count(database), round);
        database_close(database);
    }
    close(ready[0]);
    close(ready[1]);
}

TEST(nothing_changed_means_nothing_written)
{
    struct error error = { 0 };
    char log[4310];
    const char *path = path_of("quiet.db");
    struct database *database = open_with(path, one, true, &error);
    CHECK(database_begin(database, &error));
    CHECK(put(database, 1, "a", &error));
    CHECK(database_commit(database, &error));
    snprintf(log, sizeof log, "%s-wal", path);
    struct hash_sha256 file_before = digest(path), log_before = digest(log);
    int64_t bytes = database_bytes(database);
    CHECK(bytes > 0);
    for (int i = 0; i < 3; i++) {
        CHECK(database_begin(database, &error));
        CHECK(put(database, 1, "a", &error)); /* the same: no row is touched */
        CHECK_INT(count(database), 1);
        CHECK(database_commit(database, &error));
    }
    CHECK(same_file(path, &file_before) && same_file(log, &log_before));
    CHECK_INT(database_bytes(database), bytes);
    database_close(database);
}

TEST(versions_move_forward_only)
{
    struct error error = { 0 };
    const char *path = path_of("versions.db");
    struct database *database = open_with(path, one, true, &error);
    CHECK(database_begin(database, &error) && put(database, 1, "old", &error) &&
          database_commit(database, &error));
    database_close(database);

    struct database_config looking = { .path = path, .migrations = two, .read_only = true };
    CHECK(!database_open(&looking, &error));
    CHECK_INT(error.code, ERROR_CONFIG);
    CHECK_CONTAINS(error.message, "has schema 1, this program needs 2");

    struct hash_sha256 before = digest(path);
    CHECK(!open_with(path, broken, true, &error));
    CHECK_INT(error.code, ERROR_IO);
    CHECK_CONTAINS(error.message, "schema 2: ");
    CHECK(same_file(path, &before));

    database = open_with(path, two, true, &error);
    CHECK_INT(count(database), 1);
    struct database_statement *statement = database_prepare(database, "SELECT id FROM more");
    bool row;
    CHECK(database_step(statement, &row, &error) && row);
    CHECK_INT(database_integer(statement, 0), 7);
    database_close(database);

    before = digest(path);
    for (int own = 0; own < 2; own++) {
        CHECK(!open_with(path, one, own, &error));
        CHECK_INT(error.code, ERROR_CONFIG);
        CHECK_CONTAINS(error.message, "has schema 2, this program knows 1");
        CHECK(same_file(path, &before));
    }
    looking.migrations = two;
    database = database_open(&looking, &error);
    CHECK_INT(count(database), 1);
    CHECK(database_begin(database, &error) && !put(database, 2, "b", &error));
    database_close(database);
    CHECK(same_file(path, &before));
}

/* A copy of a file as it is now, under another name. */
static void copy_file(const char *from, const char *to)
{
    char block[4096];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    CHECK(in && out);
    for (size_t got; in && out && (got = fread(block, 1, sizeof block, in));)
        CHECK(fwrite(block, 1, got, out) == got);
    if (in)
        fclose(in);
    if (out)
        CHECK(!fclose(out));
}

/* A newer file with a log that was never moved into it: a kill, then an older program. */
TEST(a_newer_log_is_left_alone_too)
{
    struct error error = { 0 };
    char live[4300], live_log[4310], log[4310];
    snprintf(live, sizeof live, "%s", path_of("live.db"));
    snprintf(live_log, sizeof live_log, "%s-wal", live);
    const char *path = path_of("killed.db");
    snprintf(log, sizeof log, "%s-wal", path);
    struct database *database = open_with(live, two, true, &error);
    CHECK(database_begin(database, &error) && put(database, 1, "a", &error) &&
          database_commit(database, &error));
    copy_file(live, path);
    copy_file(live_log, log);
    database_close(database);
    struct hash_sha256 file_before = digest(path), log_before = digest(log);
    CHECK(!open_with(path, one, true, &error));
    CHECK_CONTAINS(error.message, "has schema 2, this program knows 1");
    CHECK(same_file(path, &file_before) && same_file(log, &log_before));
    database = open_with(path, two, true, &error);
    CHECK_INT(count(database), 1);
    database_close(database);
}

static void write_file(const char *path, const void *bytes, size_t count_bytes, off_t at)
{
    int file = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK(file >= 0 && pwrite(file, bytes, count_bytes, at) == (ssize_t)count_bytes);
    close(file);
}

TEST(damaged_and_foreign_files_are_refused)
{
    struct error error = { 0 };
    const char *path = path_of("text.db");
    write_file(path, "this is no database, but a text that somebody keeps here\n", 57, 0);
    struct hash_sha256 before = digest(path);
    for (int own = 0; own < 2; own++) {
        CHECK(!open_with(path, one, own, &error));
        CHECK_INT(error.code, ERROR_PARSE);
        CHECK_CONTAINS(error.message, "text.db is damaged");
        CHECK(same_file(path, &before));
    }

    path = path_of("damaged.db");
    struct database *database = open_with(path, one, true, &error);
    CHECK(database_begin(database, &error));
    char text[1001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    for (int i = 0; i < 500; i++)
        CHECK(put(database, i, text, &error));
    CHECK(database_commit(database, &error));
    database_close(database);
    char garbage[4096];
    memset(garbage, 0xA5, sizeof garbage);
    write_file(path, garbage, sizeof garbage, 3 * 4096);
    before = digest(path);
    CHECK(!open_with(path, one, true, &error));
    CHECK_INT(error.code, ERROR_PARSE);
    CHECK_CONTAINS(error.message, "damaged.db is damaged");
    CHECK_CONTAINS(error.message, "left as it is");
    CHECK(same_file(path, &before));

    path = path_of("foreign.db");
    char command[4400];
    snprintf(command, sizeof command, "sqlite3 %s 'CREATE TABLE theirs (x)' 2>/dev/null", path);
    if (system(command)) {
        printf("skipped: no sqlite3 command\n");
        return;
    }
    before = digest(path);
    CHECK(!open_with(path, one, true, &error));
    CHECK_INT(error.code, ERROR_CONFIG);
    CHECK_CONTAINS(error.message, "another program");
    CHECK(same_file(path, &before));
}

/* It is opened, and checked by who can wait. */
TEST(a_large_file_is_checked_later)
{
    struct error error = { 0 };
    char text[1001], garbage[4096];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    memset(garbage, 0xA5, sizeof garbage);
    const char *path = path_of("large.db");
    struct database *database = open_with(path, one, true, &error);
    CHECK(database_begin(database, &error));
    for (int i = 0; i < 18000; i++)
        CHECK(put(database, i, text, &error));
    CHECK(database_commit(database, &error));
    database_close(database);
    database = open_with(path, one, true, &error);
    CHECK(database && database_check_large(database, &error));
    database_close(database);
    write_file(path, garbage, sizeof garbage, 3 * 4096);
    database = open_with(path, one, true, &error);
    CHECK(database);
    for (int i = 0; database && i < 2; i++) {
        CHECK(!database_check_large(database, &error));
        CHECK_INT(error.code, ERROR_PARSE);
        CHECK_CONTAINS(error.message, "large.db is damaged");
    }
    database_close(database);
}

TEST(files_are_private_and_owned_once)
{
    struct error error = { 0 };
    struct stat status;
    const char *path = path_of("own.db");
    struct database *database = open_with(path, one, true, &error);
    CHECK(!stat(path, &status) && (status.st_mode & 0777) == 0600);
    CHECK(!open_with(path, one, true, &error));
    CHECK_INT(error.code, ERROR_CONFIG);
    CHECK_CONTAINS(error.message, "in use by another running service");
    struct database *other = open_with(path, one, false, &error);
    CHECK(other);
    database_close(database);
    database = open_with(path, one, true, &error);
    CHECK(database);
    database_close(database);
    database_close(other);
    CHECK(!open_with("/nonexistent/x.db", one, false, &error));
    CHECK_INT(error.code, ERROR_IO);
    struct database_config looking = { .path = path_of("none.db"),
                                       .migrations = one,
                                       .read_only = true };
    CHECK(!database_open(&looking, &error));
    CHECK_INT(error.code, ERROR_IO);
    CHECK(stat(looking.path, &status) && errno == ENOENT);
}

TEST(a_second_writer_waits_and_readers_do_not)
{
    struct error error = { 0 };
    const char *path = path_of("two.db");
    struct database *first = open_with(path, one, true, &error);
    struct database *second = open_with(path, one, false, &error);
    CHECK(database_begin(first, &error) && put(first, 1, "a", &error));
    CHECK(!database_begin(second, &error));
    CHECK_INT(error.code, ERROR_TIMEOUT);
    CHECK(error_is_transient(&error));
    CHECK(!database_is_open(second));
    CHECK_INT(count(second), 0);
    CHECK(database_commit(first, &error));
    CHECK_INT(count(second), 1);
    CHECK(database_begin(second, &error) && put(second, 2, "b", &error) &&
          database_commit(second, &error));
    CHECK_INT(count(first), 2);
    database_close(first);
    database_close(second);
}

TEST(the_version_tells_what_others_committed)
{
    struct error error = { 0 };
    const char *path = path_of("version.db");
    struct database *first = open_with(path, one, true, &error);
    struct database *second = open_with(path, one, false, &error);
    int64_t before, after;
    CHECK(database_version(second, &before, &error));
    CHECK(database_begin(first, &error) && put(first, 1, "a", &error));
    CHECK(database_version(second, &after, &error));
    CHECK_INT(after, before);
    CHECK(database_commit(first, &error));
    CHECK(database_version(second, &after, &error));
    CHECK(after != before);
    database_close(first);
    database_close(second);
}

TEST(facts_are_kept_in_the_real_schema)
{
    struct error error = { 0 };
    struct database *database = open_with(":memory:", schema_migrations, true, &error);
    char value[16];
    CHECK(schema_get(database, "tenant", value, sizeof value, &error));
    CHECK_TEXT(value, "");
    CHECK(database_begin(database, &error));
    CHECK(schema_put(database, "tenant", "t1", &error));
    CHECK_INT(database_changes(database), 1);
    CHECK(schema_put(database, "tenant", "t1", &error));
    CHECK(schema_put(database, "tenant", "t2", &error));
    CHECK(database_commit(database, &error));
    CHECK(schema_get(database, "tenant", value, sizeof value, &error));
    CHECK_TEXT(value, "t2");
    database_close(database);
}

/* How a start reads what is open: by an index of that, which files of the same version may lack. */
TEST(missing_indexes_are_made_once)
{
    static const char question[] = "SELECT COUNT(*) FROM sqlite_master"
                                   " WHERE name IN ('ledger_finding_open', 'ledger_finding_over')";
    struct error error = { 0 };
    const char *path = path_of("indexes.db");
    int64_t made;
    for (int round = 0; round < 3; round++) {
        struct database *database = open_with(path, schema_migrations, true, &error);
        CHECK(database_get_integer(database_prepare(database, question), &made, &error));
        CHECK_INT(made, 2);
        CHECK(round != 0 ||
              (database_run(database_prepare(database, "DROP INDEX ledger_finding_open"), &error) &&
               database_run(database_prepare(database, "DROP INDEX ledger_finding_over"), &error)));
        database_close(database);
        struct hash_sha256 before = digest(path);
        database = open_with(path, schema_migrations, false, &error);
        CHECK(database_get_integer(database_prepare(database, question), &made, &error));
        CHECK_INT(made, round ? 2 : 0); /* only the owner makes them */
        database_close(database);
        CHECK(same_file(path, &before));
    }
}

/* A disk that is full in the middle of a transaction: nothing of it stays,
 * later it goes on. */
TEST(a_full_disk_loses_the_transaction_only)
{
    struct error error = { 0 };
    struct database *database = open_with(path_of("full.db"), one, true, &error);
    CHECK(database_begin(database, &error) && put(database, 1, "a", &error) &&
          database_commit(database, &error));
    struct database_statement *limit = database_prepare(database, "PRAGMA max_page_count = 6");
    bool row, ok = true;
    char text[1001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    CHECK(database_step(limit, &row, &error));
    database_reset(limit);
    CHECK(database_begin(database, &error));
    for (int i = 2; i < 100 && ok; i++)
        ok = put(database, i, text, &error);
    CHECK(!ok);
    CHECK_INT(error.code, ERROR_IO);
    CHECK_CONTAINS(error.message, "full");
    database_rollback(database);
    CHECK_INT(count(database), 1);
    CHECK(database_begin(database, &error) && put(database, 2, "b", &error) &&
          database_commit(database, &error));
    CHECK_INT(count(database), 2);
    database_close(database);
}
