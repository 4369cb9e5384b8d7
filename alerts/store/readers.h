#pragma once
/* Connections that only read a database, kept for whoever reads next: opening one reads the whole
 * schema, which takes longer than most that is asked of it. Any thread. */
#include "alerts/store/database.h"

struct readers;

/* config: as database_open has it, read_only; what it points to is the caller's and stays. */
struct readers *readers_create(const struct database_config *config) MUST_USE;

/* All that were taken have been given back. NULL is fine. */
void readers_destroy(struct readers *readers);

/* The caller's until it is given back. NULL and *error as database_open has it; a file that is no
 * longer the one that was opened is opened anew. */
struct database *readers_take(struct readers *readers, struct error *error) MUST_USE;

/* Give it back; database NULL is fine. readers NULL: it is nobody's, and closed. */
void readers_give(struct readers *readers, struct database *database);
