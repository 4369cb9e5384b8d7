#include "exporter/commands_init.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collectors/azure/cloud.h"
#include "core/clock.h"
#include "exporter/asking.h"
#include "exporter/init.h"

/* What is known so far. */
struct first {
    const char *file; /* to write */
    struct config_setting settings[INIT_SETTINGS_MAX];
    size_t setting_count;
    struct init_receiver receivers[INIT_RECEIVERS_MAX];
    size_t receiver_count;
    struct asking asking;
    struct arena arena;
};

static void first_finish(struct first *first)
{
    asking_finish(&first->asking);
    arena_finish(&first->arena);
}

static int fail(const struct error *error)
{
    fprintf(stderr, "defender_exporter: %s\n", error->message);
    return error->code == ERROR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}

/* --- what is given ---------------------------------------------------------------------------- */

/* The configuration's folder need not be the one this runs in. */
static const char *absolute(const char *path, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf whole = { 0 };
    char here[PATH_MAX];
    if (*path == '/' || !*path || !getcwd(here, sizeof here))
        return arena_text(arena, path);
    buf_printf(&whole, "%s/%s", here, path);
    return arena_text(arena, buf_cstr(&whole));
}

static void add(struct first *first, const char *path, const char *text, const char *origin)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const struct option *option = config_option(config_options(&arena), path);
    bool file = !option || option->type == OPTION_TYPE_PATH;
    if (first->setting_count < INIT_SETTINGS_MAX && *text)
        first->settings[first->setting_count++] = (struct config_setting){
            arena_text(&first->arena, path),
            file ? absolute(text, &first->arena) : arena_text(&first->arena, text), origin
        };
}

static bool has(const struct first *first, const char *path)
{
    bool found = false;
    for (size_t i = 0; i < first->setting_count; i++)
        found = found || !strcmp(first->settings[i].path, path);
    return found;
}

/* A variable of Azure's clients as a key, unless a flag sets that. */
static void take_variable(struct first *first, const char *path, const char *variable)
{
    const char *value = getenv(variable);
    if (value && !has(first, path))
        add(first, path, value, variable);
}

/* The cloud whose sign-in host a variable names. */
static void take_cloud(struct first *first)
{
    const char *host = getenv("AZURE_AUTHORITY_HOST");
    for (size_t i = 1; host && !has(first, "azure.cloud") && cloud_words[i]; i++) {
        const char *own = cloud_table[i].authority_host;
        size_t length = strlen(own);
        if (!strncmp(host, own, length) && strspn(host + length, "/") == strlen(host + length))
            add(first, "azure.cloud", cloud_words[i], "AZURE_AUTHORITY_HOST");
    }
}

static void take_flags(struct first *first, const struct flags *flags)
{
    for (size_t i = 0; i < flags->setting_count; i++) {
        const struct config_setting *one = &flags->settings[i];
        if (strncmp(one->origin, "OTEL_", 5) != 0) /* they stay in the environment */
            add(first, one->path, one->text, one->origin);
    }
    take_cloud(first);
    take_variable(first, "azure.tenant_id", "AZURE_TENANT_ID");
    take_variable(first, "azure.client_id", "AZURE_CLIENT_ID");
    take_variable(first, "azure.authority_host", "AZURE_AUTHORITY_HOST");
}

static bool take_receiver(struct first *first, const char *text, struct error *error)
{
    struct init_receiver *receiver = &first->receivers[first->receiver_count];
    if (first->receiver_count == INIT_RECEIVERS_MAX)
        return error_set(error, ERROR_CONFIG, "at most %d receivers", INIT_RECEIVERS_MAX);
    if (!init_receiver(text, receiver, error))
        return false;
    receiver->value = receiver->kind->key ? absolute(receiver->value, &first->arena)
                                          : arena_text(&first->arena, receiver->value);
    if (receiver->kind->key && access(receiver->value, R_OK))
        return error_set(error, ERROR_CONFIG, "%s: %s: %s", receiver->kind->name, receiver->value,
                         strerror(errno));
    first->receiver_count++;
    return true;
}

/* --- who is there to ask ------------------------------------------------------------------------
 */

static bool is_terminal(void)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* The answer, "" = none. */
static const char *ask(struct first *first, const char *question)
{
    char line[1024] = "";
    fprintf(stderr, "%s: ", question);
    if (!fgets(line, sizeof line, stdin))
        fputc('\n', stderr);
    line[strcspn(line, "\r\n")] = '\0';
    return arena_text(&first->arena, line + strspn(line, " "));
}

/* How to sign in; false when there is no answer. */
static bool ask_identity(struct first *first)
{
    size_t before = first->setting_count;
    fprintf(stderr, "An application signs in with a secret or a certificate. Empty: do without.\n");
    const char *tenant = ask(first, "Tenant id");
    if (!*tenant)
        return false;
    add(first, "azure.tenant_id", tenant, "answer");
    add(first, "azure.client_id", ask(first, "Client id of the application"), "answer");
    const char *secret = ask(first, "File that holds its secret (empty: a certificate)");
    add(first, "azure.client_secret_file", secret, "answer");
    if (!*secret)
        add(first, "azure.client_certificate_file",
            ask(first, "File with its certificate and private key"), "answer");
    return first->setting_count > before;
}

static void ask_receivers(struct first *first)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct error error;
    for (;;) {
        const char *name = ask(first, "Receiver of alerts (slack, teams, pagerduty, webhook, "
                                      "email, alertmanager; empty: no more)");
        const struct init_kind *kind = init_kinds;
        if (!*name)
            return;
        while (kind->name && strcmp(kind->name, name) != 0)
            kind++;
        buf_reset(&text);
        buf_printf(&text, "%s=%s", name, kind->name ? ask(first, kind->what) : "");
        if (!take_receiver(first, buf_cstr(&text), &error))
            fprintf(stderr, "%s\n", error.message);
    }
}

/* --- looking ------------------------------------------------------------------------------------
 */

static struct config *load(const char *file, const struct first *first)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    const struct config_source source = {
        .file = file,
        .file_may_be_missing = !*file,
        .settings = first ? first->settings : NULL,
        .setting_count = first ? first->setting_count : 0,
    };
    struct config *config = config_load(&source, &report);
    fputs(buf_cstr(&report.text), stderr);
    return config;
}

/* How the first source that was tried went. */
static const struct source_status *first_status(const struct snapshot *snapshot)
{
    size_t i = 0;
    while (i + 1 < snapshot->sources->count && !snapshot->status[i].attempted)
        i++;
    return &snapshot->status[i];
}

/* Who signed in, or NULL and why not. */
static const char *signed_in(const struct first *first, const struct snapshot *snapshot,
                             const char **why)
{
    const struct engine_tenant *tenant = &first->asking.engine.tenants[0];
    const struct error *error = &first_status(snapshot)->error;
    bool ok = arm_has_answered(tenant->arm) && error->code != ERROR_AUTH;
    *why = error->message;
    return ok ? auth_method_text(tenant->auths[AUTH_RESOURCE_MANAGER]) : NULL;
}

/* Run what is on. Returns the exit status. */
static int look(struct first *first)
{
    struct error error;
    struct config *config = load("", first);
    if (!config)
        return EXIT_USAGE;
    fprintf(stderr, "Looking what works: each collector is run once.\n");
    return asking_run(&first->asking, config, &error) ? EXIT_FINE : fail(&error);
}

/* Once more with what somebody answers, when nobody could sign in. */
static int look_again(struct first *first)
{
    const char *why;
    struct snapshot *snapshot = snapshot_acquire(first->asking.snapshots, clock_now_s());
    bool fine = signed_in(first, snapshot, &why);
    if (!fine)
        fprintf(stderr, "Nobody could sign in: %s.\n", why);
    snapshot_release(snapshot);
    if (fine || !is_terminal() || !ask_identity(first))
        return EXIT_FINE;
    asking_finish(&first->asking);
    first->asking = (struct asking){ 0 };
    return look(first);
}

/* Write down the way that worked: what else turns up later is somebody else. */
static void settle_method(struct first *first, const char *way)
{
    static const struct {
        const char *way, *word, *path, *variable;
    } ways[] = {
        { "client secret", "client_secret", NULL, NULL },
        { "client certificate", "client_certificate", "azure.client_certificate_file",
          "AZURE_CLIENT_CERTIFICATE_PATH" },
        { "workload identity", "workload_identity", "azure.federated_token_file",
          "AZURE_FEDERATED_TOKEN_FILE" },
        { "managed identity", "managed_identity", NULL, NULL },
        { "az command line", "azure_cli", NULL, NULL },
    };
    for (size_t i = 0; way && i < ARRAY_COUNT(ways); i++) {
        if (strcmp(ways[i].way, way) != 0)
            continue;
        if (!has(first, "azure.method"))
            add(first, "azure.method", ways[i].word, "found");
        if (ways[i].path)
            take_variable(first, ways[i].path, ways[i].variable);
    }
}

/* --- writing ------------------------------------------------------------------------------------
 */

/* A new file with this content; fails where there is one. */
static bool write_new(const char *path, const struct buf *text, mode_t mode, struct error *error)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0)
        return error_set(error, ERROR_IO, "%s: %s", path, strerror(errno));
    bool ok = !fchmod(file, mode) &&
              write(file, text->data, text->length) == (ssize_t)text->length && !fsync(file);
    int reason = errno;
    close(file);
    if (ok)
        return true;
    unlink(path);
    return error_set(error, ERROR_IO, "%s: %s", path, strerror(reason));
}

/* Rules beside the configuration, when there are none. *made: the file that was. */
static bool write_rules(const char *file, struct buf *made, struct error *error)
{
    CLEANUP(buf_finish) struct buf rules = { 0 };
    const char *slash = strrchr(file, '/');
    buf_text(&rules, init_rules);
    buf_append(made, file, (size_t)(slash - file));
    buf_text(made, "/rules");
    if (mkdir(buf_cstr(made), 0755) && errno != EEXIST)
        return error_set(error, ERROR_IO, "%s: %s", buf_cstr(made), strerror(errno));
    buf_text(made, "/findings.yml");
    if (access(buf_cstr(made), F_OK))
        return write_new(buf_cstr(made), &rules, 0644, error);
    buf_reset(made);
    return true;
}

/* Put it in its place, once it was read like any configuration. */
static bool place(const struct first *first, const char *temporary, bool force, struct error *error)
{
    struct config *config = load(temporary, NULL);
    if (!config)
        return error_set(error, ERROR_CONFIG, "nothing is written: what was given is refused");
    config_destroy(config);
    if (force ? !rename(temporary, first->file) : !link(temporary, first->file))
        return true;
    return error_set(error, ERROR_IO, "%s: %s", first->file, strerror(errno));
}

static int write_down(struct first *first, const struct init_found *found, bool force)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    CLEANUP(buf_finish) struct buf temporary = { 0 };
    CLEANUP(buf_finish) struct buf rules = { 0 };
    struct error error;
    init_write(found, &text);
    buf_printf(&temporary, "%s.new.%d", first->file, (int)getpid());
    mode_t mode = init_names_secrets(found) ? 0600 : 0644;
    bool ok = write_new(buf_cstr(&temporary), &text, mode, &error) &&
              (!first->receiver_count || write_rules(first->file, &rules, &error)) &&
              place(first, buf_cstr(&temporary), force, &error);
    unlink(buf_cstr(&temporary));
    if (!ok && rules.length)
        unlink(buf_cstr(&rules));
    if (!ok)
        return fail(&error);
    printf("%s is written%s\n", first->file,
           mode == 0600 ? "; only its owner can read it, for it names files of secrets" : "");
    if (rules.length)
        printf("%s is written\n", buf_cstr(&rules));
    printf("next: defender_exporter --config.file=%s run --once\n", first->file);
    return EXIT_FINE;
}

static int conclude(struct first *first, bool force)
{
    CLEANUP(buf_finish) struct buf rows = { 0 };
    CLEANUP(buf_finish) struct buf reasons = { 0 };
    const struct config *config = first->asking.engine.config;
    struct snapshot *snapshot = snapshot_acquire(first->asking.snapshots, clock_now_s());
    permissions_write(first->asking.permissions, config, snapshot, &rows, &reasons);
    struct init_found found = {
        .config = config,
        .rows = buf_cstr(&rows),
        .snapshot = snapshot,
        .settings = first->settings,
        .receivers = first->receivers,
        .receiver_count = first->receiver_count,
    };
    found.signed_in = signed_in(first, snapshot, &found.why);
    settle_method(first, found.signed_in);
    found.setting_count = first->setting_count;
    int status = write_down(first, &found, force);
    snapshot_release(snapshot);
    return status;
}

/* --- the command --------------------------------------------------------------------------------
 */

static bool prepare(struct first *first, const struct flags *flags, const char *const *arguments,
                    size_t count, struct error *error)
{
    const char *file = flags->config_file ? flags->config_file : CONFIG_DEFAULT_FILE;
    for (size_t i = 0; i < count; i++) {
        if (!strchr(arguments[i], '='))
            file = arguments[i];
        else if (!take_receiver(first, arguments[i], error))
            return false;
    }
    first->file = absolute(file, &first->arena);
    if (!flags->force && !access(first->file, F_OK))
        return error_set(error, ERROR_IO, "%s is there already: --force writes over it",
                         first->file);
    take_flags(first, flags);
    return true;
}

static int init(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(first_finish) struct first first = { 0 };
    struct error error;
    signal(SIGPIPE, SIG_IGN);
    if (!prepare(&first, flags, arguments, count, &error))
        return fail(&error);
    int status = look(&first);
    status = status == EXIT_FINE ? look_again(&first) : status;
    if (status != EXIT_FINE)
        return status;
    if (is_terminal())
        ask_receivers(&first);
    return conclude(&first, flags->force);
}

/* clang-format off */
const struct command commands_init[] = {
    { { "init" }, " [FILE] [RECEIVER=VALUE ...]",
      "Look what works (who signs in, which subscriptions and collectors), ask for receivers, and "
      "write a configuration with comments. RECEIVER is slack, teams, pagerduty or webhook=FILE "
      "with the secret, email=RELAY:PORT,FROM,TO or alertmanager=URL.", 0, FLAGS_WORDS_MAX - 1,
      init, "force" },
    { { NULL } }
};
/* clang-format on */
