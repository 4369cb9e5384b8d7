#include "exporter/commands_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "alerts/view/view_write.h"
#include "core/http.h"
#include "exporter/terminal_table.h"
#include "exporter/web/web_address.h"

enum { TIMEOUT_MS = 30000, HEALTH_TIMEOUT_MS = 5000 };
enum { ANSWER_BYTES_MAX = 256 * 1024 * 1024 };

/* --- what is asked ---------------------------------------------------------------------------- */

/* "http://127.0.0.1:9887/prefix": where the exporter of this configuration listens. */
static bool append_address(const struct flags *flags, struct buf *url, struct error *error)
{
    struct web_address address;
    if (flags->url) {
        size_t length = strlen(flags->url);
        buf_append(url, flags->url, length - (length && flags->url[length - 1] == '/'));
        return true;
    }
    struct config *config = commands_load(flags);
    if (!config)
        return error_set(error, ERROR_CONFIG, "say where the exporter is: --url");
    const struct web_config *web = &config->web;
    bool ok = web->addresses.count && web_address_parse(web->addresses.texts[0], &address, error) &&
              (*address.port || error_set(error, ERROR_CONFIG,
                                          "it listens on a unix socket: say where it is: --url"));
    bool any =
        ok && (!*address.host || !strcmp(address.host, "0.0.0.0") || !strcmp(address.host, "::"));
    if (ok)
        buf_printf(url,
                   strchr(address.host, ':') && !any ? "http%s://[%s]:%s%s" : "http%s://%s:%s%s",
                   web->config_file ? "s" : "", any ? "127.0.0.1" : address.host, address.port,
                   web->route_prefix);
    config_destroy(config);
    return ok;
}

static void append_parameter(struct buf *url, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(url, "%c%s=", strchr(buf_cstr(url), '?') ? '&' : '?', name);
    http_escape(url, value);
}

/* One request; the answer is to be finished, also after a failure. */
static bool get(const char *url, int64_t timeout_ms, bool no_proxy, struct http_response *response,
                struct error *error)
{
    const struct http_request request = { .method = "GET",
                                          .url = url,
                                          .timeout_ms = timeout_ms,
                                          .no_proxy = no_proxy,
                                          .response_limit_bytes = ANSWER_BYTES_MAX };
    struct http_client *client = http_client_create();
    bool ok = http_exchange(client, &request, response, error);
    http_client_destroy(client);
    return ok;
}

/* Ask the API; what it answers is appended. What could not be looked at is said beside it. */
static bool ask(const char *url, struct buf *out, struct error *error)
{
    struct http_response response = { 0 };
    char lacking[1024];
    bool ok = get(url, TIMEOUT_MS, false, &response, error);
    if (ok && response.status != 200) {
        struct error ignored;
        struct json *said = json_parse(buf_cstr(&response.body), response.body.length, &ignored);
        const char *text = json_text(json_get(said, "error"));
        ok = error_set(error, ERROR_REQUEST, "the exporter answers %d: %s", response.status,
                       text ? text : "nothing that is understood");
        json_free(said);
    }
    if (ok && http_header(&response, "X-Defender-Lacking", lacking, sizeof lacking))
        fprintf(stderr, "defender_exporter: not listed: %s\n", lacking);
    if (ok)
        buf_append(out, response.body.data, response.body.length);
    http_response_finish(&response);
    return ok;
}

/* --- what is shown ---------------------------------------------------------------------------- */

static int fail(const struct error *error)
{
    fprintf(stderr, "defender_exporter: %s\n", error->message);
    return error->code == ERROR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}

/* Columns of the terminal on standard output; 0 = it is none. */
static size_t terminal_columns(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    if (!isatty(STDOUT_FILENO))
        return 0;
    if (columns && atoi(columns) > 0)
        return (size_t)atoi(columns);
    return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : 80;
}

/* source: https://no-color.org */
static bool wants_colour(void)
{
    const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(none && *none) && terminal && strcmp(terminal, "dumb") != 0;
}

/* All rows, which the API itself gives as an array only page by page. */
static int print_array(const struct buf *lines)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    const char *at = buf_cstr(lines);
    buf_text(&out, "[");
    for (size_t length; *at; at += length + (at[length] == '\n')) {
        length = strcspn(at, "\n");
        buf_text(&out, out.length > 1 ? ",\n" : "");
        buf_append(&out, at, length);
    }
    buf_text(&out, "]\n");
    return commands_print(&out);
}

static int show(const struct flags *flags, const char *name)
{
    const char *format = flags->format ? flags->format : "table";
    bool as_table = !strcmp(format, "table");
    CLEANUP(buf_finish) struct buf url = { 0 };
    CLEANUP(buf_finish) struct buf answer = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error;
    if (!append_address(flags, &url, &error))
        return fail(&error);
    buf_printf(&url, "/api/v1/%s", name);
    append_parameter(&url, "format", as_table || !strcmp(format, "json") ? "ndjson" : format);
    append_parameter(&url, "filter", flags->filter);
    append_parameter(&url, "order", flags->order);
    append_parameter(&url, "limit", flags->limit);
    if (!ask(buf_cstr(&url), &answer, &error))
        return fail(&error);
    if (!strcmp(format, "json"))
        return print_array(&answer);
    if (!as_table)
        return commands_print(&answer);
    const struct terminal_table wanted = { view_table_named(name), terminal_columns(),
                                           wants_colour() };
    if (!terminal_table_write(&wanted, buf_cstr(&answer), &out, &error))
        return fail(&error);
    return commands_print(&out);
}

/* --- health ----------------------------------------------------------------------------------- */

/* For containers, whose images have nothing else that asks. One that wants a login answers, too. */
static int check_health(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(buf_finish) struct buf url = { 0 };
    struct http_response response = { 0 };
    struct error error;
    (void)arguments;
    (void)count;
    if (!append_address(flags, &url, &error))
        return fail(&error);
    buf_text(&url, "/-/healthy");
    bool ok = get(buf_cstr(&url), HEALTH_TIMEOUT_MS, true, &response, &error);
    if (ok && response.status != 200 && response.status != 401)
        ok = error_set(&error, ERROR_REQUEST, "the exporter answers %d", response.status);
    http_response_finish(&response);
    if (!ok)
        return fail(&error);
    printf("it answers\n");
    return EXIT_FINE;
}

/* --- the report ------------------------------------------------------------------------------- */

static int print_report(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(buf_finish) struct buf url = { 0 };
    CLEANUP(buf_finish) struct buf answer = { 0 };
    struct error error;
    (void)arguments;
    (void)count;
    if (!append_address(flags, &url, &error))
        return fail(&error);
    buf_text(&url, "/api/v1/report");
    append_parameter(&url, "since", flags->since);
    append_parameter(&url, "by", flags->by);
    append_parameter(&url, "format", flags->format);
    return ask(buf_cstr(&url), &answer, &error) ? commands_print(&answer) : fail(&error);
}

/* --- the table -------------------------------------------------------------------------------- */

#define SHOW(name)                                                                                 \
    static int show_##name(const struct flags *flags, const char *const *arguments, size_t count)  \
    {                                                                                              \
        (void)arguments;                                                                           \
        (void)count;                                                                               \
        return show(flags, #name);                                                                 \
    }
SHOW(findings)
SHOW(recommendations)
SHOW(controls)
SHOW(resources)
SHOW(baselines)
SHOW(baseline_rules)
SHOW(compliance)
SHOW(subscriptions)
SHOW(collectors)

#define ITS_FLAGS "url format filter limit"

/* clang-format off */
const struct command commands_data[] = {
    { { "recommendations" }, "",
      "Show recommendations with open findings, worst first, as a running exporter knows them.", 0,
      0, show_recommendations, ITS_FLAGS },
    { { "findings" }, "", "Show open findings, as a running exporter knows them.", 0, 0,
      show_findings, ITS_FLAGS " order" },
    { { "controls" }, "", "Show controls of the secure score, as a running exporter knows them.",
      0, 0, show_controls, ITS_FLAGS },
    { { "resources" }, "", "Show resources with open findings, as a running exporter knows them.",
      0, 0, show_resources, ITS_FLAGS },
    { { "baselines", "rules" }, "", "Show rules of OS baselines that fail, and on how many "
      "machines.", 0, 0, show_baseline_rules, ITS_FLAGS },
    { { "baselines" }, "",
      "Show rules of OS baselines that fail on machines, with what is expected and found.", 0, 0,
      show_baselines, ITS_FLAGS },
    { { "compliance" }, "", "Show standards and failing controls, as a running exporter knows "
      "them.", 0, 0, show_compliance, ITS_FLAGS },
    { { "subscriptions" }, "", "Show subscriptions and whether a running exporter can read them.",
      0, 0, show_subscriptions, ITS_FLAGS },
    { { "collectors" }, "", "Show collectors of a running exporter and how their last run went.",
      0, 0, show_collectors, ITS_FLAGS },
    { { "check", "health" }, "", "Ask a running exporter whether it answers.", 0, 0, check_health,
      "url" },
    { { "report" }, "",
      "Say what happened since (7d), as a running exporter knows it: new, fixed, overdue, score.",
      0, 0, print_report, "url since by format" },
    { { NULL } }
};
/* clang-format on */
