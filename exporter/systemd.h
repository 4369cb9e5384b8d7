#pragma once
/* Notifications to systemd: READY=1, RELOADING=1, STOPPING=1. source: sd_notify(3). */

/* Send one datagram to $NOTIFY_SOCKET; nothing happens where there is none. Any thread. */
void systemd_send(const char *state);

/* RELOADING=1 with the monotonic time systemd asks for. */
void systemd_reloading(void);
