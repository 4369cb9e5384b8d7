#pragma once
/* One message as it was decided and sent. Pure but for the database. */
#include "exporter/pages/delivery_page.h"

struct message_page {
    const struct settings *settings;
    struct database *database;
    const struct outbox_message *message;
    const char *wrong; /* why nothing was done; "" = nothing is wrong */
};

/* Append the whole page. False: the database failed. */
bool message_page(struct page *page, const struct page_forms *forms,
                  const struct message_page *shown, struct error *error) MUST_USE;

/* Append a notification as a person reads it, all of it. */
void message_page_text(struct page *page, const struct notification *notification);
