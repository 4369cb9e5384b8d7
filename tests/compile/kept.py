"""Kept: structs of collectors that a part keeps per subscription."""

PRELUDE = """
#include "collectors/snapshot/kept.h"
struct row {
    const char *subscription_id, *text;
    char *changeable;
    double number;
};
struct late {
    double number;
    const char *subscription_id;
};
struct other {
    double subscription_id;
};
struct large {
    char bytes[KEPT_STRUCT_MAX];
};
struct too_large {
    const char *subscription_id;
    char bytes[KEPT_STRUCT_MAX];
};
"""


def kind(members):
    return f"static const struct kept_kind kind = {{ {members} }};\n"


def with_text(member):
    return kind(f"KEPT_ROWS(struct row), .texts = {{ KEPT_TEXT(struct row, {member}) }}")


CASES = (
    ("rows with a text", None, with_text("text")),
    ("counts that just fit", None, kind("KEPT_COUNTS(struct large)")),
    ("a text that is a number", "struct row.number must be: const char *", with_text("number")),
    ("a text that could be written to", "struct row.changeable must be: const char *",
     with_text("changeable")),
    ("a subscription further behind", "struct late.subscription_id must be the first member",
     kind("KEPT_ROWS(struct late)")),
    ("a subscription that is a number", "struct other.subscription_id must be: const char *",
     kind("KEPT_ROWS(struct other)")),
    ("rows that are too large", "struct too_large is larger than KEPT_STRUCT_MAX",
     kind("KEPT_ROWS(struct too_large)")),
    ("counts that are too large", "struct too_large is larger than KEPT_STRUCT_MAX",
     kind("KEPT_COUNTS(struct too_large)")),
)

KEPT = (PRELUDE, CASES)
