/* rows: what is written is read, whatever its type, and the SQL says what was meant. */
#include "alerts/store/rows.h"
#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum colour { RED, GREEN, BLUE, COLOUR_COUNT };
static const char *const colour_words[] = { "red", "green", "blue", NULL };

struct note {
    char id[5];
    int64_t number;
    const char *text;
    enum colour word, kept;
    double share;
    bool flag, has_bytes;
    int small;
    uint32_t count;
    size_t size;
    uint8_t bytes[4];
};

static const struct row_field note_fields[] = {
    ROW_CHARS(struct note, id, "id"),
    ROW_INTEGER(struct note, number, "number"),
    ROW_TEXT(struct note, text, "text"),
    ROW_WORD(struct note, word, "word", colour_words, BLUE),
    ROW_ENUM(struct note, kept, "kept", COLOUR_COUNT),
    ROW_NUMBER(struct note, share, "share"),
    ROW_INTEGER(struct note, flag, "flag"),
    ROW_INTEGER(struct note, small, "small"),
    ROW_INTEGER(struct note, count, "count"),
    ROW_INTEGER(struct note, size, "size"),
    ROW_BYTES(struct note, bytes, "bytes", has_bytes),
    { 0 },
};
static const struct rows_table notes = { "note", 2, note_fields };

static const struct database_migration migrations[] = {
    { 1, "CREATE TABLE note (id TEXT, number BIGINT, text TEXT, word TEXT, kept BIGINT,"
         " share DOUBLE PRECISION, flag BIGINT, small BIGINT, count BIGINT, size BIGINT,"
         " bytes BYTEA, other BIGINT DEFAULT 7, PRIMARY KEY (id, number))" },
    { 0, NULL },
};

static const struct note whole = {
    .id = "abcd",
    .number = -5000000000,
    .text = "it's \"so\"",
    .word = GREEN,
    .kept = BLUE,
    .share = 0.1,
    .flag = true,
    .has_bytes = true,
    .small = -3,
    .count = 4000000000U,
    .size = 5000000000,
    .bytes = { 0, 1, 0, 255 },
};

static struct database *open_notes(void)
{
    struct error error = { 0 };
    const struct database_config config = { .path = ":memory:", .migrations = migrations };
    struct database *database = database_open(&config, &error);
    CHECK(database != NULL);
    return database;
}

static void run(struct database *database, const char *sql)
{
    struct error error = { 0 };
    CHECK(database_run(database_prepare(database, sql), &error));
}

static struct note read_note(struct database *database, struct arena *arena, const char *id,
                             bool *found)
{
    struct error error = { 0 };
    struct note note = { .text = "untouched" };
    struct database_statement *statement = rows_select(database, &notes, " WHERE id = $1");
    database_bind(statement, id);
    CHECK(rows_one(statement, &notes, arena, &note, found, &error));
    return note;
}

static void check_same(const struct note *got, const struct note *want)
{
    CHECK_TEXT(got->id, want->id);
    CHECK_INT(got->number, want->number);
    CHECK_TEXT(got->text, want->text);
    CHECK_INT(got->word, want->word);
    CHECK_INT(got->kept, want->kept);
    CHECK(got->share == want->share);
    CHECK_INT(got->flag, want->flag);
    CHECK_INT(got->small, want->small);
    CHECK_INT(got->count, want->count);
    CHECK_INT((int64_t)got->size, (int64_t)want->size);
    CHECK_INT(got->has_bytes, want->has_bytes);
    CHECK(!memcmp(got->bytes, want->bytes, sizeof got->bytes));
}

TEST(rows_reads_what_it_wrote)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct error error = { 0 };
    struct database *database = open_notes();
    bool found = true;
    read_note(database, &arena, "abcd", &found);
    CHECK(!found);
    CHECK(rows_insert(database, &notes, &whole, &error));
    CHECK(!rows_insert(database, &notes, &whole, &error));
    struct note got = read_note(database, &arena, "abcd", &found);
    CHECK(found);
    check_same(&got, &whole);
    database_close(database);
}

TEST(rows_replaces_and_leaves_what_is_there)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct error error = { 0 };
    struct database *database = open_notes();
    struct note other = whole;
    bool found;
    other.text = "new";
    other.has_bytes = false;
    memset(other.bytes, 0, sizeof other.bytes);
    CHECK(rows_update(database, &notes, &whole, &error));
    CHECK_INT(database_changes(database), 0);
    CHECK(rows_upsert(database, &notes, &whole, &error));
    run(database, "UPDATE note SET other = 8");
    CHECK(rows_insert_new(database, &notes, &other, &error));
    struct note got = read_note(database, &arena, "abcd", &found);
    check_same(&got, &whole);
    CHECK(rows_upsert(database, &notes, &other, &error));
    got = read_note(database, &arena, "abcd", &found);
    check_same(&got, &other);
    CHECK(rows_update(database, &notes, &whole, &error));
    CHECK_INT(database_changes(database), 1);
    got = read_note(database, &arena, "abcd", &found);
    check_same(&got, &whole);
    int64_t kept;
    CHECK(
        database_get_integer(database_prepare(database, "SELECT other FROM note"), &kept, &error));
    CHECK_INT(kept, 8);
    other.number = 1;
    CHECK(rows_update(database, &notes, &other, &error)); /* of another key */
    CHECK_INT(database_changes(database), 0);
    database_close(database);
}

TEST(rows_survives_what_it_did_not_write)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct database *database = open_notes();
    bool found;
    run(database, "INSERT INTO note (id, number, word, kept, bytes)"
                  " VALUES ('abcdefgh', 1, 'violet', 3, x'010203'), ('b', 1, NULL, -1, NULL)");
    struct note got = read_note(database, &arena, "abcdefgh", &found);
    CHECK_TEXT(got.id, "abcd");
    CHECK_TEXT(got.text, "");
    CHECK_INT(got.word, BLUE);
    CHECK_INT(got.kept, BLUE);
    CHECK(!got.has_bytes && !got.bytes[0] && got.share == 0);
    got = read_note(database, &arena, "b", &found);
    CHECK_INT(got.word, BLUE);
    CHECK_INT(got.kept, BLUE);
    CHECK(!got.has_bytes);
    database_close(database);
}

TEST(rows_walks_rows_in_the_order_asked_for)
{
    struct error error = { 0 };
    struct database *database = open_notes();
    struct note note = whole;
    for (note.number = 1; note.number <= 3; note.number++)
        CHECK(rows_insert(database, &notes, &note, &error));
    struct database_statement *statement =
        rows_select(database, &notes, " WHERE number > $1 AND text = $2 ORDER BY number DESC");
    database_bind(statement, 1, whole.text);
    bool found;
    for (int64_t want = 3; want >= 2; want--) {
        CHECK(rows_next(statement, &notes, NULL, &note, &found, &error) && found);
        CHECK_INT(note.number, want);
        CHECK_TEXT(note.text, whole.text);
    }
    CHECK(rows_next(statement, &notes, NULL, &note, &found, &error) && !found);
    database_close(database);
}

TEST(rows_bound_values_are_counted)
{
    struct error error = { 0 };
    struct database *database = open_notes();
    CHECK(rows_insert(database, &notes, &whole, &error));
    struct database_statement *statement = database_prepare(
        database, "SELECT COUNT(*) FROM note WHERE bytes = $1 AND share = $2 AND flag = $3");
    database_bind(statement, DATABASE_BYTES(whole.bytes), whole.share, whole.flag);
    int64_t count = 0;
    CHECK(database_get_integer(statement, &count, &error));
    CHECK_INT(count, 1);
    pid_t child = fork();
    if (!child) {
        fclose(stderr);
        signal(SIGABRT, SIG_DFL);
        database_bind(statement, 1, 2);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    database_close(database);
}
