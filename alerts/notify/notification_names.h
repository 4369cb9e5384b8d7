#pragma once
/* What receivers call things: names instead of ids where they are known, and never a text of which
 * a client makes a link, because somebody in the tenant chose it. Texts live in the arena or as
 * long as what they were made from. */
#include "alerts/notify/notification_build.h"

/* The text, or a copy of which no client makes a link. */
const char *notification_names_plain(const char *text, struct arena *arena);

/* The same, always a copy. */
const char *notification_names_copy(const char *text, struct arena *arena);

/* The name of a subscription, or its id. */
const char *notification_names_subscription(const struct notification_context *context,
                                            const char *id, struct arena *arena);

/* The title of a recommendation, or its key: the catalogue's. */
const char *notification_names_assessment(const struct notification_context *context,
                                          const char *assessment_id, struct arena *arena);

/* The title of a control of the secure score, or its id. */
const char *notification_names_control(const struct notification_context *context, const char *id,
                                       struct arena *arena);

/* The same of an alert about a control, which may be one of a connector. */
const char *notification_names_subject(const struct notification_context *context,
                                       const struct alert *alert, struct arena *arena);

/* A label of a metric as people say it: "Production" of a subscription_id, the title of a
 * recommendation or control, "critical". */
const char *notification_names_value(const struct notification_context *context, const char *label,
                                     const char *value, struct arena *arena);

/* Fill block->about: the alert's labels as people say them, those left out that the rest of a
 * message says. */
void notification_names_about(const struct notification_context *context, const struct alert *alert,
                              struct arena *arena, struct notification_block *block);

/* The finding in the portal, where a rule of a baseline is part of the recommendation it belongs
 * to;
 * "" when there is no address of it. */
const char *notification_names_link(const struct notification_context *context,
                                    const struct finding *finding, struct arena *arena);

/* Cloud, account and connector: "AWS account 1234 through connector prod-aws". */
const char *notification_names_environment(const struct finding *view, struct arena *arena);

/* The words of a list joined with ", ", with those of one of Azure's, joined with ",", that are not
 * in it yet. */
const char *notification_names_words(const char *before, const char *words, struct arena *arena);
