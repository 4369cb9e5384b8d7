#pragma once
/* Alerts as Alertmanager's API answers with them, and as our own does. */
#include "alerts/api/api_call.h"

/* Answer GET alerts, or alerts/groups when grouped. Returns the HTTP status. */
int api_alerts_answer(struct api_call *call, bool grouped);

/* Answer our own GET alerts: pending ones too, paged by limit and after. Returns the status. */
int api_alerts_answer_own(struct api_call *call);
