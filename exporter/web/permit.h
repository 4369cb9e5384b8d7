#pragma once
/* Who may write: silences, the outbox, reload, quit, whatever is no GET. Reading is another right
 * and is not asked here. Pure: facts about one request in, the answer out.
 *
 * Without users of the web configuration a writer is known only by where he comes from: a unix
 * socket, whose permissions say who may, or this machine itself. What comes over loopback may still
 * be a stranger's: a proxy beside us speaks for anybody, and a page in a local browser may have had
 * its name bound to 127.0.0.1. So nothing may speak for somebody else, and the Host must be a name
 * that only this machine has. With users it is the user's right that counts, under any Host.
 *
 * A browser says which page a request is from: that must be ours, whoever is logged in. */
#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

struct sockaddr;

enum permit {
    PERMIT_ALLOWED,
    PERMIT_READ_ONLY,
    PERMIT_CROSS_SITE,
    PERMIT_NOT_JSON,
    PERMIT_NO_LOGIN,
    PERMIT_READER,
    PERMIT_EXTERNAL_URL,
    PERMIT_REMOTE,
    PERMIT_PROXY,
    PERMIT_HOST,
    PERMIT_COUNT
};

struct permit_facts {
    /* Of the configuration. */
    bool read_only;
    bool has_users;           /* the web configuration names somebody */
    const char *external_url; /* NULL = none */
    /* Of whoever asks. */
    const struct sockaddr *peer; /* NULL = not known: a stranger */
    const char *user;            /* as logged in; NULL = nobody */
    bool user_writes;            /* that user has the right */
    /* Of the request; header values as sent, repeated ones joined with ", ". NULL = not sent. */
    const char *host, *origin, *fetch_site, *content_type;
    bool tls;
    bool old;       /* HTTP/1.0, which proxies speak to what is behind them */
    bool forwarded; /* any header of which permit_is_forwarding */
    bool json_only; /* its body must be JSON, as clients of Alertmanager send it */
};

/* Whether this request may write; the first reason it may not. */
enum permit permit_decide(const struct permit_facts *facts);

/* The status of the answer, and its line: why not, and what to do. Not for PERMIT_ALLOWED. */
int permit_status(enum permit permit);
const char *permit_text(enum permit permit);

/* Whether a URL leads to the machine that asks it: as an external URL it says that there is no way
 * in for others. */
bool permit_is_local_url(const char *url);

/* Whether a header of this name says that somebody else asks through a proxy. */
bool permit_is_forwarding(const char *name);

/* Whether a peer is on this machine: 127.0.0.0/8, ::1, and the first one as an IPv6 address. */
bool permit_is_loopback(const struct sockaddr *peer);
