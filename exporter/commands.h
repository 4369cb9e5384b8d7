#pragma once
/* Commands: what the program does besides running as a service. */
#include "exporter/flags.h"

/* Exit statuses: done; could not be done; the command line or the configuration is wrong; what was
 * printed is not all there is. */
enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_PARTLY = 3 };

/* A row of a table of commands, which ends with one without words: `defender_exporter` words
 * arguments. */
struct command {
    const char *words[2]; /* "check", "config" */
    const char *arguments, *help;
    size_t least, most; /* how many arguments */
    int (*run)(const struct flags *flags, const char *const *arguments, size_t count);
    const char *flags; /* its own, with blanks between: "since until"; NULL = none */
};

/* Print a text on standard output; returns the exit status. */
int commands_print(const struct buf *out);

/* Load the configuration the flags name; NULL after its mistakes were printed on standard error. */
struct config *commands_load(const struct flags *flags);

/* Do what the words of the command line say, "run" excepted. Returns the exit status. */
int commands_run(const struct flags *flags);

/* True when the command line asks for the service: no command, or "run". */
bool commands_is_run(const struct flags *flags);

/* What --help prints, of the command that is named or of all, and --version. Returns the exit
 * status. */
int commands_help(const struct flags *flags, struct buf *out);
void commands_version(struct buf *out);
