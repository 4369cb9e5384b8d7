#pragma once
/* The life of a finding as a line of time: what happened to it, who was told of that and when, who
 * silenced it until when; and its alerts as they are now. Pure but for the database. */
#include "alerts/notify/outbox.h"
#include "exporter/pages/alert_row.h"
#include "exporter/pages/page_form.h"
#include "exporter/pages/told.h"

/* What is known of the alerts of one finding. */
struct finding_life {
    struct page *page;
    const struct source_list *sources;
    const struct alert_row_context *rows;
    struct finding_id id;
    struct alert *alerts; /* those that fire or pend, alert_count of them; in the page's arena */
    size_t alert_count;
    const char *const *fingerprints; /* of every alert it may have had, fingerprint_count of them */
    size_t fingerprint_count;
    char last_message[OUTBOX_ID_BYTES]; /* about it; "" = none is remembered */
};

/* Read its alerts. */
bool finding_life_read(struct finding_life *life, struct error *error) MUST_USE;

/* Append its alerts, each with why; nothing when there are none. */
bool finding_life_alerts(const struct finding_life *life, struct error *error) MUST_USE;

/* Lead to the form that silences them, or say why nobody may. */
void finding_life_silence(const struct finding_life *life, const struct page_forms *forms);

/* Append the line of time. opened_at: for one of which nothing is recorded. Fills in last_message.
 */
bool finding_life_line(struct finding_life *life, int64_t opened_at, struct error *error) MUST_USE;
