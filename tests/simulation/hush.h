#pragma once
/* Silences of a simulated life, made and ended as somebody at a terminal does: on the database
 * itself. */
#include "alerts/alerting.h"
#include "stage.h"

/* Do what the world asks for, once; what fails is tried again with the next call. */
void hush_obey(struct stage *stage, struct alerting *alerting);
