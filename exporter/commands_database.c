#include "exporter/commands_database.h"

#include <stdio.h>

#include "alerts/alerting.h"
#include "alerts/store/schema.h"

static int fail(const struct error *error)
{
    fprintf(stderr, "defender_exporter: %s\n", error->message);
    return EXIT_FAILED;
}

/* The database of the configuration, for reading. Returns the exit status. */
static int open_database(const struct flags *flags, struct database **database)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    struct error error;
    struct config *config = commands_load(flags);
    if (!config)
        return EXIT_USAGE;
    buf_printf(&path, "%s/" ALERTING_DATABASE, config->storage.path);
    config_destroy(config);
    const struct database_config wanted = {
        .path = buf_cstr(&path),
        .migrations = schema_migrations,
        .read_only = true,
    };
    *database = database_open(&wanted, &error);
    if (*database)
        return EXIT_FINE;
    error_wrap(&error, "--storage.path");
    return fail(&error);
}

static int backup(const struct flags *flags, const char *const *arguments, size_t count)
{
    (void)count;
    struct error error;
    struct database *database;
    int status = open_database(flags, &database);
    if (status != EXIT_FINE)
        return status;
    bool ok = database_backup(database, arguments[0], &error);
    database_close(database);
    if (!ok)
        return fail(&error);
    printf("%s is a whole copy\n", arguments[0]);
    return EXIT_FINE;
}

static int check(const struct flags *flags, const char *const *arguments, size_t count)
{
    (void)arguments;
    (void)count;
    struct error error;
    struct database *database;
    int status = open_database(flags, &database);
    if (status != EXIT_FINE)
        return status;
    bool ok = database_check(database, &error);
    database_close(database);
    if (!ok)
        return fail(&error);
    printf("the database is whole\n");
    return EXIT_FINE;
}

/* clang-format off */
const struct command commands_database[] = {
    { { "db", "backup" }, " FILE", "Copy the database, also while the service runs.", 1, 1,
      backup },
    { { "db", "check" }, "", "Check all of the database for damage.", 0, 0, check },
    { { NULL } }
};
/* clang-format on */
