#pragma once
/* A notification as a person reads it: facts, sections and links in one order, whatever the
 * receiver makes of them. Pure. */
#include "alerts/rules/notification.h"

struct layout_fact {
    const char *name, *text;
};
struct layout_item {
    const char *text, *link; /* link "" = none */
};

/* A heading with a paragraph, or with one line per item. */
struct layout_section {
    const char *title, *text, *markdown;
    const struct layout_item *items; /* item_count of them */
    size_t item_count;
};

enum { LAYOUT_FACTS_MAX = 24, LAYOUT_SECTIONS_MAX = 40, LAYOUT_LINKS_MAX = 3 };

struct layout {
    const char *title, *text;
    struct layout_fact facts[LAYOUT_FACTS_MAX]; /* most important first */
    size_t fact_count;
    struct layout_section sections[LAYOUT_SECTIONS_MAX]; /* what is wrong ... how to fix it */
    size_t section_count;
    struct layout_item links[LAYOUT_LINKS_MAX]; /* the portal first */
    size_t link_count;
    const char *footer;    /* how to silence it */
    const char *truncated; /* a sentence that something was left out, or "" */
};

/* Append why a finding matters: "can be reached from the internet; on 2 attack paths; ...". */
void layout_why(const struct notification_block *block, struct buf *out);

/* Lay a notification out; texts go to the arena or stay the notification's. */
void layout_make(const struct notification *notification, struct arena *arena,
                 struct layout *layout);
