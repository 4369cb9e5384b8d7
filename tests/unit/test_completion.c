/* What shells complete: each command and each flag, once. */
#include "exporter/completion.h"
#include "test.h"

#include "core/compiler.h"

static const struct command some[] = { { .words = { "check", "config" } },
                                       { .words = { "check", "rules" } },
                                       { .words = { "silence", "add" } },
                                       { .words = { "version" } },
                                       { .words = { 0 } } };
static const struct command more[] = { { .words = { "silence", "list" } },
                                       { .words = { "db" } },
                                       { .words = { 0 } } };
static const struct command *const tables[] = { some, more };

static size_t count_of(const struct buf *text, const char *part)
{
    size_t count = 0;
    for (const char *at = buf_cstr(text); (at = strstr(at, part)); at++)
        count++;
    return count;
}

TEST(shells_complete_each_command_and_each_flag_once)
{
    static const struct {
        const char *name, *pair;
    } shells[] = {
        { "bash", "silence) words='add list' ;;\n" },
        { "zsh", "silence) compadd -- add list ;;\n" },
        { "fish", "-n '__fish_seen_subcommand_from silence' -a 'add list'\n" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(shells); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        CLEANUP(arena_finish) struct arena arena = { 0 };
        size_t count;
        const struct flag_line *flags = flags_list(&arena, &count);
        CHECK(completion_write(shells[i].name, tables, ARRAY_COUNT(tables), &out));
        CHECK_INT(count_of(&out, "check silence version db"), 1);
        CHECK_INT(count_of(&out, shells[i].pair), 1);
        CHECK_INT(count_of(&out, "config rules"), 1);
        for (size_t j = 0; j < count; j++) {
            CLEANUP(buf_finish) struct buf flag = { 0 };
            buf_printf(&flag, i == 2 ? "-l '%s'" : "--%s", flags[j].name);
            CHECK_CONTAINS(buf_cstr(&out), buf_cstr(&flag));
            buf_reset(&flag);
            buf_printf(&flag, i == 2 ? "-l 'no-%s'" : "--no-%s", flags[j].name);
            CHECK_INT(count_of(&out, buf_cstr(&flag)) > 0, flags[j].negatable);
        }
    }
    CLEANUP(buf_finish) struct buf out = { 0 };
    CHECK(!completion_write("csh", tables, ARRAY_COUNT(tables), &out));
    CHECK_INT(out.length, 0);
}
