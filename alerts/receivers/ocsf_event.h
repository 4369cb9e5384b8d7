#pragma once
/* What every OCSF event has, and the event of what is about no finding. */
#include "alerts/rules/notification.h"

enum ocsf_class {
    OCSF_BASE_EVENT,
    OCSF_VULNERABILITY_FINDING,
    OCSF_COMPLIANCE_FINDING,
    OCSF_DETECTION_FINDING
};
enum ocsf_activity { OCSF_CREATE = 1, OCSF_UPDATE = 2, OCSF_CLOSE = 3, OCSF_OTHER = 99 };

struct ocsf_head {
    enum ocsf_class class;
    enum ocsf_activity activity;
    const char *event; /* our word: "finding.opened" */
    const char *about; /* makes the event's id with that of the message */
    const char *risk, *severity;
    int64_t at;
    bool has_cloud; /* the profile */
};

/* Classification, time, severity and metadata. */
void ocsf_event_head(struct json_writer *writer, const struct notification *notification,
                     const struct ocsf_head *head);

/* A block about no finding; NULL = the message as a whole. */
void ocsf_event_other(struct json_writer *writer, const struct notification *notification,
                      const struct notification_block *block);

/* Members that are left out when there is nothing to say. Times are in milliseconds; a list is what
 * stands between commas. */
void ocsf_event_text(struct json_writer *writer, const char *name, const char *text);
void ocsf_event_time(struct json_writer *writer, const char *name, int64_t at);
void ocsf_event_list(struct json_writer *writer, const char *name, const char *text);
void ocsf_event_labels(struct json_writer *writer, const struct match_label *labels, size_t count);
