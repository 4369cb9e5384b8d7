#include "exporter/web/gate.h"

#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/memory.h"

struct gate {
    pthread_mutex_t lock; /* what follows */
    bool read_only;
    const char *external_url;    /* NULL = none */
    struct option_pairs writers; /* names only */
    struct arena arena;
};

/* --- rules ---------------------------------------------------------------------------------- */

static bool is_writer(const struct option_pair *right)
{
    return !strcmp(right->value, WEB_CONFIG_WRITE);
}

/* The lock is held, or nobody else knows the gate. */
static void take(struct gate *gate, const struct web_config *config)
{
    arena_finish(&gate->arena);
    gate->read_only = config->read_only;
    gate->external_url =
        config->external_url ? arena_text(&gate->arena, config->external_url) : NULL;
    gate->writers = (struct option_pairs){
        .pairs = arena_zalloc(&gate->arena, (config->users.count + 1) * sizeof(struct option_pair)),
    };
    for (size_t i = 0; i < config->users.count; i++)
        if (is_writer(&config->users.pairs[i]))
            gate->writers.pairs[gate->writers.count++].name =
                arena_text(&gate->arena, config->users.pairs[i].name);
}

struct gate *gate_create(const struct web_config *config)
{
    struct gate *gate = MEMORY_NEW(struct gate);
    pthread_mutex_init(&gate->lock, NULL);
    take(gate, config);
    return gate;
}

void gate_destroy(struct gate *gate)
{
    if (!gate)
        return;
    pthread_mutex_destroy(&gate->lock);
    arena_finish(&gate->arena);
    free(gate);
}

void gate_configure(struct gate *gate, const struct web_config *config)
{
    pthread_mutex_lock(&gate->lock);
    take(gate, config);
    pthread_mutex_unlock(&gate->lock);
}

/* --- facts ---------------------------------------------------------------------------------- */

static const struct sockaddr *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

const char *gate_peer(struct MHD_Connection *connection, char out[GATE_PEER_BYTES])
{
    static const char mapped[] = "::ffff:";
    const struct sockaddr *peer = peer_of(connection);
    socklen_t bytes = peer && peer->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                          : sizeof(struct sockaddr_in);
    *out = 0;
    if (peer && peer->sa_family == AF_UNIX)
        return strcpy(out, "unix socket");
    if (!peer || getnameinfo(peer, bytes, out, GATE_PEER_BYTES, NULL, 0, NI_NUMERICHOST) != 0)
        return strcpy(out, "");
    bool is_mapped = !strncmp(out, mapped, sizeof mapped - 1) && strchr(out, '.');
    return out + (is_mapped ? sizeof mapped - 1 : 0);
}

/* What is read of the headers of one request. */
struct headers {
    struct header {
        const char *name;
        struct buf value; /* repeated ones joined with ", " */
        bool sent;
    } host, origin, fetch_site, content_type;
    bool forwarded;
};

static enum MHD_Result read_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct headers *headers = context;
    struct header *const known[] = { &headers->host, &headers->origin, &headers->fetch_site,
                                     &headers->content_type };
    (void)kind;
    headers->forwarded = headers->forwarded || permit_is_forwarding(name);
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        if (strcasecmp(name, known[i]->name) != 0)
            continue;
        buf_text(&known[i]->value, known[i]->sent ? ", " : "");
        buf_text(&known[i]->value, value ? value : "");
        known[i]->sent = true;
    }
    return MHD_YES;
}

static void headers_finish(struct headers *headers)
{
    buf_finish(&headers->host.value);
    buf_finish(&headers->origin.value);
    buf_finish(&headers->fetch_site.value);
    buf_finish(&headers->content_type.value);
}

static const char *text_of(const struct header *header)
{
    return header->sent ? buf_cstr(&header->value) : NULL;
}

static bool may_write(const struct gate *gate, const char *user)
{
    for (size_t i = 0; user && i < gate->writers.count; i++)
        if (!strcmp(gate->writers.pairs[i].name, user))
            return true;
    return false;
}

/* own: it is a form of ours that would write, and only where it is from is asked. */
static enum permit ask(struct gate *gate, struct MHD_Connection *connection,
                       const struct gate_login *login, bool old, bool json_only, bool own)
{
    CLEANUP(headers_finish)
    struct headers headers = { .host.name = "Host",
                               .origin.name = "Origin",
                               .fetch_site.name = "Sec-Fetch-Site",
                               .content_type.name = "Content-Type" };
    MHD_get_connection_values(connection, MHD_HEADER_KIND, read_header, &headers);
    struct permit_facts facts = {
        .has_users = login->asked,
        .user = login->user,
        .peer = peer_of(connection),
        .host = text_of(&headers.host),
        .origin = own ? NULL : text_of(&headers.origin),
        .fetch_site = own ? NULL : text_of(&headers.fetch_site),
        .content_type = text_of(&headers.content_type),
        .tls = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_PROTOCOL) != NULL,
        .old = old,
        .forwarded = headers.forwarded,
        .json_only = json_only,
    };
    pthread_mutex_lock(&gate->lock);
    facts.read_only = gate->read_only;
    facts.external_url = gate->external_url;
    facts.user_writes = may_write(gate, login->user);
    enum permit permit = permit_decide(&facts);
    pthread_mutex_unlock(&gate->lock);
    return permit;
}

enum permit gate_ask(struct gate *gate, struct MHD_Connection *connection,
                     const struct gate_login *login, bool old, bool json_only)
{
    return ask(gate, connection, login, old, json_only, false);
}

enum permit gate_would(struct gate *gate, struct MHD_Connection *connection,
                       const struct gate_login *login, bool old)
{
    return ask(gate, connection, login, old, false, true);
}

/* --- in words ------------------------------------------------------------------------------- */

static void describe_users(const struct web_config *config, struct buf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < config->users.count; i++)
        if (is_writer(&config->users.pairs[i]))
            buf_printf(out, "%s%s", count++ ? ", " : "", config->users.pairs[i].name);
    buf_text(out, count ? " may write, other users read"
                        : "nobody may write: no user has the right `write` in web.users");
}

void gate_describe(const struct web_config *config, bool has_users, struct buf *out)
{
    if (config->read_only)
        buf_text(out, "nobody may write: web.read_only");
    else if (has_users)
        describe_users(config, out);
    else if (config->external_url && !permit_is_local_url(config->external_url))
        buf_text(out, "who may use a unix socket may write, nobody else: there are no users and "
                      "an external URL");
    else
        buf_text(out, "this machine may write, over loopback or a unix socket: there are no users");
}
