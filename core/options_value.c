#include "core/options_value.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"

/* --- ranges -------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
    const char *name;
    int64_t bytes;
} size_units[] = {
    { "TiB", 1LL << 40 },
    { "TB", 1000000000000 },
    { "GiB", 1 << 30 },
    { "GB", 1000000000 },
    { "MiB", 1 << 20 },
    { "MB", 1000000 },
    { "KiB", 1 << 10 },
    { "KB", 1000 },
    { "B", 1 },
};
/* clang-format on */

static void append_size(struct buf *out, int64_t bytes)
{
    size_t unit = 0;
    while (bytes % size_units[unit].bytes || bytes < size_units[unit].bytes) {
        if (++unit == ARRAY_COUNT(size_units) - 1)
            break;
    }
    buf_integer(out, bytes / size_units[unit].bytes);
    buf_text(out, size_units[unit].name);
}

static void append_bound(const struct option *option, double bound, struct buf *out)
{
    char duration[48];
    if (option->type == OPTION_TYPE_DURATION)
        buf_text(out, clock_format_duration((int64_t)bound, duration));
    else if (option->type == OPTION_TYPE_SIZE)
        append_size(out, (int64_t)bound);
    else
        buf_number(out, bound);
}

bool options_value_range(const struct option *option, struct buf *out)
{
    if (option->min == 0 && option->max == 0)
        return false;
    buf_text(out, option->max < option->min ? "at least " : "between ");
    append_bound(option, option->min, out);
    if (option->max < option->min)
        return true;
    buf_text(out, " and ");
    append_bound(option, option->max, out);
    return true;
}

static bool check_range(const struct option *option, double value, struct error *error)
{
    CLEANUP(buf_finish) struct buf range = { 0 };
    if (!options_value_range(option, &range))
        return true;
    if (value >= option->min && (value <= option->max || option->max < option->min))
        return true;
    return error_set(error, ERROR_CONFIG, "must be %s", buf_cstr(&range));
}

/* --- one setter a type --------------------------------------------------------------------- */

struct setting {
    const struct option *option;
    const char *folder;
    void *value;
    struct arena *arena;
    struct error *error;
};

static bool refuse(const struct setting *setting, const char *text, const char *wanted)
{
    return error_set(setting->error, ERROR_CONFIG, "\"%.60s\" is not %s", text, wanted);
}

static bool set_text(const struct setting *setting, const char *text)
{
    *(const char **)setting->value = arena_text(setting->arena, text);
    return true;
}

static bool set_bool(const struct setting *setting, const char *text)
{
    bool yes = !strcmp(text, "true");
    if (!yes && strcmp(text, "false") != 0)
        return refuse(setting, text, "true or false");
    *(bool *)setting->value = yes;
    return true;
}

static bool parse_integer(const char *text, const char **end, int64_t *value)
{
    size_t sign = *text == '-' || *text == '+';
    if (text[sign] < '0' || text[sign] > '9')
        return false;
    char *after;
    errno = 0;
    *value = strtoll(text, &after, 10);
    *end = after;
    return !errno;
}

static bool set_integer(const struct setting *setting, const char *text)
{
    const char *end;
    int64_t value;
    if (!parse_integer(text, &end, &value) || *end)
        return refuse(setting, text, "an integer");
    if (!check_range(setting->option, (double)value, setting->error))
        return false;
    *(int64_t *)setting->value = value;
    return true;
}

static bool set_number(const struct setting *setting, const char *text)
{
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    if (!*text || strspn(text, "+-.0123456789eE") != strlen(text) || *end || errno)
        return refuse(setting, text, "a number");
    if (!check_range(setting->option, value, setting->error))
        return false;
    *(double *)setting->value = value;
    return true;
}

static bool set_duration(const struct setting *setting, const char *text)
{
    int64_t value;
    if (!clock_parse_duration(text, &value, setting->error) ||
        !check_range(setting->option, (double)value, setting->error))
        return false;
    *(int64_t *)setting->value = value;
    return true;
}

static bool set_size(const struct setting *setting, const char *text)
{
    const char *unit = "";
    int64_t value = 0;
    bool ok = parse_integer(text, &unit, &value) && value >= 0;
    size_t at = *unit ? 0 : ARRAY_COUNT(size_units) - 1;
    while (ok && *unit && at < ARRAY_COUNT(size_units) && strcmp(unit, size_units[at].name) != 0)
        at++;
    if (!ok || at == ARRAY_COUNT(size_units) ||
        __builtin_mul_overflow(value, size_units[at].bytes, &value))
        return refuse(setting, text, "a size like 512MB or 1GiB");
    if (!check_range(setting->option, (double)value, setting->error))
        return false;
    *(int64_t *)setting->value = value;
    return true;
}

bool options_value_word(const struct option *option, const char *text, int *index,
                        struct error *error)
{
    CLEANUP(buf_finish) struct buf words = { 0 };
    for (int i = 0; option->words && option->words[i]; i++) {
        if (!strcmp(option->words[i], text)) {
            *index = i;
            return true;
        }
        buf_text(&words, i ? ", " : "");
        buf_text(&words, option->words[i]);
    }
    return !option->words ||
           error_set(error, ERROR_CONFIG, "\"%.60s\" is not one of %s", text, buf_cstr(&words));
}

static bool set_word(const struct setting *setting, const char *text)
{
    return options_value_word(setting->option, text, setting->value, setting->error);
}

/* The bytes of host[:port] at text; 0 when there is none or a part of it is wrong. */
static size_t authority_length(const char *text)
{
    size_t length = strcspn(text, "/?#"), host = strcspn(text, ":/?#");
    if (*text == '[') {
        host = strspn(text + 1, "0123456789abcdefABCDEF:.") + 2;
        if (host > length || host < 4 || text[host - 1] != ']')
            return 0;
    }
    if (!host || memchr(text, '@', length))
        return 0;
    if (host == length)
        return length;
    size_t digits = strspn(text + host + 1, "0123456789");
    long port = digits && digits < 6 ? strtol(text + host + 1, NULL, 10) : 0;
    bool ok = text[host] == ':' && host + 1 + digits == length && port > 0 && port < 65536;
    return ok ? length : 0;
}

static bool set_url(const struct setting *setting, const char *text)
{
    size_t scheme = !strncasecmp(text, "https://", 8)  ? 8
                    : !strncasecmp(text, "http://", 7) ? 7
                                                       : 0;
    if (!scheme || !authority_length(text + scheme))
        return error_set(setting->error, ERROR_CONFIG,
                         "not a URL like https://host:port/path, without user or password");
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at <= ' ' || *at >= 0x7f)
            return error_set(setting->error, ERROR_CONFIG,
                             "a URL holds no spaces and no characters beyond ASCII");
    }
    size_t length = strlen(text);
    while (!strpbrk(text, "?#") && text[length - 1] == '/')
        length--;
    *(const char **)setting->value = arena_copy(setting->arena, text, length);
    return true;
}

static bool set_secret(const struct setting *setting, const char *text)
{
    struct secret *secret = setting->value;
    secret_set(secret, text);
    return *secret_text(secret) || error_set(setting->error, ERROR_CONFIG, "is empty");
}

const char *options_value_path(const char *text, const char *folder, struct arena *arena)
{
    if (!*text || *text == '/' || !*folder)
        return arena_text(arena, text);
    CLEANUP(buf_finish) struct buf path = { 0 };
    buf_text(&path, folder);
    buf_text(&path, text);
    return arena_text(arena, buf_cstr(&path));
}

static bool set_path(const struct setting *setting, const char *text)
{
    *(const char **)setting->value = options_value_path(text, setting->folder, setting->arena);
    return true;
}

static bool set_list(const struct setting *setting, const char *text)
{
    size_t count = *text != '\0';
    for (const char *at = text; *at; at++)
        count += *at == ',';
    const char **texts = arena_alloc(setting->arena, (count + !count) * sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        size_t length = strcspn(text, ",");
        int index;
        texts[i] = arena_copy(setting->arena, text, length);
        if (!options_value_word(setting->option, texts[i], &index, setting->error))
            return false;
        text += length + (text[length] == ',');
    }
    *(struct option_texts *)setting->value = (struct option_texts){ texts, count, NULL };
    return true;
}

bool options_value_set(const struct option *option, const char *text, const char *folder,
                       void *value, struct arena *arena, struct error *error)
{
    /* clang-format off */
    static bool (*const setters[])(const struct setting *, const char *) = {
        [OPTION_TYPE_TEXT]        = set_text,
        [OPTION_TYPE_BOOL]        = set_bool,
        [OPTION_TYPE_INTEGER]     = set_integer,
        [OPTION_TYPE_NUMBER]      = set_number,
        [OPTION_TYPE_DURATION]    = set_duration,
        [OPTION_TYPE_SIZE]        = set_size,
        [OPTION_TYPE_WORD]        = set_word,
        [OPTION_TYPE_URL]         = set_url,
        [OPTION_TYPE_SECRET]      = set_secret,
        [OPTION_TYPE_PATH]        = set_path,
        [OPTION_TYPE_TEXT_LIST]   = set_list,
    };
    /* clang-format on */
    struct setting setting = { option, folder, value, arena, error };
    assert(option->type < ARRAY_COUNT(setters) && setters[option->type]);
    return setters[option->type](&setting, text);
}
