/* readers: connections that are used again, unless the file is another one. */
#include "alerts/store/readers.h"
#include "test.h"

#include <stdio.h>
#include <unistd.h>

#include "core/memory.h"

static const struct database_migration migrations[] = {
    { 1, "CREATE TABLE note (id BIGINT PRIMARY KEY)" },
    { 0, NULL },
};

/* A database and who reads it. */
struct scene {
    char path[4300];
    struct database *owner;
    struct readers *readers;
};

static struct database *own(const char *path)
{
    const struct database_config config = { .path = path, .migrations = migrations, .own = true };
    struct error error;
    struct database *database = database_open(&config, &error);
    CHECK(database != NULL);
    return database;
}

static void begin(struct scene *scene, const char *name)
{
    snprintf(scene->path, sizeof scene->path, "%s/%s", test_folder(), name);
    scene->owner = own(scene->path);
    const struct database_config config = { .path = scene->path,
                                            .migrations = migrations,
                                            .busy_ms = 20,
                                            .read_only = true };
    scene->readers = readers_create(&config);
}

static void end(struct scene *scene)
{
    readers_destroy(scene->readers);
    database_close(scene->owner);
}

static void add(struct database *owner, int64_t id)
{
    struct error error;
    CHECK(database_begin(owner, &error));
    struct database_statement *insert = database_prepare(owner, "INSERT INTO note VALUES ($1)");
    database_bind(insert, id);
    CHECK(database_run(insert, &error) && database_commit(owner, &error));
}

static int64_t count(struct database *reader)
{
    struct error error;
    int64_t notes = -1;
    CHECK(database_get_integer(database_prepare(reader, "SELECT COUNT(*) FROM note"), &notes,
                               &error));
    return notes;
}

TEST(what_was_given_back_is_taken_again_and_reads_what_is_new)
{
    struct scene scene;
    struct error error;
    begin(&scene, "again");
    struct database *first = readers_take(scene.readers, &error);
    CHECK(first != NULL);
    CHECK_INT(count(first), 0);
    readers_give(scene.readers, first);
    add(scene.owner, 1);
    struct database *second = readers_take(scene.readers, &error);
    CHECK(second == first);
    CHECK_INT(count(second), 1);
    readers_give(scene.readers, second);
    end(&scene);
}

/* What it read last must not hold the log of the database: its transaction is over. */
TEST(who_stopped_in_the_middle_reads_the_next_time_from_the_beginning)
{
    struct scene scene;
    struct error error;
    begin(&scene, "middle");
    add(scene.owner, 1);
    add(scene.owner, 2);
    struct database *reader = readers_take(scene.readers, &error);
    CHECK(reader != NULL);
    bool row = false;
    CHECK(database_step(database_prepare(reader, "SELECT id FROM note"), &row, &error) && row);
    readers_give(scene.readers, reader);
    add(scene.owner, 3);
    reader = readers_take(scene.readers, &error);
    CHECK_INT(count(reader), 3);
    readers_give(scene.readers, reader);
    end(&scene);
}

TEST(several_read_at_once)
{
    struct scene scene;
    struct error error;
    struct database *taken[4];
    begin(&scene, "several");
    for (size_t i = 0; i < 4; i++) {
        taken[i] = readers_take(scene.readers, &error);
        CHECK(taken[i] != NULL);
        for (size_t j = 0; j < i; j++)
            CHECK(taken[i] != taken[j]);
    }
    for (size_t i = 0; i < 4; i++)
        readers_give(scene.readers, taken[i]); /* more than are kept */
    readers_give(scene.readers, NULL);
    end(&scene);
}

TEST(a_file_that_was_replaced_is_opened_anew)
{
    struct scene scene, other;
    struct error error;
    begin(&scene, "replaced");
    begin(&other, "other");
    add(other.owner, 1);
    char copy[4400];
    snprintf(copy, sizeof copy, "%s.copy", scene.path);
    CHECK(database_backup(other.owner, copy, &error));
    struct database *reader = readers_take(scene.readers, &error);
    CHECK_INT(count(reader), 0);
    readers_give(scene.readers, reader);
    for (size_t i = 0; i < 2; i++) {
        char log[4400];
        snprintf(log, sizeof log, "%s%s", scene.path, i ? "-wal" : "-shm");
        CHECK(!unlink(log));
    }
    CHECK(!rename(copy, scene.path));
    reader = readers_take(scene.readers, &error);
    CHECK(reader && count(reader) == 1);
    readers_give(scene.readers, reader);
    end(&other);
    end(&scene);
}

TEST(a_file_that_is_gone_is_an_error)
{
    struct scene scene;
    struct error error = { 0 };
    begin(&scene, "gone");
    readers_give(scene.readers, readers_take(scene.readers, &error));
    CHECK(!unlink(scene.path));
    CHECK(readers_take(scene.readers, &error) == NULL);
    CHECK(error.message[0] != '\0');
    end(&scene);
}
