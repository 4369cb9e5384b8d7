#pragma once
/* The labels that tags of Azure become. Pure. */
#include "collectors/tags.h"
#include "core/options.h"

/* A tag and its label: "Cost Center" and "tag_cost_center". */
struct tag_label {
    const char *tag, *name;
};
struct tag_labels {
    struct tag_label items[TAGS_MAX];
    size_t count;
};

/* Whether these can be asked for, and have a label each; otherwise why not. */
bool tag_labels_check(const struct option_texts *tags, struct buf *wrong) MUST_USE;

/* The labels of tags that were checked; what is over TAGS_MAX is left out. Texts are copied. */
void tag_labels_make(const struct option_texts *tags, struct arena *arena, struct tag_labels *out);
