#pragma once
/* The labels the operator asks for: those that tags of Azure become, and the owner that governance
 * names. Pure. */
#include "collectors/tags.h"
#include "core/options.h"

enum { TAG_LABELS_MAX = TAGS_MAX + 1 };

/* What the operator asks for; tags NULL = none. */
struct tag_labels_wanted {
    const struct option_texts *tags;
    bool owner;
};
#define TAG_LABELS_OWNER "governance_owner"

/* A tag and its label: "Cost Center" and "tag_cost_center". */
struct tag_label {
    const char *tag; /* NULL = of the owner */
    const char *name;
};
struct tag_labels {
    struct tag_label items[TAG_LABELS_MAX];
    size_t count;
};

/* Whether these can be asked for, and have a label each; otherwise why not. */
bool tag_labels_check(const struct option_texts *tags, struct buf *wrong) MUST_USE;

/* The labels of tags that were checked, and of the owner; what is over TAGS_MAX is left out. Texts
 * are copied. */
void tag_labels_make(const struct tag_labels_wanted *wanted, struct arena *arena,
                     struct tag_labels *out);
