#pragma once
/* Notifications to systemd: READY=1, RELOADING=1, STOPPING=1, WATCHDOG=1. source: sd_notify(3). */
#include <stdint.h>

/* Send one datagram to $NOTIFY_SOCKET; nothing happens where there is none. Any thread. */
void systemd_send(const char *state);

/* RELOADING=1 with the monotonic time systemd asks for. */
void systemd_reloading(void);

/* How often WATCHDOG=1 is to be sent: half of what the unit allows; 0 = nobody waits for it.
 * source: sd_watchdog_enabled(3). */
int64_t systemd_watchdog_ms(void);
