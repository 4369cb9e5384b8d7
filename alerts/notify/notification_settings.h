#pragma once
/* What notifications take from the settings, whoever makes one. */
#include "alerts/notify/notification_build.h"
#include "alerts/notify/settings.h"

/* The members that the settings decide; all else is the caller's, and zero. Borrowed. */
struct notification_context notification_settings(const struct settings *settings);
