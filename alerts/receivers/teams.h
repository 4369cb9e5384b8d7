#pragma once
/* Microsoft Teams Workflows webhook: one Adaptive Card 1.4, at most 18 KB as sent.
 * source: Microsoft Teams Workflows webhook; Adaptive Cards schema. */
#include "alerts/receivers/receiver.h"

enum { TEAMS_BODY_BYTES = 18 * 1024 };

struct teams_config {
    struct receiver_http http;
    struct secret url;
    int url_line;
};
extern const struct option teams_options[];
extern const struct receiver_kind teams_kind;
