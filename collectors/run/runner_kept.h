#pragma once
/* Parts that are kept between runs of the program, one JSON file each below the storage path. */
#include "collectors/collector.h"

/* Write <storage_path>/<key of the source>.json, whole or not at all; a failure is logged. */
void runner_kept_save(const struct part *part, const char *storage_path);

/* Read it again; NULL when there is none or it cannot be read (logged). */
struct part *runner_kept_load(const struct source *source, const char *storage_path);
