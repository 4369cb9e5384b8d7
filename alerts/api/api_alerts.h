#pragma once
/* Alerts as our own API tells them. */
#include "alerts/api/api_call.h"

/* Answer GET alerts: pending ones too, paged by limit and after. Returns the status. */
int api_alerts_answer_own(struct api_call *call);
