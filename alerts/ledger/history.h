#pragma once
/* Values over time: those of the families that say so (metric.h), a row when one changed, at most
 * one an hour. Hourly for 30 days, then the last of each day for 400; the value that held before
 * stays. A series is named as the text format names it: name{label="value"}. Evaluator only, but
 * for reading. */
#include "alerts/store/database.h"
#include "core/metric.h"

/* What was seen last, so that an evaluation that changed nothing asks the database nothing. */
struct history {
    uint64_t digest;  /* of all values, 0 = not known */
    int64_t retry_at; /* from when on a value may be written that changed within its hour; 0 =
                         none: the next evaluation after it writes it */
};

/* Write what changed. set: sorted. complete: every source has run, so that a series that is missing
 * is really not told any more: its last row is NULL. Inside a transaction; after a rollback zero
 * the struct. */
bool history_keep(struct history *history, struct database *database, const struct metric_set *set,
                  bool complete, int64_t now, struct error *error) MUST_USE;

/* Delete what is too old or too fine, a step of it. Inside a transaction. */
bool history_prune(struct database *database, int64_t now, struct error *error) MUST_USE;

/* Walk the values of a series, oldest first, from the one that held at an instant on. value: NAN =
 * from here on it is not told. Any thread with its own database handle. */
typedef void history_visit(void *context, int64_t at, double value);
bool history_read(struct database *database, const char *series, int64_t since,
                  history_visit *visit, void *context, struct error *error) MUST_USE;

/* One value of a series that is known by its number. */
struct history_value {
    int64_t series, at;
    const char *name; /* of the series */
    double value;     /* NAN = from here on it is not told */
    bool told;        /* as the value says */
};

/* Walk the values of all series whose names begin so, series by series, oldest first: those since
 * an instant, behind one that was read; {0} = from the first. */
typedef bool history_value_visit(void *context, const struct history_value *value,
                                 struct error *error);
bool history_each(struct database *database, const char *begins, int64_t since,
                  const struct history_value *after, history_value_visit *visit, void *context,
                  struct error *error) MUST_USE;
