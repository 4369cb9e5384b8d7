#pragma once
/* A row of a part as tests vary it. */
#include "collectors/snapshot/part.h"

static const struct part_row plain = {
    .row_id = "r1",
    .assessment_id = "KEY-1",
    .title = "Title",
    .category = "Data",
    .assessment_type = "BuiltIn",
    .subscription_id = "AAAA-1",
    .resource_id = "",
    .resource_type = "",
    .risk_factors = "",
    .risk = RISK_HIGH,
    .severity = SEVERITY_LOW,
};
