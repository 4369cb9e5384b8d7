#pragma once
/* The outbox as people look at it: each lane in numbers, messages without their contents, newest
 * first. Any thread with its own database handle; what is read is found by keys. */
#include "alerts/notify/outbox.h"

/* One lane: a receiver, and one of its targets. */
struct outbox_list_lane {
    const char *receiver;
    int target;
    int64_t sent_at;              /* last success; 0 = none that is remembered */
    int64_t waiting, dead, sent;  /* messages */
    struct outbox_message oldest; /* that waits; id "" = none does */
};

/* Fill a lane in. Texts go to the arena. */
bool outbox_list_lane(struct database *database, const char *receiver, int target,
                      struct arena *arena, struct outbox_list_lane *lane,
                      struct error *error) MUST_USE;

/* Visit receiver and target of every lane that has messages waiting or dead. */
typedef bool outbox_list_visit(void *context, const struct outbox_message *message,
                               struct error *error);
bool outbox_list_open(struct database *database, outbox_list_visit *visit, void *context,
                      struct error *error) MUST_USE;

/* When the last of those that wait is sent at this pace, unless it fails: now or when the oldest is
 * tried again, and then so many a second, `burst` of them at once. 0 = none waits. Pure. */
int64_t outbox_list_done_at(const struct outbox_list_lane *lane, double rate, double burst,
                            int64_t now);

/* What is listed. */
struct outbox_list {
    const char *receiver; /* NULL = all */
    enum outbox_state state;
    const char *before; /* id of the last that was shown; NULL = none was */
    int64_t limit;
};

/* Visit messages of one state, newest first; their notification is "". */
bool outbox_list_each(struct database *database, const struct outbox_list *list,
                      outbox_list_visit *visit, void *context, struct error *error) MUST_USE;

/* The title of a message, from its contents; "" = it cannot be read. In the arena. */
bool outbox_list_title(struct database *database, const char *id, struct arena *arena,
                       const char **title, struct error *error) MUST_USE;

/* Visit the messages about one alert, newest first, at most `limit`; of one receiver, or NULL.
 * Their event and status are those of the alert in them. */
bool outbox_list_about(struct database *database, const char *fingerprint, const char *receiver,
                       int64_t limit, outbox_list_visit *visit, void *context,
                       struct error *error) MUST_USE;

/* Visit what a message is about, at most `limit`. */
typedef bool outbox_list_member(void *context, const struct outbox_member *member,
                                struct error *error);
bool outbox_list_members(struct database *database, const char *id, int64_t limit,
                         outbox_list_member *visit, void *context, struct error *error) MUST_USE;
