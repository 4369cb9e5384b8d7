#pragma once
/* What the ledger counts: the families, and for each that is a table of numbers what its rows and
 * columns are. */
#include "core/metric.h"

/* The first two words of a row are its labels; comments: what row and column number. */
enum figure {
    FIGURE_OPENED,       /* subscription, risk */
    FIGURE_RESOLVED,     /* subscription, risk */
    FIGURE_REOPENED,     /* subscription, risk */
    FIGURE_RESOLUTIONS,  /* risk, reason */
    FIGURE_RISK_CHANGES, /* risk before, risk */
    FIGURE_REGRESSED,    /* baseline, severity */
    FIGURE_FIXED,        /* baseline, severity */
    FIGURE_DRIFT,        /* rule, enum drift */
    FIGURE_ALERTS,       /* subscription, severity of a security alert */
    FIGURE_RESOLUTION,   /* histogram: risk */
    FIGURE_DELAY,        /* histogram: source */
    FIGURE_COUNT
};

/* What a baseline rule does on a machine. */
enum drift { DRIFT_REGRESSED, DRIFT_FIXED, DRIFT_COUNT };

/* What rows and columns are numbers of. */
enum dimension {
    OF_SUBSCRIPTION,
    OF_RISK,
    OF_REASON,
    OF_BASELINE,
    OF_SEVERITY,
    OF_RULE,
    OF_DRIFT,
    OF_ALERT_SEVERITY,
    OF_SOURCE,
    OF_BUCKET
};

/* One is not NULL. The columns of a histogram are OF_BUCKET. */
struct ledger_figure {
    const struct family_2 *counters;
    const struct family_1 *histogram;
    enum dimension row, column;
};
extern const struct ledger_figure ledger_figures_tables[FIGURE_COUNT];

/* The most columns a row has. */
enum { LEDGER_FIGURES_COLUMNS = 16 };

/* Families without a table: worked out when they are emitted. */
extern const struct family_2 ledger_figures_overdue, ledger_figures_due_soon, ledger_figures_unseen;
extern const struct family_1 ledger_figures_opened_timestamp;
