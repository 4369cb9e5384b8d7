#pragma once
/* What shells complete on a command line, from the tables of commands and flags. Pure. */
#include "exporter/commands.h"

/* Append the script of "bash", "zsh" or "fish"; false for another. tables: of all commands, count
 * of them. */
bool completion_write(const char *shell, const struct command *const *tables, size_t count,
                      struct buf *out) MUST_USE;
