#include "alerts/notify/silence_limits.h"

#include <ctype.h>
#include <string.h>

#include "core/clock.h"

enum { WORD_BYTES = 256 };

struct silence_limits {
    int64_t max_duration_s; /* 0 = any */
    struct silence_never never;
};

/* clang-format off */
#define CONFIG struct silence_limits_config
const struct option silence_limits_options[] = {
    { "max_duration", OPTION_DURATION(CONFIG, max_duration_ms), .otherwise = "0s",
      OPTION_LINE(CONFIG, line.max_duration), .max = 36500.0 * 86400e3,
      .help = "How long a silence may last at most; 0s means for ever." },
    { "never", OPTION_TEXT_LIST(CONFIG, never), OPTION_LINE(CONFIG, line.never),
      .help = "Alerts that no silence may cover, such as 'risk_level=\"critical\"'; each text "
              "stands for itself, its matchers hold together." },
    { 0 }
};
#undef CONFIG
/* clang-format on */

const struct silence_limits *silence_limits_compile(const struct silence_limits_config *config,
                                                    const char *const *labels, const char *file,
                                                    struct arena *arena,
                                                    struct option_report *report)
{
    struct error error;
    size_t reasons = report->count;
    struct silence_limits *limits = arena_zalloc(arena, sizeof *limits);
    limits->max_duration_s = config->max_duration_ms / 1000;
    limits->never.count = config->never.count;
    limits->never.lists =
        arena_zalloc(arena, (config->never.count + 1) * sizeof *limits->never.lists);
    for (size_t i = 0; i < config->never.count; i++) {
        struct match_list *list = &limits->never.lists[i];
        if (!match_parse(config->never.texts[i], list, arena, &error) ||
            !match_all_known(list, labels, &error))
            options_complain(report, file, config->line.never, "alerts.silences.never", "%s",
                             error.message);
        else if (!list->count)
            options_complain(report, file, config->line.never, "alerts.silences.never",
                             "needs a matcher");
    }
    if (report->count == reasons)
        return limits;
    silence_limits_finish(limits);
    return NULL;
}

void silence_limits_finish(const struct silence_limits *limits)
{
    for (size_t i = 0; limits && i < limits->never.count; i++)
        match_finish(&limits->never.lists[i]);
}

const struct silence_never *silence_limits_never(const struct silence_limits *limits)
{
    return limits && limits->never.count ? &limits->never : NULL;
}

int64_t silence_limits_longest_s(const struct silence_limits *limits)
{
    return limits ? limits->max_duration_s : 0;
}

/* --- could both match one alert? -------------------------------------------------------------- */

/* Both sides' matchers of one label. */
struct sides {
    const struct match_list *lists[2];
    const char *name;
};

/* Whether all that is said of the label could be true of this value. */
static bool admits(const struct sides *sides, const char *value)
{
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < sides->lists[side]->count; i++) {
            const struct match *match = &sides->lists[side]->matches[i];
            if (!strcmp(match->name, sides->name) && match_value(match, value, NULL) == MATCH_NO)
                return false;
        }
    return true;
}

/* Whether an expression is nothing but words: "low|medium". */
static bool is_words(const struct match *match)
{
    if (match->operator!= MATCH_REGEX)
        return false;
    for (const char *at = match->value; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("|_- ", *at))
            return false;
    return true;
}

static bool admits_a_word(const struct sides *sides, const char *words)
{
    for (;; words++) {
        char word[WORD_BYTES];
        size_t length = strcspn(words, "|");
        if (length >= sizeof word)
            return true;
        memcpy(word, words, length);
        word[length] = 0;
        if (admits(sides, word))
            return true;
        words += length;
        if (!*words)
            return false;
    }
}

/* Whether some value could be all that is said of the label. Known values are tried; of other
 * expressions nobody can say that no value is like that. */
static bool is_possible(const struct sides *sides)
{
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < sides->lists[side]->count; i++) {
            const struct match *match = &sides->lists[side]->matches[i];
            if (strcmp(match->name, sides->name) != 0)
                continue;
            if (match->operator== MATCH_EQUAL)
                return admits(sides, match->value);
            if (is_words(match) && !admits_a_word(sides, match->value))
                return false;
        }
    return true;
}

static bool overlap(const struct match_list *silence, const struct match_list *never)
{
    for (size_t i = 0; i < silence->count; i++) {
        const struct sides sides = { { silence, never }, silence->matches[i].name };
        if (!is_possible(&sides))
            return false;
    }
    return true;
}

/* --- asking ----------------------------------------------------------------------------------- */

static const enum match_operator opposite[] = {
    [MATCH_EQUAL] = MATCH_NOT_EQUAL,
    [MATCH_NOT_EQUAL] = MATCH_EQUAL,
    [MATCH_REGEX] = MATCH_NOT_REGEX,
    [MATCH_NOT_REGEX] = MATCH_REGEX,
};

static bool refuse(const struct match_list *never, struct error *error)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    CLEANUP(buf_finish) struct buf hint = { 0 };
    struct match narrower = never->matches[0];
    narrower.operator= opposite[narrower.operator];
    match_print(&narrower, &hint);
    for (size_t i = 0; i < never->count; i++) {
        buf_text(&text, i ? "," : "");
        match_print(&never->matches[i], &text);
    }
    return error_set(error, ERROR_REQUEST,
                     "the silence could cover alerts that are never silenced: {%s} of "
                     "alerts.silences.never; narrow it, for example with %s",
                     buf_cstr(&text), buf_cstr(&hint));
}

bool silence_limits_allow(const struct silence_limits *limits, const struct silence *silence,
                          int64_t now, struct error *error)
{
    if (!limits)
        return true;
    /* One that is changed began when it did. */
    int64_t begins = *silence->id || silence->starts_at > now ? silence->starts_at : now;
    if (limits->max_duration_s && silence->ends_at - begins > limits->max_duration_s) {
        char most[48];
        clock_format_duration(limits->max_duration_s * 1000, most);
        return error_set(error, ERROR_REQUEST,
                         "a silence may last %s at most: alerts.silences.max_duration", most);
    }
    for (size_t i = 0; i < limits->never.count; i++)
        if (overlap(&silence->matchers, &limits->never.lists[i]))
            return refuse(&limits->never.lists[i], error);
    return true;
}
