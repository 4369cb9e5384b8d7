#include "exporter/init.h"

#include <stdlib.h>
#include <string.h>

#include "collectors/subscriptions.h"
#include "core/json.h"

enum { WIDTH = 96, NAMED_MAX = 20 };

/* --- words ---------------------------------------------------------------------------------- */

/* Comment lines, broken before WIDTH; indent: blanks before each. */
static void say(struct buf *out, int indent, const char *words)
{
    size_t start = out->length;
    buf_printf(out, "%*s#", indent, "");
    for (size_t length; *words; words += length + (words[length] != '\0')) {
        length = strcspn(words, " \n");
        if (out->length - start + 1 + length > WIDTH) {
            start = out->length + 1;
            buf_printf(out, "\n%*s#", indent, "");
        }
        buf_char(out, ' ');
        buf_append(out, words, length);
    }
    buf_char(out, '\n');
}

static void quote(struct buf *out, const char *text)
{
    options_document_text(NULL, text, out);
}

/* A name that somebody gave, which must not end the comment it stands in. source: YAML 1.1, line
 * breaks. */
static void put_name_of(struct buf *out, const char *name)
{
    static const char *const breaks[] = { "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9" };
    while (*name) {
        size_t length = (unsigned char)*name < ' ' || *name == 0x7f;
        for (size_t i = 0; i < ARRAY_COUNT(breaks); i++)
            if (!strncmp(name, breaks[i], strlen(breaks[i])))
                length = strlen(breaks[i]);
        buf_char(out, length ? ' ' : *name);
        name += length ? length : 1;
    }
}

/* --- keys that were given ------------------------------------------------------------------- */

static bool is_below(const char *path, const char *section)
{
    size_t length = strlen(section);
    return !strncmp(path, section, length) && path[length] == '.';
}

static const char *value_of(const struct init_found *found, const char *path)
{
    for (size_t i = 0; i < found->setting_count; i++)
        if (!strcmp(found->settings[i].path, path))
            return found->settings[i].text;
    return NULL;
}

/* Whether a later one sets the same. */
static bool is_replaced(const struct init_found *found, size_t place)
{
    for (size_t i = place + 1; i < found->setting_count; i++)
        if (!strcmp(found->settings[i].path, found->settings[place].path))
            return true;
    return false;
}

/* The keys of a section, "key: value" or "block: { key: value }". How many. */
static size_t put_keys(const struct init_found *found, const char *section, struct buf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < found->setting_count; i++) {
        const struct config_setting *one = &found->settings[i];
        if (!is_below(one->path, section) || is_replaced(found, i))
            continue;
        const char *key = one->path + strlen(section) + 1, *dot = strchr(key, '.');
        buf_printf(out, "  %.*s: %s%s%s", (int)(dot ? dot - key : (ptrdiff_t)strlen(key)), key,
                   dot ? "{ " : "", dot ? dot + 1 : "", dot ? ": " : "");
        options_document_text(config_option(found->config->options, one->path), one->text, out);
        buf_text(out, dot ? " }\n" : "\n");
        count++;
    }
    return count;
}

static void put_section(const struct init_found *found, const char *section, struct buf *out)
{
    CLEANUP(buf_finish) struct buf keys = { 0 };
    if (put_keys(found, section, &keys))
        buf_printf(out, "\n%s:\n%s", section, buf_cstr(&keys));
}

/* --- signing in ------------------------------------------------------------------------------ */

/* Secrets that come from a variable, which has to be there whenever the program starts. */
static void say_variables(const struct init_found *found, struct buf *out)
{
    static const struct {
        const char *key, *variable;
    } secrets[] = {
        { "client_secret_file", "AZURE_CLIENT_SECRET" },
        { "client_certificate_password_file", "AZURE_CLIENT_CERTIFICATE_PASSWORD" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(secrets); i++) {
        CLEANUP(buf_finish) struct buf path = { 0 };
        CLEANUP(buf_finish) struct buf text = { 0 };
        const char *value = getenv(secrets[i].variable);
        buf_printf(&path, "azure.%s", secrets[i].key);
        if (!value || !*value || value_of(found, buf_cstr(&path)))
            continue;
        buf_printf(&text,
                   "%s holds the secret and has to be set wherever this runs; better is a file, "
                   "which a rotation may replace:",
                   secrets[i].variable);
        say(out, 2, buf_cstr(&text));
        buf_printf(out, "  # %s: /etc/defender_exporter/secrets/NAME\n", secrets[i].key);
    }
}

static void put_azure(const struct init_found *found, struct buf *out)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    CLEANUP(buf_finish) struct buf keys = { 0 };
    if (found->signed_in)
        buf_printf(&text, "Signed in by: %s.", found->signed_in);
    else
        buf_printf(&text,
                   "Nobody could sign in: %s. One of these is needed: a tenant_id and client_id "
                   "with a secret or certificate of the application, a managed identity (in "
                   "Azure, on Azure Arc, in Kubernetes), or `az login`.",
                   found->why);
    say(out, 0, buf_cstr(&text));
    if (put_keys(found, "azure", &keys))
        buf_printf(out, "azure:\n%s", buf_cstr(&keys));
    say_variables(found, out);
    if (found->signed_in)
        return;
    buf_text(out, "# azure:\n"
                  "#   tenant_id: 00000000-0000-0000-0000-000000000000 # az account show\n"
                  "#   client_id: 00000000-0000-0000-0000-000000000000 # of the application\n"
                  "#   client_secret_file: /etc/defender_exporter/secrets/client_secret\n"
                  "#   cloud: AzureCloud # or another, see `defender_exporter config`\n");
}

/* --- what is seen ---------------------------------------------------------------------------- */

static void put_subscriptions(const struct init_found *found, struct buf *out)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    size_t count, visible = 0, denied = 0;
    const struct subscription *known = subscriptions_known(found->snapshot, "", &count);
    for (size_t i = 0; i < count; i++) {
        visible += known[i].state == SUBSCRIPTION_VISIBLE;
        denied += known[i].state == SUBSCRIPTION_DENIED;
    }
    buf_char(out, '\n');
    if (!count) {
        say(out, 0,
            "No subscription was seen. The identity needs a role, Security Reader for most, "
            "on a management group or on subscriptions; `defender_exporter check "
            "permissions` says what is missing, with --role it prints one that is enough.");
    } else {
        buf_printf(&text, "Subscriptions that can be read: %zu, that are denied: %zu.", visible,
                   denied);
        say(out, 0, buf_cstr(&text));
    }
    for (size_t i = 0; i < count && i < NAMED_MAX; i++) {
        buf_printf(out, "#   %s ", known[i].id);
        put_name_of(out, known[i].name);
        buf_text(out, known[i].state == SUBSCRIPTION_VISIBLE ? "\n" : " (not readable)\n");
    }
    if (count > NAMED_MAX)
        buf_printf(out, "#   and %zu more\n", count - NAMED_MAX);
    say(out, 0, "All are looked at. To narrow that, by id, name, tag or management group:");
    buf_text(out, "# subscriptions:\n#   include_management_groups: [mg-production]\n"
                  "#   exclude_names: [\"*-sandbox\"]\n");
}

/* What each collector that is on may read, and how to switch off what it may not. */
static void put_collectors(const struct init_found *found, struct buf *out)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf off = { 0 };
    struct error error;
    buf_char(out, '\n');
    say(out, 0, "What each collector that is on may read (`defender_exporter check permissions`):");
    for (const char *at = found->rows; *at; at += strcspn(at, "\n") + 1) {
        const struct json *row = json_parse_in(&arena, at, strcspn(at, "\n"), &error);
        const char *name = json_text(json_get(row, "collector"));
        const char *result = json_text(json_get(row, "result"));
        const char *missing = json_text(json_get(row, "missing"));
        if (!name || !result || !missing)
            continue;
        buf_printf(out, "#   %s: %s%s%s\n", name, result, *missing ? ", missing: " : "", missing);
        if (*missing)
            buf_printf(&off, "#   %s: { enabled: false }\n", name);
    }
    if (off.length)
        buf_printf(out, "# To do without what is refused:\n# collectors:\n%s", buf_cstr(&off));
    put_section(found, "collectors", out);
}

/* --- receivers ------------------------------------------------------------------------------- */

const struct init_kind init_kinds[] = {
    { "slack", "the file with the URL of an incoming webhook", "url_file" },
    { "teams", "the file with the URL of a workflow", "url_file" },
    { "pagerduty", "the file with the key of an integration", "routing_key_file" },
    { "webhook", "the file with its URL", "url_file" },
    { "email", "RELAY:PORT,FROM,TO", NULL },
    { "alertmanager", "its URLs, with commas between", NULL },
    { NULL, NULL, NULL },
};

bool init_receiver(const char *text, struct init_receiver *receiver, struct error *error)
{
    size_t length = strcspn(text, "=");
    for (const struct init_kind *kind = init_kinds; kind->name; kind++) {
        if (strlen(kind->name) != length || strncmp(kind->name, text, length) != 0)
            continue;
        *receiver = (struct init_receiver){ kind, text + length + (text[length] == '=') };
        const char *comma = strchr(receiver->value, ',');
        bool mail = !strcmp(kind->name, "email");
        return (*receiver->value && (!mail || (comma && strchr(comma + 1, ',')))) ||
               error_set(error, ERROR_CONFIG, "%s=...: %s", kind->name, kind->what);
    }
    return error_set(error, ERROR_CONFIG,
                     "%.*s: a receiver is slack, teams, pagerduty, webhook, email or alertmanager",
                     (int)length, text);
}

/* "a,b" as "a", "b". */
static void put_list(const char *texts, struct buf *out)
{
    CLEANUP(buf_finish) struct buf one = { 0 };
    buf_char(out, '[');
    for (size_t length; *texts; texts += length + (texts[length] == ',')) {
        length = strcspn(texts, ",");
        buf_reset(&one);
        buf_append(&one, texts, length);
        quote(out, buf_cstr(&one));
        buf_text(out, texts[length] ? ", " : "");
    }
    buf_text(out, "]\n");
}

static void put_receiver(const struct init_receiver *receiver, size_t number, struct buf *out)
{
    const struct init_kind *kind = receiver->kind;
    const char *value = receiver->value;
    buf_printf(out, "    - name: %s", kind->name);
    if (number)
        buf_printf(out, "-%zu", number + 1);
    buf_printf(out, "\n      %s:\n", kind->name);
    if (kind->key) {
        buf_printf(out, "        %s: ", kind->key);
        quote(out, value);
        buf_char(out, '\n');
    } else if (!strcmp(kind->name, "alertmanager")) {
        buf_text(out, "        urls: ");
        put_list(value, out);
        buf_text(out, "        http: { allow_private: true } # it may have a private address\n");
    } else {
        const char *from = strchr(value, ',') + 1, *to = strchr(from, ',') + 1;
        buf_printf(out, "        smarthost: \"%.*s\"\n        from: \"%.*s\"\n        to: ",
                   (int)(from - 1 - value), value, (int)(to - 1 - from), from);
        put_list(to, out);
        buf_text(out, "        # user: defender@example.com\n"
                      "        # password_file: /etc/defender_exporter/secrets/email_password\n");
    }
}

/* How many of the same kind stand before it. */
static size_t number_of(const struct init_found *found, size_t place)
{
    size_t number = 0;
    for (size_t i = 0; i < place; i++)
        number += found->receivers[i].kind == found->receivers[place].kind;
    return number;
}

static void put_name(const struct init_found *found, size_t place, struct buf *out)
{
    size_t number = number_of(found, place);
    buf_text(out, found->receivers[place].kind->name);
    if (number)
        buf_printf(out, "-%zu", number + 1);
}

static void put_route(const struct init_found *found, struct buf *out)
{
    buf_text(out, "  route:\n    receiver: ");
    put_name(found, 0, out);
    buf_text(out, "\n    group_by: [alertname, assessment_id, subscription_id]\n");
    if (found->receiver_count > 1)
        buf_text(out, "    routes: # each is told of everything\n");
    for (size_t i = 0; found->receiver_count > 1 && i < found->receiver_count; i++) {
        buf_text(out, "      - { receiver: ");
        put_name(found, i, out);
        buf_text(out, ", continue: true }\n");
    }
}

static void put_alerts(const struct init_found *found, struct buf *out)
{
    buf_char(out, '\n');
    if (!found->receiver_count) {
        say(out, 0,
            "Nobody is notified until a receiver is named; findings are remembered all the "
            "same. For example:");
        buf_text(out, "# alerts:\n#   rules: [rules/*.yml]\n#   receivers:\n#     - name: slack\n"
                      "#       slack:\n"
                      "#         url_file: /etc/defender_exporter/secrets/slack_url\n");
        return;
    }
    say(out, 0,
        "Whom to tell of what. `defender_exporter test receiver NAME` sends a message that "
        "is marked [TEST].");
    buf_text(out, "alerts:\n  rules: [rules/*.yml]\n  receivers:\n");
    for (size_t i = 0; i < found->receiver_count; i++)
        put_receiver(&found->receivers[i], number_of(found, i), out);
    put_route(found, out);
}

const char init_rules[] =
    "# Rules to begin with. `defender_exporter rules` prints every key, event, label and field.\n"
    "groups:\n"
    "  - name: findings\n"
    "    rules:\n"
    "      - alert: CriticalFinding\n"
    "        event: [finding.opened, finding.reopened, finding.risk_changed]\n"
    "        match: ['risk_level=\"critical\"']\n"
    "      - alert: FindingOverdue\n"
    "        event: finding.overdue\n"
    "        match: ['risk_level=~\"critical|high\"']\n";

/* --- all of it ------------------------------------------------------------------------------- */

void init_write(const struct init_found *found, struct buf *out)
{
    static const char *const others[] = { "collector", "metrics", "web", "log", "storage", "otlp" };
    say(out, 0,
        "Configuration of defender_exporter, written by `defender_exporter init` from what "
        "it found. `defender_exporter config` prints every key with its default, "
        "`defender_exporter check config` names every mistake.");
    buf_char(out, '\n');
    put_azure(found, out);
    put_subscriptions(found, out);
    put_collectors(found, out);
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        put_section(found, others[i], out);
    put_alerts(found, out);
}

bool init_names_secrets(const struct init_found *found)
{
    bool names = false;
    for (size_t i = 0; i < found->setting_count; i++) {
        size_t length = strlen(found->settings[i].path);
        names = names || (length > 5 && !strcmp(found->settings[i].path + length - 5, "_file"));
    }
    for (size_t i = 0; i < found->receiver_count; i++)
        names = names || found->receivers[i].kind->key;
    return names;
}
