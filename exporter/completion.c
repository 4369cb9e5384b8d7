#include "exporter/completion.h"

#include <string.h>

/* All that can be written on a command line. */
struct line {
    const struct command *const *tables;
    size_t table_count;
    const struct flag_line *flags;
    size_t flag_count;
};

/* --- pieces ----------------------------------------------------------------------------------- */

static void append_words(struct buf *out, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        buf_printf(out, "%s%s", i ? " " : "", words[i]);
}

/* Whether an earlier command begins with the same word. */
static bool is_repeated(const struct line *line, const struct command *command)
{
    for (size_t i = 0; i < line->table_count; i++)
        for (const struct command *one = line->tables[i]; one->words[0]; one++) {
            if (one == command)
                return false;
            if (!strcmp(one->words[0], command->words[0]))
                return true;
        }
    return false;
}

/* The first words of commands, or the second words that follow one. */
static void append_commands(struct buf *out, const struct line *line, const char *first)
{
    const char *between = "";
    for (size_t i = 0; i < line->table_count; i++)
        for (const struct command *one = line->tables[i]; one->words[0]; one++) {
            const char *word = one->words[first != NULL];
            if (first ? !word || strcmp(one->words[0], first) != 0 : is_repeated(line, one))
                continue;
            buf_printf(out, "%s%s", between, word);
            between = " ";
        }
}

/* Calls append for each first word that has second ones. */
static void each_pair(struct buf *out, const struct line *line,
                      void (*append)(struct buf *out, const char *first, const char *seconds))
{
    for (size_t i = 0; i < line->table_count; i++)
        for (const struct command *one = line->tables[i]; one->words[0]; one++) {
            CLEANUP(buf_finish) struct buf seconds = { 0 };
            if (!one->words[1] || is_repeated(line, one))
                continue;
            append_commands(&seconds, line, one->words[0]);
            append(out, one->words[0], buf_cstr(&seconds));
        }
}

/* Without what ends a quotation, or is a sign in a specification of zsh. */
static void append_plain(struct buf *out, const char *text)
{
    for (; *text; text++)
        if (!strchr("'\\[]:`$\n", *text))
            buf_char(out, *text);
}

/* --- bash ------------------------------------------------------------------------------------- */

static void append_bash_pair(struct buf *out, const char *first, const char *seconds)
{
    buf_printf(out, "        %s) words='%s' ;;\n", first, seconds);
}

static void append_bash(struct buf *out, const struct line *line)
{
    buf_text(out, "# bash completion for defender_exporter\n_defender_exporter()\n{\n"
                  "    local current=${COMP_WORDS[COMP_CWORD]} flag= word words= named=() i\n"
                  "    [ \"$current\" != = ] || current=\n"
                  "    for ((i = COMP_CWORD - 1; i > 0; i--)); do\n"
                  "        word=${COMP_WORDS[i]}\n"
                  "        [ \"$word\" = = ] && continue\n"
                  "        [[ $word != --* ]] || flag=$word\n"
                  "        break\n    done\n    case $flag in\n");
    for (size_t i = 0; i < line->flag_count; i++) {
        const struct flag_line *flag = &line->flags[i];
        if (flag->on_off || (!flag->words && !flag->file))
            continue;
        buf_printf(out, "        --%s) ", flag->name);
        if (flag->words) {
            buf_text(out, "words='");
            append_words(out, flag->words);
            buf_text(out, "' ;;\n");
        } else
            buf_text(out, "COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n");
    }
    buf_text(out, "    esac\n    if [ -n \"$words\" ]; then\n"
                  "        COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                  "        return\n    fi\n"
                  "    if [[ $current == -* ]]; then\n        words='");
    for (size_t i = 0; i < line->flag_count; i++)
        buf_printf(out, "%s--%s", i ? " " : "", line->flags[i].name);
    for (size_t i = 0; i < line->flag_count; i++)
        if (line->flags[i].negatable)
            buf_printf(out, " --no-%s", line->flags[i].name);
    buf_text(out, "'\n        COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                  "        return\n    fi\n"
                  "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                  "        case ${COMP_WORDS[i]} in\n            -h|--no-*");
    for (size_t i = 0; i < line->flag_count; i++)
        if (line->flags[i].on_off)
            buf_printf(out, "|--%s", line->flags[i].name);
    buf_text(out,
             ") ;;\n"
             "            --*) i=$((i + 1)); [ \"${COMP_WORDS[i]}\" != = ] || i=$((i + 1)) ;;\n"
             "            *) named+=(\"${COMP_WORDS[i]}\") ;;\n"
             "        esac\n    done\n    case ${named[0]-} in\n        '') words='");
    append_commands(out, line, NULL);
    buf_text(out, "' ;;\n");
    each_pair(out, line, append_bash_pair);
    buf_text(out, "    esac\n"
                  "    if [ ${#named[@]} -lt 2 ] && [ -n \"$words\" ]; then\n"
                  "        COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                  "    else\n        COMPREPLY=($(compgen -f -- \"$current\"))\n    fi\n}\n"
                  "complete -F _defender_exporter defender_exporter\n");
}

/* --- zsh -------------------------------------------------------------------------------------- */

static void append_zsh_pair(struct buf *out, const char *first, const char *seconds)
{
    buf_printf(out, "    %s) compadd -- %s ;;\n", first, seconds);
}

static void append_zsh_flag(struct buf *out, const struct flag_line *flag, const char *prefix)
{
    buf_printf(out, "    '%s--%s%s%s[", *prefix ? "" : "*", prefix, flag->name,
               flag->on_off ? "" : "=");
    append_plain(out, flag->help);
    buf_char(out, ']');
    if (flag->words) {
        buf_text(out, ":value:(");
        append_words(out, flag->words);
        buf_char(out, ')');
    } else if (!flag->on_off)
        buf_text(out, flag->file ? ":file:_files" : ":value: ");
    buf_text(out, "' \\\n");
}

static void append_zsh(struct buf *out, const struct line *line)
{
    buf_text(out, "#compdef defender_exporter\nlocal curcontext=$curcontext state line\n"
                  "_arguments -C \\\n");
    for (size_t i = 0; i < line->flag_count; i++) {
        append_zsh_flag(out, &line->flags[i], "");
        if (line->flags[i].negatable)
            append_zsh_flag(out, &line->flags[i], "no-");
    }
    buf_text(out, "    '1:command:(");
    append_commands(out, line, NULL);
    buf_text(out, ")' \\\n    '2: :->second' \\\n    '*:file:_files' && return\n"
                  "case $state in second) case $line[1] in\n");
    each_pair(out, line, append_zsh_pair);
    buf_text(out, "    *) _files ;;\nesac ;; esac\n");
}

/* --- fish ------------------------------------------------------------------------------------- */

static void append_fish_pair(struct buf *out, const char *first, const char *seconds)
{
    buf_printf(out, "complete -c defender_exporter -n '__fish_seen_subcommand_from %s' -a '%s'\n",
               first, seconds);
}

static void append_fish_flag(struct buf *out, const struct flag_line *flag, const char *prefix)
{
    buf_printf(out, "complete -c defender_exporter -l '%s%s'", prefix, flag->name);
    if (!flag->on_off)
        buf_text(out, flag->file ? " -r -F" : " -x");
    if (flag->words) {
        buf_text(out, " -a '");
        append_words(out, flag->words);
        buf_char(out, '\'');
    }
    buf_text(out, " -d '");
    append_plain(out, flag->help);
    buf_text(out, "'\n");
}

static void append_fish(struct buf *out, const struct line *line)
{
    buf_text(out, "# fish completion for defender_exporter\n"
                  "complete -c defender_exporter -n __fish_use_subcommand -f -a '");
    append_commands(out, line, NULL);
    buf_text(out, "'\n");
    each_pair(out, line, append_fish_pair);
    for (size_t i = 0; i < line->flag_count; i++) {
        append_fish_flag(out, &line->flags[i], "");
        if (line->flags[i].negatable)
            append_fish_flag(out, &line->flags[i], "no-");
    }
}

/* --- the shells ------------------------------------------------------------------------------- */

static const struct shell {
    const char *name;
    void (*append)(struct buf *out, const struct line *line);
} shells[] = { { "bash", append_bash }, { "zsh", append_zsh }, { "fish", append_fish } };

bool completion_write(const char *shell, const struct command *const *tables, size_t count,
                      struct buf *out)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct line line = { .tables = tables, .table_count = count };
    line.flags = flags_list(&arena, &line.flag_count);
    for (size_t i = 0; i < ARRAY_COUNT(shells); i++)
        if (!strcmp(shells[i].name, shell)) {
            shells[i].append(out, &line);
            return true;
        }
    return false;
}
