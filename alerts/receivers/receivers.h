#pragma once
/* Every kind of receiver, once, and the configuration of one receiver. */
#include "alerts/receivers/alertmanager.h"
#include "alerts/receivers/email.h"
#include "alerts/receivers/pagerduty.h"
#include "alerts/receivers/slack.h"
#include "alerts/receivers/teams.h"
#include "alerts/receivers/webhook.h"

/* clang-format off */
#define RECEIVERS_LIST(X) \
    X(webhook)            \
    X(alertmanager)       \
    X(pagerduty)          \
    X(slack)              \
    X(teams)              \
    X(email)

enum receivers_kind {
#define RECEIVERS_ENUM(name) RECEIVERS_##name,
    RECEIVERS_LIST(RECEIVERS_ENUM)
#undef RECEIVERS_ENUM
    RECEIVERS_COUNT
};
extern const struct receiver_kind *const receivers_kinds[RECEIVERS_COUNT];

/* One entry of `receivers`: exactly one kind's section is given (its line is not 0). */
struct receivers_config {
    const char *name;
    int line;
    double rate, burst;    /* messages a second; 0 = the kind's */
    int64_t expire_ms;     /* 0 = the kind's */
    bool send_resolved;    /* default true */
    bool wrong;            /* part of it could not be read: its kind may be missing by that */
#define RECEIVERS_MEMBER(name) \
    struct name##_config name; \
    int name##_line;
    RECEIVERS_LIST(RECEIVERS_MEMBER)
#undef RECEIVERS_MEMBER
};
/* clang-format on */
extern const struct option receivers_options[];

/* Its kind and that kind's config; NULL when none or several are given. */
const struct receiver_kind *receivers_kind(const struct receivers_config *config,
                                           const void **kind_config);

/* How many lanes it has. */
size_t receivers_targets(const struct receivers_config *config);

/* What it keeps open. */
enum receiver_incidents receivers_incidents(const struct receivers_config *config);

/* Whether it has threads. */
bool receivers_threads(const struct receivers_config *config);

/* Why it gets no report, in half a sentence; NULL = it does. */
const char *receivers_no_reports(const struct receivers_config *config);

/* Whether it writes to the owners of findings, whom alerts must name then. */
bool receivers_to_owners(const struct receivers_config *config);

/* Complain about every mistake in a list of them: none or two kinds, equal names, the kinds' own
 * checks. */
void receivers_check(const struct option_items *receivers, const char *file,
                     struct option_report *report);
