/* database: the file while it is used, and what was there before. */
#include "alerts/store/database.h"
#include "alerts/store/database_file.h"
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTE "CREATE TABLE note (id BIGINT PRIMARY KEY, text TEXT)"
static const struct database_migration one[] = { { 1, NOTE }, { 0, NULL } };
static const struct database_migration two[] = {
    { 1, NOTE },
    { 2, "CREATE TABLE more (id BIGINT PRIMARY KEY)" },
    { 0, NULL },
};

static struct database *open_with(const char *path, const struct database_migration *migrations,
                                  bool own, struct error *error)
{
    const struct database_config config = { .path = path, .migrations = migrations, .own = own };
    return database_open(&config, error);
}

static bool put(struct database *database, int64_t id, const char *text, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "INSERT INTO note (id, text) VALUES ($1, $2)");
    database_bind(statement, id, text);
    return database_run(statement, error);
}

/* What happened to the file, as the error says; "" = nothing. */
static const char *looked(struct database *database)
{
    static struct error error;
    error = (struct error){ 0 };
    database_look(database, &error);
    const char *what = strstr(error.message, "was ");
    what = what ? what : strstr(error.message, "lost ");
    static char text[64];
    snprintf(text, sizeof text, "%.*s", what ? (int)strcspn(what, ":") : 0, what ? what : "");
    return text;
}

static void copy_file(const char *from, const char *to)
{
    char block[65536];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    CHECK(in && out);
    for (size_t got; in && out && (got = fread(block, 1, sizeof block, in));)
        fwrite(block, 1, got, out);
    fclose(in);
    fclose(out);
}

TEST(a_file_that_goes_away_is_seen)
{
    struct error error = { 0 };
    char path[4200], other[4300], log[4300], log_away[4400];
    snprintf(path, sizeof path, "%s/looked.db", test_folder());
    snprintf(other, sizeof other, "%s.other", path);
    snprintf(log, sizeof log, "%s-wal", path);
    snprintf(log_away, sizeof log_away, "%s.away", log);
    struct database *database = open_with(path, one, true, &error);
    CHECK(database && database_is_new(database));
    CHECK(database_begin(database, &error) && put(database, 1, "a", &error));
    CHECK(database_commit(database, &error));
    CHECK_TEXT(looked(database), "");
    CHECK(!rename(path, other));
    CHECK_TEXT(looked(database), "was removed while running");
    copy_file(other, path);
    CHECK_TEXT(looked(database), "was replaced while running");
    CHECK(!rename(other, path));
    CHECK_TEXT(looked(database), "");
    CHECK(!rename(log, log_away));
    CHECK_TEXT(looked(database), "was removed while running");
    copy_file(log_away, log);
    CHECK_TEXT(looked(database), "was replaced while running");
    CHECK(!rename(log_away, log));
    CHECK_TEXT(looked(database), "");
    CHECK(!truncate(path, 0));
    CHECK_TEXT(looked(database), "was emptied while running");
    database_close(database);
}

static void fill(struct database *database, int64_t from, int64_t to)
{
    struct error error = { 0 };
    char text[2000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    CHECK(database_begin(database, &error));
    for (int64_t id = from; id < to; id++)
        CHECK(put(database, id, text, &error));
    CHECK(database_commit(database, &error));
}

static void checkpoint(struct database *database)
{
    struct error error = { 0 };
    bool row;
    struct database_statement *statement =
        database_prepare(database, "PRAGMA wal_checkpoint(TRUNCATE)");
    CHECK(database_step(statement, &row, &error));
    database_reset(statement);
}

TEST(a_file_that_loses_a_part_is_seen_and_a_compacted_one_is_not)
{
    struct error error = { 0 };
    char path[4200];
    struct stat before, after;
    snprintf(path, sizeof path, "%s/shrunk.db", test_folder());
    struct database *database = open_with(path, one, true, &error);
    fill(database, 0, 500);
    checkpoint(database);
    CHECK_TEXT(looked(database), "");
    CHECK(database_run(database_prepare(database, "DELETE FROM note WHERE id >= 250"), &error));
    struct database *other = open_with(path, one, false, &error);
    CHECK(database_run(database_prepare(other, "VACUUM"), &error));
    CHECK(!stat(path, &before));
    checkpoint(other);
    CHECK(!stat(path, &after) && after.st_size < before.st_size);
    database_close(other);
    CHECK_TEXT(looked(database), "");
    CHECK(!truncate(path, after.st_size / 2));
    CHECK_TEXT(looked(database), "lost a part of itself while running");
    CHECK_TEXT(looked(database), "lost a part of itself while running");
    database_close(database);
}

TEST(nothing_where_there_was_a_database_is_no_first_start)
{
    struct error error = { 0 };
    char path[4200], mark[4300];
    snprintf(path, sizeof path, "%s/lost.db", test_folder());
    snprintf(mark, sizeof mark, "%s.lock", path);
    database_close(open_with(path, one, true, &error));
    for (int round = 0; round < 2; round++) {
        CHECK(round ? !truncate(path, 0) : !unlink(path));
        CHECK(!open_with(path, one, true, &error));
        CHECK_INT(error.code, ERROR_CONFIG);
        CHECK_CONTAINS(error.message, "is gone or empty, but there was a database");
        if (!round) {
            CHECK(access(path, F_OK)); /* and nothing was made */
            CHECK(!unlink(mark));
            struct database *anew = open_with(path, one, true, &error);
            CHECK(anew && database_is_new(anew));
            database_close(anew);
            anew = open_with(path, one, true, &error);
            CHECK(anew && !database_is_new(anew));
            database_close(anew);
        }
    }
}

TEST(who_makes_a_file_keeps_none_open)
{
    char path[400];
    struct error error = { 0 };
    snprintf(path, sizeof path, "%s/closed.db", test_folder());
    const struct database_file file = { .path = path, .lock = -1 };
    int before = dup(0);
    close(before);
    for (int i = 0; i < 2; i++) /* and where there is one already */
        CHECK(database_file_make(&file, &error));
    int after = dup(0);
    close(after);
    CHECK_INT(after, before);
}

TEST(only_the_service_makes_a_file)
{
    struct error error = { 0 };
    char path[4200];
    snprintf(path, sizeof path, "%s/made.db", test_folder());
    CHECK(!open_with(path, one, false, &error));
    CHECK(access(path, F_OK));
    database_close(open_with(path, one, true, &error));
    CHECK(!open_with(path, two, false, &error));
    CHECK_CONTAINS(error.message, "start the service on it once");
    struct database *database = open_with(path, one, false, &error);
    CHECK(database);
    database_close(database);
}

TEST(a_copy_is_whole_and_private_and_never_written_over)
{
    struct error error = { 0 };
    char path[4200], copy[4300];
    struct stat status;
    snprintf(path, sizeof path, "%s/original.db", test_folder());
    snprintf(copy, sizeof copy, "%s.copy", path);
    struct database *database = open_with(path, one, true, &error);
    fill(database, 0, 100);
    const struct database_config config = { .path = path, .migrations = one, .read_only = true };
    struct database *reader = database_open(&config, &error);
    CHECK(database_begin(database, &error) && put(database, 1000, "not yet", &error));
    CHECK(reader && database_check(reader, &error) && database_backup(reader, copy, &error));
    CHECK(database_commit(database, &error));
    CHECK(!stat(copy, &status) && (status.st_mode & 0777) == 0600);
    CHECK(!database_backup(reader, copy, &error));
    CHECK_CONTAINS(error.message, "exists");
    CHECK(!database_backup(reader, "/proc/none/copy", &error));
    database_close(reader);
    database_close(database);
    database = open_with(copy, one, true, &error);
    int64_t rows = 0;
    CHECK(database && !database_is_new(database));
    CHECK(database_get_integer(database_prepare(database, "SELECT COUNT(*) FROM note"), &rows,
                               &error));
    CHECK_INT(rows, 100);
    database_close(database);
}
