#pragma once
/* The running program: what survives a reload (snapshots, metrics, sockets) and what is rebuilt
 * by one that changes them (sign-in, pacing, collectors). */
#include "exporter/config.h"
#include "exporter/flags.h"

struct service;

/* Read the configuration the flags ask for. running: the sources of the one before, NULL = none.
 * NULL when the report got anything. */
struct config *service_load(const struct flags *flags, const struct source_list *running,
                            struct option_report *report) MUST_USE;

/* Build everything from a configuration, which is owned from now on; nothing runs yet. flags is
 * borrowed: a reload reads its settings again. NULL and *error when it cannot work. */
struct service *service_create(struct config *config, const struct flags *flags,
                               struct error *error) MUST_USE;
void service_destroy(struct service *service);

/* Serve and collect. */
bool service_start(struct service *service, struct error *error) MUST_USE;

/* Collect nothing and serve nothing any more, in under two seconds. */
void service_stop(struct service *service);

/* Take and give back every lock that requests and reloads need: it returns unless one hangs. */
void service_touch(struct service *service);

/* Read the configuration again and go on with it: sections it does not change are left alone, with
 * their tokens, quotas and the runs under way. answer gets a sentence, which names the keys that
 * only a restart puts into effect. On any mistake the old one stays, and the report says why. by:
 * who asked for it, for the audit. Any thread. */
bool service_reload(struct service *service, const struct audit_by *by, struct buf *answer,
                    struct option_report *report) MUST_USE;

/* Run every enabled collector once and append the exposition; notify when the flags say so. False
 * when one failed; each failure is logged. Where Azure does not answer that is said within five
 * seconds, and the first collector that finds nobody is the last. */
bool service_once(struct service *service, struct buf *out);

extern const struct family *const service_families[];
