#pragma once
/* A kind of receiver: its options, a notification made into one request, an answer made into a
 * verdict. A new kind is a file and a word in receivers.h. Kinds are pure: no clock, no network, no
 * database. */
#include "alerts/rules/notification.h"
#include "core/http.h"
#include "core/options.h"

enum receiver_outcome {
    RECEIVER_SENT,
    RECEIVER_RETRY,
    RECEIVER_REFUSED,  /* final for this message: dead letter */
    RECEIVER_DISABLED, /* final for the receiver (410): its lane stops until a reload, loudly */
};

/* Failure reasons, Alertmanager's words.
 * source: Alertmanager, alertmanager_notifications_failed_total. */
enum receiver_reason {
    RECEIVER_CLIENT_ERROR,
    RECEIVER_SERVER_ERROR,
    RECEIVER_AUTH_ERROR,
    RECEIVER_RATE_LIMITED,
    RECEIVER_CANCELED,
    RECEIVER_DEADLINE,
    RECEIVER_OTHER,
    RECEIVER_REASON_COUNT
};
extern const char *const receiver_reason_words[];

struct receiver_verdict {
    enum receiver_outcome outcome;
    enum receiver_reason reason;
    const char *text; /* static, what the answer means; "" */
};

/* What every kind with a URL has; the first member of its config, rows in receiver_http_options
 * (a section `http`). */
struct receiver_http {
    bool allow_private; /* loopback, private and link-local targets */
    const char *proxy, *ca_file, *client_cert_file, *client_key_file;
    struct option_pairs headers; /* custom; may not replace those a kind sets */
    struct secret bearer_token, basic_password;
    const char *basic_user;
};
extern const struct option receiver_http_options[];

/* A request under construction: build appends to the bufs and points http at them. Zeroed before
 * the first use; reused. */
enum { RECEIVER_HEADERS_MAX = 32, RECEIVER_TARGETS_MAX = 8 };
struct receiver_request {
    bool is_mail;
    struct http_request http;
    struct http_mail mail;
    struct http_header headers[RECEIVER_HEADERS_MAX];
    struct buf url, body;
    struct arena arena;
    bool truncated;  /* delivery logs it once a message */
    size_t left_out; /* recipients a mail has no place for; logged likewise */
};
void receiver_request_finish(struct receiver_request *request);

/* Append a header; name and value are copied to the request's arena. */
void receiver_header(struct receiver_request *request, const char *name, const char *value);

/* Start anew: POST, URL, content type, User-Agent, custom headers, authorisation, TLS, targets, 5 s
 * connect, 15 s in all, 64 KiB of the answer read. */
void receiver_prepare(struct receiver_request *request, const struct receiver_http *http,
                      const char *url, const char *content_type);

/* The body is complete: point request->http at it and the headers. Always returns true. */
bool receiver_seal(struct receiver_request *request);

/* Complain about headers a kind sets itself and about half a client certificate. */
void receiver_check(const struct receiver_http *http, const char *file, int line,
                    struct option_report *report);

/* Complain about a URL that is not http or https with a host, and about one no message would be
 * sent to; it is not repeated. key, line: where it stands. url: NULL = there is none. */
void receiver_check_url(const struct receiver_http *http, const char *key, const char *url,
                        const char *file, int line, struct option_report *report);

/* False when the host in a URL is an address that HTTP_PUBLIC_TARGETS refuses, however it is
 * written. Names are for a resolver to judge, but localhost is none. */
bool receiver_is_public(const char *url);
#define RECEIVER_NOT_PUBLIC "a loopback, private, link-local or reserved address, which needs"

/* Which statuses mean what. Every 2xx is sent, and every 401, 403, 407, 408, 425, 429 and 5xx is
 * tried again: servers, gateways and relays in between answer as they like, and credentials are
 * renewed. Every other one is refused. */
struct receiver_answers {
    short retry;        /* one more that is tried again; 0 = none */
    bool reads_body;    /* a 2xx counts only when its body does not say no */
    bool gone_disables; /* 410 */
};

/* The verdict by a table; with status 0 by the exchange's error. */
struct receiver_verdict receiver_judge(const struct receiver_answers *answers,
                                       const struct http_response *response,
                                       const struct error *error);

/* What the body of a 2xx says: sent, unless it is a web page (something in between answered: tried
 * again), a JSON object with ok or success false, an error, or a status that is one, or a plain
 * text that speaks of one. What may pass by itself is tried again. */
struct receiver_verdict receiver_body_verdict(const struct buf *body);

/* The verdict by status alone; 410 disables. */
struct receiver_verdict receiver_classify(const struct http_response *response,
                                          const struct error *error);

/* A thread has everything that is told under one dedup key: what was posted first is brought up to
 * date, and below it stands what became new. What a lane keeps of it between two messages. */
struct receiver_thread {
    char channel[64], ts[64]; /* where it is; ts "" = nothing was posted yet */
    char trying[32];          /* the message whose post may have arrived or not; "" = none */
    int64_t trying_at;
};

/* One request of a kind with threads. */
enum receiver_step {
    RECEIVER_POST,  /* the first message of a thread, and all that other kinds do */
    RECEIVER_SEEK,  /* look whether thread->trying arrived */
    RECEIVER_EDIT,  /* bring the first message up to date */
    RECEIVER_REPLY, /* say below it what is new */
};

/* What build gets besides the notification. */
struct receiver_context {
    int target;       /* which replica */
    int64_t now;      /* of this attempt */
    int64_t ends_at;  /* refreshing kinds: now + 4 x max(interval, refresh) */
    const char *name; /* of the receiver */
    enum receiver_step step;
    const struct receiver_thread *thread; /* of the steps after RECEIVER_POST */
    const char *recipients;               /* of a mail: only these, a line each; NULL or "" = all */
};

/* Build a body that may be too large: write appends the body of a notification to request->body,
 * which is emptied before. The notification is shrunk until measure (NULL = bytes) is at most
 * limit. ERROR_LIMIT. */
typedef void receiver_write(const void *config, const struct receiver_context *context,
                            const struct notification *notification, struct buf *out);
bool receiver_fit(const void *config, const struct receiver_context *context,
                  struct notification *notification, receiver_write *write,
                  size_t (*measure)(const struct buf *body), size_t limit,
                  struct receiver_request *request, struct error *error) MUST_USE;

/* How long a message is worth sending: to a pager, in a chat. */
enum { RECEIVER_PAGER_EXPIRES_S = 86400, RECEIVER_CHAT_EXPIRES_S = 259200 };

/* What a receiver keeps open under a key until it is told that it ended. */
enum receiver_incidents {
    RECEIVER_NO_INCIDENTS,
    RECEIVER_GROUP_INCIDENTS,
    RECEIVER_ALERT_INCIDENTS, /* one for each alert: a group becomes as many notifications */
};

struct receiver_kind {
    const char *name; /* also its key in the configuration and the integration label */
    const char *help;
    const struct option *options; /* of its config struct */
    size_t config_bytes;
    size_t alerts_max;  /* of one notification; larger groups become several; 0 = it is truncated */
    int64_t refresh_s;  /* > 0: firing and lately resolved alerts are sent again so often, outside
                           the outbox */
    int64_t expires_s;  /* default of expire: 24 h for pagers, 3 d for chats */
    double rate, burst; /* default messages a second, and at once */
    enum receiver_incidents (*incidents)(const void *config); /* NULL = it keeps none */
    /* Number of targets; NULL = 1. */
    size_t (*targets)(const void *config);
    bool (*to_owners)(const void *config); /* whether it writes to owners; NULL = it does not */
    /* Why it gets no report, in half a sentence, or NULL: it does. NULL = every one does. */
    const char *(*no_reports)(const void *config);
    /* What the table cannot check; complains to the report. May be NULL. */
    void (*check)(const void *config, const char *file, int line, struct option_report *report);
    /* Make the request. The notification may be shrunk on the way. ERROR_LIMIT when even the least
     * does not fit, ERROR_CONFIG: both are dead letters. */
    bool (*build)(const void *config, const struct receiver_context *context,
                  struct notification *notification, struct receiver_request *request,
                  struct error *error) MUST_USE;
    bool (*threads)(const void *config); /* whether it has threads; NULL = it has none */
    /* The answer to a step of a thread, noted there: where a post is; trying is emptied by every
     * answer that leaves no doubt, ts when the first message is gone. Of RECEIVER_SEEK: sent = it
     * had arrived, refused = it had not, or nobody may look. */
    struct receiver_verdict (*read)(enum receiver_step step, const struct http_response *response,
                                    const struct error *error, struct receiver_thread *thread);
    /* error: ERROR_NONE after a complete answer. NULL = receiver_classify. */
    struct receiver_verdict (*classify)(const struct http_response *response,
                                        const struct error *error);
};
