#pragma once
/* An alert in a table of a page: what it says, and why it is as it is. Pure but for the
 * database. */
#include "alerts/notify/inhibit.h"
#include "alerts/notify/settings.h"
#include "alerts/notify/silence.h"
#include "exporter/pages/page.h"

/* What pages about alerts read; all borrowed. */
struct alert_row_context {
    const struct settings *settings;
    struct database *database;
    const struct silence_list *silences;
    const struct inhibit_view *inhibits; /* NULL = none */
    struct match_budget *budget;         /* for the expressions of a request */
};

/* Where an alert stands: the first that holds. */
enum alert_row_place {
    ALERT_ROW_FIRING,
    ALERT_ROW_PENDING,
    ALERT_ROW_SILENCED,
    ALERT_ROW_INHIBITED,
    ALERT_ROW_PLACES
};
struct alert_row {
    const struct alert *alert;
    enum alert_row_place place;
    const struct silence *silence; /* that silences it; NULL = none */
    const char *inhibitor;         /* fingerprint of the alert that inhibits it; NULL = none */
};

/* Find out. ERROR_LIMIT: regular expressions took too long. */
bool alert_row_find(const struct alert_row_context *context, const struct alert *alert, int64_t now,
                    struct alert_row *row, struct error *error) MUST_USE;

/* Append what a message would call it, leading to its finding. */
bool alert_row_title(struct page *page, const struct alert_row_context *context,
                     const struct alert *alert, struct error *error) MUST_USE;

/* Append why it is there, in sentences. */
bool alert_row_why(struct page *page, const struct alert_row_context *context,
                   const struct alert_row *row, struct error *error) MUST_USE;

/* Append "by alice until 2026-11-28 08:00 UTC, in 3 h: works on the power", leading to the
 * silence. */
void alert_row_silence(struct page *page, const struct silence *silence);
