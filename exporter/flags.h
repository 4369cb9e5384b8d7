#pragma once
/* The command line and the DEFENDER_EXPORTER_* variables: one table of flags, which also prints
 * the help. Flags go over variables, both go over the file. */
#include "exporter/config.h"

enum { FLAGS_WORDS_MAX = 16 };

struct flags {
    const char *config_file;                                            /* NULL = the default one */
    const char *since, *duration, *comment, *author, *receiver, *state; /* of commands; NULL */
    const char *until, *step, *output;                                  /* of backfill; NULL */
    /* of what shows data and asks a running exporter; NULL */
    const char *url, *format, *filter, *order, *limit, *by, *group_by, *name;
    const char *user, *password_file, *ca_file, *cert_file, *key_file;
    const char *scope; /* of a role; NULL */
    bool help, version, once, notify, debug, role, force;
    const char *words[FLAGS_WORDS_MAX]; /* what is no flag: the command; word_count of them */
    size_t word_count;
    struct config_setting *settings; /* setting_count of them; in the arena */
    size_t setting_count;
    struct arena arena;
};

/* Read both. flags: zeroed; texts of argv are borrowed. ERROR_CONFIG names the wrong flag. */
bool flags_parse(int argc, char *const *argv, struct flags *flags, struct error *error) MUST_USE;
void flags_finish(struct flags *flags);

/* What help, manual and completions say of a flag. */
struct flag_line {
    const char *name; /* without dashes */
    const char *help;
    const char *otherwise;    /* default, NULL = none */
    const char *variable;     /* NULL = none sets it */
    bool on_off;              /* takes no value */
    bool negatable;           /* --no-NAME switches it off */
    bool file;                /* its value is the name of a file or folder */
    const char *const *words; /* what its value may be, ends with NULL; NULL = anything */
};

/* All flags, count of them, in the order of the table. */
const struct flag_line *flags_list(struct arena *arena, size_t *count);

/* Append the list of flags with their variables, defaults and help. */
void flags_help(struct buf *out);

/* The same of these alone, which set no key of the configuration: "since until". */
void flags_help_of(const char *names, struct buf *out);
