#include "exporter/flags.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

enum { ARGUMENTS_MAX = 12 };

/* Parse a command line without the program's name. */
static bool parse(const char *const *words, struct flags *flags, struct error *error)
{
    char *argv[ARGUMENTS_MAX + 2] = { (char *)(uintptr_t) "defender_exporter" };
    int argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    return flags_parse(argc, argv, flags, error);
}

#define PARSE(flags, error, ...) parse((const char *const[]){ __VA_ARGS__, NULL }, flags, error)

static const char *text_of(const struct flags *flags, const char *path)
{
    const char *text = NULL;
    for (size_t i = 0; i < flags->setting_count; i++)
        if (!strcmp(flags->settings[i].path, path))
            text = flags->settings[i].text;
    return text;
}

TEST(values_stand_behind_a_sign_or_alone)
{
    CLEANUP(flags_finish) struct flags flags = { 0 };
    struct error error;
    CHECK(PARSE(&flags, &error, "--log.level=debug", "run", "--log.format", "json", "--once"));
    CHECK_TEXT(text_of(&flags, "log.level"), "debug");
    CHECK_TEXT(text_of(&flags, "log.format"), "json");
    CHECK(flags.once && !flags.help && !flags.version);
    CHECK_INT(flags.word_count, 1);
    CHECK_TEXT(flags.words[0], "run");
}

TEST(switches_can_be_denied)
{
    CLEANUP(flags_finish) struct flags flags = { 0 };
    struct error error;
    CHECK(PARSE(&flags, &error, "--no-collector.baselines", "--collector.assessments",
                "--web.enable-lifecycle"));
    CHECK_TEXT(text_of(&flags, "collectors.baselines.enabled"), "false");
    CHECK_TEXT(text_of(&flags, "collectors.assessments.enabled"), "true");
    CHECK_TEXT(text_of(&flags, "web.enable_lifecycle"), "true");
}

TEST(lists_grow_and_single_values_are_replaced)
{
    CLEANUP(flags_finish) struct flags flags = { 0 };
    struct error error;
    CHECK(PARSE(&flags, &error, "--web.listen-address=:1", "--web.listen-address=[::1]:2",
                "--log.level=info", "--log.level=warn"));
    CHECK_TEXT(text_of(&flags, "web.listen_address"), ":1,[::1]:2");
    CHECK_TEXT(text_of(&flags, "log.level"), "warn");
}

TEST(a_flag_goes_over_its_variable)
{
    setenv("DEFENDER_EXPORTER_WEB_LISTEN_ADDRESS", ":7", 1);
    setenv("DEFENDER_EXPORTER_LOG_LEVEL", "error", 1);
    setenv("DEFENDER_EXPORTER_CONFIG_FILE", "/x.yml", 1);
    setenv("DEFENDER_EXPORTER_PORT", "tcp://10.0.0.1:9887", 1); /* as Kubernetes sets it */
    CLEANUP(flags_finish) struct flags flags = { 0 };
    struct error error;
    CHECK(PARSE(&flags, &error, "--web.listen-address=:8"));
    CHECK_TEXT(text_of(&flags, "web.listen_address"), ":8");
    CHECK_TEXT(text_of(&flags, "log.level"), "error");
    CHECK_TEXT(flags.config_file, "/x.yml");
    for (size_t i = 0; i < flags.setting_count; i++)
        if (!strcmp(flags.settings[i].path, "log.level"))
            CHECK_TEXT(flags.settings[i].origin, "DEFENDER_EXPORTER_LOG_LEVEL");
    unsetenv("DEFENDER_EXPORTER_WEB_LISTEN_ADDRESS");
    unsetenv("DEFENDER_EXPORTER_LOG_LEVEL");
    unsetenv("DEFENDER_EXPORTER_CONFIG_FILE");
    unsetenv("DEFENDER_EXPORTER_PORT");
}

TEST(wrong_flags_are_named)
{
    static const struct {
        const char *argument, *want;
    } cases[] = {
        { "--zzz", "unknown flag --zzz" },
        { "--zzz=1", "unknown flag --zzz," },
        { "--no-log.level", "unknown flag --no-log.level" },
        { "-x", "unknown flag -x" },
        { "-", "unknown flag -" },
        { "--", "unknown flag --" },
        { "--once=yes", "--once takes no value" },
        { "--notify", "--notify belongs to run --once" },
        { "--log.level", "--log.level needs a value" },
        { "--azure.client-secret=x", "unknown flag --azure.client-secret" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(flags_finish) struct flags flags = { 0 };
        struct error error = { 0 };
        CHECK(!PARSE(&flags, &error, cases[i].argument));
        CHECK_INT(error.code, ERROR_CONFIG);
        CHECK_CONTAINS(error.message, cases[i].want);
    }
}

TEST(every_flag_sets_a_key_that_exists)
{
    CLEANUP(buf_finish) struct buf help = { 0 };
    flags_help(&help);
    CHECK_CONTAINS(buf_cstr(&help), "--web.listen-address=:9887");
    CHECK_CONTAINS(buf_cstr(&help), "--[no-]collector.assessments (on)");
    CHECK_CONTAINS(buf_cstr(&help), "[DEFENDER_EXPORTER_METRICS_OPT_IN_LIST]");
    CHECK(!strstr(buf_cstr(&help), "\n       [")); /* none without a help text */
}

TEST(commands_have_flags_of_their_own)
{
    CLEANUP(flags_finish) struct flags flags = { 0 };
    struct error error;
    CHECK(PARSE(&flags, &error, "silence", "add", "a=b", "--duration=4h", "c=~d", "--comment",
                "two words", "--since=7d", "--state", "dead"));
    CHECK_INT(flags.word_count, 4);
    CHECK_TEXT(flags.words[3], "c=~d");
    CHECK_TEXT(flags.duration, "4h");
    CHECK_TEXT(flags.comment, "two words");
    CHECK_TEXT(flags.since, "7d");
    CHECK_TEXT(flags.state, "dead");
    CHECK(!flags.author && !flags.receiver && !flags.config_file);
    CHECK(!PARSE(&flags, &error, "replay", "--since"));
    CHECK_CONTAINS(error.message, "--since needs a value");
}

TEST(every_key_of_these_sections_has_one_flag)
{
    static const char *const sections[] = { "web", "storage", "azure", "collector", "metrics",
                                            "log" };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf help = { 0 };
    const struct option *options = config_options(&arena);
    flags_help(&help);
    for (size_t i = 0; i < ARRAY_COUNT(sections); i++) {
        const struct option *key = config_option(options, sections[i])->section;
        for (; key->type != OPTION_END; key++) {
            char word[128];
            if (key->type >= OPTION_TYPE_TEXT_MAP)
                continue;
            snprintf(word, sizeof word, "%s.%s%s", sections[i], key->name,
                     key->type == OPTION_TYPE_SECRET ? "_file" : "");
            for (char *c = word; *c; c++)
                *c = *c == '_' ? '-' : *c;
            strcat(word, key->type == OPTION_TYPE_BOOL ? "" : "=");
            if (!strcmp(word, "web.config-file="))
                strcpy(word, "web.config.file="); /* as exporters call it */
            const char *first = strstr(buf_cstr(&help), word);
            CHECK_CONTAINS(buf_cstr(&help), word);
            CHECK(!first || !strstr(first + 1, word));
        }
    }
    CHECK(!strstr(buf_cstr(&help), "web.config-file"));
}
