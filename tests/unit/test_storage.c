#include "exporter/storage.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alerts/alerting.h"
#include "test.h"

/* A folder of this name with or without a database; its path. */
static const char *folder(const char *name, bool database, struct arena *arena)
{
    char path[400], file[500];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    snprintf(file, sizeof file, "%s/" ALERTING_DATABASE, path);
    mkdir(path, 0700);
    FILE *stream = database ? fopen(file, "we") : NULL;
    CHECK(!database || (stream && !fclose(stream)));
    return arena_text(arena, path);
}

TEST(the_folder_is_one_the_user_can_write)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const char *ours = folder("ours", false, &arena);
    const struct {
        struct storage_facts facts;
        const char *want;
    } cases[] = {
        { { "/var/lib/x", "/s", "/home/a", "/nowhere/at/all", true }, "/var/lib/x" },
        { { "/var/lib/x:/var/lib/y", NULL, NULL, "/nowhere", false }, "/var/lib/x" },
        { { NULL, "/s", "/home/a", "/nowhere", true }, "/nowhere" },
        { { NULL, "/s", "/home/a", "/nowhere", false }, "/s/defender_exporter" },
        { { NULL, NULL, "/home/a", "/nowhere", false }, "/home/a/.local/state/defender_exporter" },
        { { "", "", "/home/a", "/nowhere", false }, "/home/a/.local/state/defender_exporter" },
        { { NULL, "relative", "/home/a", "/nowhere", false },
          "/home/a/.local/state/defender_exporter" },
        { { NULL, NULL, NULL, "/nowhere", false }, "/nowhere" },
        { { NULL, "/s", "/home/a", ours, false }, ours }, /* a volume of a container */
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_TEXT(storage_choose(&cases[i].facts, &arena), cases[i].want);
}

TEST(a_database_that_is_there_goes_on_being_used)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const char *system = folder("system", true, &arena);
    const char *used = folder("used", true, &arena);
    const struct storage_facts moved = { "/nowhere/else", NULL, NULL, system, false };
    const struct storage_facts both = { used, NULL, NULL, system, false };
    CHECK_TEXT(storage_choose(&moved, &arena), system);
    CHECK_TEXT(storage_choose(&both, &arena), used);
}

TEST(the_folder_is_made_with_those_above_it)
{
    char path[400];
    struct stat state;
    snprintf(path, sizeof path, "%s/home/.local/state/defender_exporter", test_folder());
    CHECK(storage_make(path));
    CHECK(storage_make(path)); /* it is there */
    CHECK(!stat(path, &state) && !(state.st_mode & 0007));
    CHECK(!storage_make("/proc/nowhere/at/all"));
}
