#pragma once
/* The manual pages, in the language of man(7), from the tables that print help and reference. */
#include "exporter/commands.h"

/* defender_exporter(1). tables: of all commands, count of them. */
void manual_program(const struct command *const *tables, size_t count, struct buf *out);

/* defender_exporter.yml(5). */
void manual_config(struct buf *out);
