#include "exporter/commands_permissions.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "exporter/asking.h"
#include "exporter/terminal.h"

static int fail(const struct error *error)
{
    fprintf(stderr, "defender_exporter: %s\n", error->message);
    return error->code == ERROR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}

static int say(const struct asking *asking, const char *format)
{
    CLEANUP(buf_finish) struct buf lines = { 0 };
    CLEANUP(buf_finish) struct buf reasons = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error;
    struct snapshot *snapshot = snapshot_acquire(asking->snapshots, clock_now_s());
    bool fine =
        permissions_write(asking->permissions, asking->engine.config, snapshot, &lines, &reasons);
    snapshot_release(snapshot);
    if (!terminal_rows(&permissions_table, format, buf_cstr(&lines), &out, &error))
        return fail(&error);
    if (!strcmp(format, "table") && reasons.length)
        buf_printf(&out, "\n%s", buf_cstr(&reasons));
    int status = commands_print(&out);
    return fine ? status : EXIT_FAILED;
}

/* The number of the tenant of that name; `azure` is the first. */
static bool find_tenant(const struct config *config, const char *name, size_t *number,
                        struct error *error)
{
    for (*number = 0; *number < config_tenant_count(config); ++*number) {
        const char *own = config_tenant(config, *number)->name;
        if (!strcmp(name, own ? own : "azure"))
            return true;
    }
    return error_set(error, ERROR_CONFIG, "there is no tenant %s", name);
}

static int print_role(const struct flags *flags, const struct config *config, const char *tenant)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error;
    size_t number = 0;
    if (!tenant && config_tenant_count(config) > 1) {
        error_set(&error, ERROR_CONFIG, "a role is of one tenant: name it, azure or another");
        return fail(&error);
    }
    if ((tenant && !find_tenant(config, tenant, &number, &error)) ||
        !permissions_role(config, number, flags->scope, &out, &error))
        return fail(&error);
    return commands_print(&out);
}

/* Leave what asks other tenants switched off. */
static bool keep_tenant(struct config *config, const char *name, struct error *error)
{
    size_t number;
    if (!find_tenant(config, name, &number, error))
        return false;
    for (size_t i = 0; i < config->sources->count; i++)
        if (config_tenant_of(config, &config->sources->sources[i]) != number)
            config->run[i].enabled = false;
    return true;
}

static int check_permissions(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(asking_finish) struct asking asking = { 0 };
    const char *format = flags->format ? flags->format : "table";
    const char *tenant = count ? arguments[0] : NULL;
    struct error error;
    if (!terminal_knows(format, &error))
        return fail(&error);
    struct config *config = commands_load(flags);
    if (!config)
        return EXIT_USAGE;
    if (flags->role) {
        int status = print_role(flags, config, tenant);
        config_destroy(config);
        return status;
    }
    if (tenant && !keep_tenant(config, tenant, &error)) {
        config_destroy(config);
        return fail(&error);
    }
    signal(SIGPIPE, SIG_IGN);
    return asking_run(&asking, config, &error) ? say(&asking, format) : fail(&error);
}

/* clang-format off */
const struct command commands_permissions[] = {
    { { "check", "permissions" }, " [TENANT]",
      "Run each collector that is on once and list what it may read and which action is missing; "
      "1 when something is refused or nobody answers.", 0, 1, check_permissions,
      "format role scope" },
    { { NULL } }
};
/* clang-format on */
