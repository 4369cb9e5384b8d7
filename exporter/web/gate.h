#pragma once
/* The gate in front of what writes: it gathers the facts about a request and asks permit. Its rules
 * may change while it is used. Any thread. */
#include <stdbool.h>

#include "exporter/web/permit.h"
#include "exporter/web/web_config.h"

struct MHD_Connection;
struct gate;

enum { GATE_PEER_BYTES = 64 };

/* Rules of this configuration, which is copied. */
struct gate *gate_create(const struct web_config *config);
void gate_destroy(struct gate *gate); /* NULL is fine */
void gate_configure(struct gate *gate, const struct web_config *config);

/* Who has logged in. */
struct gate_login {
    bool asked;       /* the web configuration file names users */
    const char *user; /* NULL = nobody */
};

/* Whether this request may write. old: it is HTTP/1.0. json_only: its body must be JSON. */
enum permit gate_ask(struct gate *gate, struct MHD_Connection *connection,
                     const struct gate_login *login, bool old, bool json_only);

/* Whether whoever asks may write by a form of ours: what his browser says of where this request is
 * from is left aside, it is no write. */
enum permit gate_would(struct gate *gate, struct MHD_Connection *connection,
                       const struct gate_login *login, bool old);

/* Where a request is from: "10.0.0.7", "unix socket"; "" = not known. Returns out. */
const char *gate_peer(struct MHD_Connection *connection, char out[GATE_PEER_BYTES]);

/* Append who can write, in a line. has_users: of the web configuration file. */
void gate_describe(const struct web_config *config, bool has_users, struct buf *out);
