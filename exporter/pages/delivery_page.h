#pragma once
/* Delivery: how every receiver is told, what waits, what was given up and what was sent. Pure but
 * for the database. */
#include "alerts/notify/outbox_list.h"
#include "alerts/notify/settings.h"
#include "exporter/pages/page_form.h"

/* What is asked for. */
struct delivery_page {
    const struct settings *settings;
    struct database *database;
    struct outbox_list list;
    const char *done; /* what was just done; "" = nothing */
};

/* Append the whole page. False: the database failed. */
bool delivery_page(struct page *page, const struct page_forms *forms,
                   const struct delivery_page *asked, struct error *error) MUST_USE;

/* The states of messages that are listed, as people read them. */
const char *delivery_page_state(enum outbox_state state);

/* Append what became of a message: "was accepted 12 s ago", "was given up 3 min ago: 400 ...". */
void delivery_page_fate(struct page *page, const struct outbox_message *message);

/* Append the buttons for a message that is not accepted yet. */
void delivery_page_acts(struct page *page, const struct page_forms *forms,
                        const struct outbox_message *message);
