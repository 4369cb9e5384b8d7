#include "exporter/web/permit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#include "core/compiler.h"
#include "test.h"

#define LOCAL "localhost:9887"
#define OURS "http://localhost:9887"

/* --- peers ---------------------------------------------------------------------------------- */

union peer {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    struct sockaddr_un local;
};

/* "" = not known, "unix" = a unix socket, else an address. */
static const struct sockaddr *peer_of(const char *text, union peer *peer)
{
    memset(peer, 0, sizeof *peer);
    if (!*text)
        return NULL;
    if (!strcmp(text, "unix")) {
        peer->local.sun_family = AF_UNIX;
    } else if (strchr(text, ':')) {
        peer->six.sin6_family = AF_INET6;
        CHECK_INT(inet_pton(AF_INET6, text, &peer->six.sin6_addr), 1);
    } else {
        peer->four.sin_family = AF_INET;
        CHECK_INT(inet_pton(AF_INET, text, &peer->four.sin_addr), 1);
    }
    return &peer->any;
}

TEST(loopback_is_this_machine_alone)
{
    static const struct {
        const char *peer;
        bool loopback;
    } rows[] = {
        { "127.0.0.1", true },
        { "127.255.255.254", true },
        { "::1", true },
        { "::ffff:127.0.0.1", true },
        { "::ffff:127.9.9.9", true },
        { "126.255.255.255", false },
        { "128.0.0.1", false },
        { "0.0.0.0", false },
        { "10.0.0.1", false },
        { "192.168.1.127", false },
        { "::", false },
        { "::2", false },
        { "::ffff:10.0.0.1", false },
        { "::127.0.0.1", false },        /* the IPv4-compatible form is no loopback */
        { "64:ff9b::127.0.0.1", false }, /* translated: from elsewhere */
        { "fe80::1", false },
        { "2001:db8::1", false },
        { "unix", false },
        { "", false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        union peer peer;
        if (permit_is_loopback(peer_of(rows[i].peer, &peer)) == rows[i].loopback)
            continue;
        fprintf(stderr, "peer \"%s\"\n", rows[i].peer);
        CHECK(false);
    }
}

TEST(who_speaks_for_others_says_so)
{
    static const char *const yes[] = {
        "Forwarded",       "forwarded",         "Forwarded-For", "X-Forwarded-For",
        "x-forwarded-FOR", "X-Forwarded-Proto", "X-Forwarded",   "X-Forwarded-Client-Cert",
        "X-Real-IP",       "x-real-ip",         "Via",           "X-Original-Forwarded-For",
        "True-Client-IP",  "CF-Connecting-IP",  "X-Client-IP",   "X-Envoy-External-Address",
        "X-Remote-User",   "X-Azure-ClientIP",
    };
    static const char *const no[] = {
        "Host",       "Origin",   "User-Agent",    "Content-Type",   "Viable",
        "X-Real-IPs", "Referer",  "Authorization", "X-Request-Id",   "X-Real",
        "",           "X-Client", "Accept",        "Sec-Fetch-Site", "Connection",
    };
    for (size_t i = 0; i < ARRAY_COUNT(yes); i++)
        test_check(permit_is_forwarding(yes[i]), __FILE__, __LINE__, yes[i]);
    for (size_t i = 0; i < ARRAY_COUNT(no); i++)
        test_check(!permit_is_forwarding(no[i]), __FILE__, __LINE__, no[i]);
}

/* --- one request ---------------------------------------------------------------------------- */

struct row {
    const char *what, *peer;
    struct permit_facts facts;
    enum permit want;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        union peer peer;
        struct permit_facts facts = rows[i].facts;
        facts.peer = peer_of(rows[i].peer, &peer);
        enum permit got = permit_decide(&facts);
        if (got == rows[i].want)
            continue;
        fprintf(stderr, "%s: %d, wanted %d\n", rows[i].what, (int)got, (int)rows[i].want);
        CHECK(false);
    }
}

/* clang-format off */
#define CALL .json_only = true, .content_type = "application/json"

TEST(without_users_only_this_machine_writes)
{
    static const struct row rows[] = {
        { "amtool on the machine", "127.0.0.1", { .host = LOCAL, CALL }, PERMIT_ALLOWED },
        { "curl -X POST /-/reload", "127.0.0.1", { .host = "127.0.0.1:9887" }, PERMIT_ALLOWED },
        { "over IPv6", "::1", { .host = "[::1]:9887", CALL }, PERMIT_ALLOWED },
        { "IPv4 on a socket of both", "::ffff:127.0.0.1", { .host = LOCAL, CALL }, PERMIT_ALLOWED },
        { "from elsewhere", "10.0.0.7", { .host = LOCAL, CALL }, PERMIT_REMOTE },
        { "the same as IPv6", "::ffff:10.0.0.7", { .host = LOCAL, CALL }, PERMIT_REMOTE },
        { "nobody knows from where", "", { .host = LOCAL, CALL }, PERMIT_REMOTE },
        { "a unix socket", "unix", { .host = "localhost", CALL }, PERMIT_ALLOWED },
        { "a unix socket, any Host", "unix", { .host = "defender.example", CALL }, PERMIT_ALLOWED },
        { "a unix socket, no Host", "unix", { CALL }, PERMIT_ALLOWED },
        { "a unix socket, external URL", "unix",
          { .host = "x", .external_url = "https://defender.example", CALL }, PERMIT_ALLOWED },
        { "a sidecar in front", "127.0.0.1", { .host = LOCAL, .forwarded = true, CALL },
          PERMIT_PROXY },
        { "a sidecar that keeps the Host", "127.0.0.1",
          { .host = "defender.example", .forwarded = true, CALL }, PERMIT_PROXY },
        { "a proxy that says nothing but HTTP/1.0", "127.0.0.1",
          { .host = "127.0.0.1:9887", .old = true, CALL }, PERMIT_PROXY },
        { "a proxy that is configured", "127.0.0.1",
          { .host = LOCAL, .external_url = "https://defender.example", CALL },
          PERMIT_EXTERNAL_URL },
        { "an external URL that is this machine", "127.0.0.1",
          { .host = LOCAL, .external_url = "http://127.0.0.1:9887", CALL }, PERMIT_ALLOWED },
        { "DNS rebinding", "127.0.0.1",
          { .host = "rebound.evil.example:9887", .origin = "http://rebound.evil.example:9887",
            .fetch_site = "same-origin", CALL }, PERMIT_HOST },
        { "DNS rebinding, an old browser", "127.0.0.1", { .host = "evil.example:9887", CALL },
          PERMIT_HOST },
        { "read-only", "127.0.0.1", { .host = LOCAL, .read_only = true, CALL }, PERMIT_READ_ONLY },
        { "read-only, a unix socket", "unix", { .read_only = true, CALL }, PERMIT_READ_ONLY },
    };
    check_rows(rows, ARRAY_COUNT(rows));
}

TEST(with_users_the_right_counts)
{
#define USERS .has_users = true, .host = "defender.example"
    static const struct row rows[] = {
        { "who may write", "10.0.0.7", { USERS, .user = "alice", .user_writes = true, CALL },
          PERMIT_ALLOWED },
        { "through a proxy", "127.0.0.1",
          { USERS, .user = "alice", .user_writes = true, .forwarded = true, .old = true,
            .external_url = "https://defender.example", CALL }, PERMIT_ALLOWED },
        { "who may read", "10.0.0.7", { USERS, .user = "grafana", CALL }, PERMIT_READER },
        { "who may read, on the machine", "127.0.0.1",
          { .has_users = true, .host = LOCAL, .user = "grafana", CALL }, PERMIT_READER },
        { "nobody", "127.0.0.1", { .has_users = true, .host = LOCAL, CALL }, PERMIT_NO_LOGIN },
        { "nobody over a unix socket", "unix", { USERS, CALL }, PERMIT_NO_LOGIN },
        { "nobody with a right", "10.0.0.7", { USERS, .user_writes = true, CALL },
          PERMIT_NO_LOGIN },
        { "read-only", "10.0.0.7",
          { USERS, .user = "alice", .user_writes = true, .read_only = true, CALL },
          PERMIT_READ_ONLY },
        { "a page that uses the login", "10.0.0.7",
          { USERS, .user = "alice", .user_writes = true, .origin = "https://evil.example", CALL },
          PERMIT_CROSS_SITE },
        { "our own page", "10.0.0.7",
          { USERS, .user = "alice", .user_writes = true, .origin = "https://defender.example",
            .fetch_site = "same-origin", .tls = true, CALL }, PERMIT_ALLOWED },
    };
#undef USERS
    check_rows(rows, ARRAY_COUNT(rows));
}

TEST(pages_of_others_write_nothing)
{
#define HERE .host = LOCAL
#define PLAIN .json_only = true, .content_type = "text/plain"
#define FORM .json_only = true, .content_type = "application/x-www-form-urlencoded"
    static const struct row rows[] = {
        { "as text/plain", "127.0.0.1",
          { HERE, .origin = "https://evil.example", .fetch_site = "cross-site", PLAIN },
          PERMIT_CROSS_SITE },
        { "as a form", "127.0.0.1",
          { HERE, .origin = "https://evil.example", .fetch_site = "cross-site", FORM },
          PERMIT_CROSS_SITE },
        { "as JSON", "127.0.0.1",
          { HERE, .origin = "https://evil.example", .fetch_site = "cross-site", CALL },
          PERMIT_CROSS_SITE },
        { "to reload", "127.0.0.1", { HERE, .origin = "https://evil.example" },
          PERMIT_CROSS_SITE },
        { "Origin alone", "127.0.0.1", { HERE, .origin = "https://evil.example", CALL },
          PERMIT_CROSS_SITE },
        { "Sec-Fetch-Site alone", "127.0.0.1", { HERE, .fetch_site = "cross-site", CALL },
          PERMIT_CROSS_SITE },
        { "a browser that sends neither, text", "127.0.0.1", { HERE, PLAIN }, PERMIT_NOT_JSON },
        { "a browser that sends neither, form", "127.0.0.1", { HERE, FORM }, PERMIT_NOT_JSON },
        { "no type at all", "127.0.0.1", { HERE, .json_only = true }, PERMIT_NOT_JSON },
        { "another port of this machine", "127.0.0.1",
          { HERE, .origin = "http://localhost:3000", .fetch_site = "same-site", CALL },
          PERMIT_CROSS_SITE },
        { "the same, Origin alone", "127.0.0.1", { HERE, .origin = "http://localhost:3000", CALL },
          PERMIT_CROSS_SITE },
        { "another name of this machine", "127.0.0.1",
          { HERE, .origin = "http://127.0.0.1:9887", CALL }, PERMIT_CROSS_SITE },
        { "a name that begins like ours", "127.0.0.1",
          { HERE, .origin = "http://localhost:98870", CALL }, PERMIT_CROSS_SITE },
        { "a file or a sandbox", "127.0.0.1", { HERE, .origin = "null", CALL }, PERMIT_CROSS_SITE },
        { "an empty Origin", "127.0.0.1", { HERE, .origin = "", CALL }, PERMIT_CROSS_SITE },
        { "two Origins", "127.0.0.1",
          { HERE, .origin = OURS ", https://evil.example", CALL }, PERMIT_CROSS_SITE },
        { "no web page at all", "127.0.0.1",
          { HERE, .origin = "chrome-extension://localhost:9887", CALL }, PERMIT_CROSS_SITE },
        { "an unknown site", "127.0.0.1", { HERE, .origin = OURS, .fetch_site = "odd", CALL },
          PERMIT_CROSS_SITE },
        { "an Origin without a Host", "unix", { .origin = OURS, CALL }, PERMIT_CROSS_SITE },
        { "a page without TLS", "127.0.0.1", { HERE, .origin = OURS, .tls = true, CALL },
          PERMIT_CROSS_SITE },
        { "a page over TLS", "127.0.0.1",
          { HERE, .origin = "https://localhost:9887", .tls = true, CALL }, PERMIT_ALLOWED },
        { "our own page", "127.0.0.1",
          { HERE, .origin = OURS, .fetch_site = "same-origin", CALL }, PERMIT_ALLOWED },
        { "our own page in capitals", "127.0.0.1",
          { HERE, .origin = "HTTP://LOCALHOST:9887", CALL }, PERMIT_ALLOWED },
        { "typed by the user", "127.0.0.1", { HERE, .fetch_site = "none", CALL }, PERMIT_ALLOWED },
        { "the external URL's page", "unix",
          { .host = "backend", .origin = "https://defender.example",
            .external_url = "https://defender.example/defender", CALL }, PERMIT_ALLOWED },
        { "a site that begins like it", "unix",
          { .host = "backend", .origin = "https://defender.ex",
            .external_url = "https://defender.example", CALL }, PERMIT_CROSS_SITE },
        { "another port of it", "unix",
          { .host = "backend", .origin = "https://defender.example",
            .external_url = "https://defender.example:8443", CALL }, PERMIT_CROSS_SITE },
    };
#undef HERE
    check_rows(rows, ARRAY_COUNT(rows));
}
/* clang-format on */

static const struct {
    const char *host;
    bool local;
} hosts_sent[] = {
    { "localhost", true },
    { "LocalHost", true },
    { "localhost:9887", true },
    { "localhost:65535", true },
    { "127.0.0.1", true },
    { "127.0.0.1:9887", true },
    { "127.1.2.3:1", true },
    { "[::1]", true },
    { "[::1]:9887", true },
    { "[0:0:0:0:0:0:0:1]:9887", true },
    { NULL, false },
    { "", false },
    { " localhost", false },
    { "localhost ", false },
    { "localhost.", false },
    { "localhost:", false },
    { "localhost:x", false },
    { "localhost:65536", false },
    { "localhost:123456", false },
    { "localhost:-1", false },
    { "localhost:9887:1", false },
    { "localhost:9887, evil.example", false },
    { "localhost, localhost", false },
    { "localhost@evil.example", false },
    { "evil.example@localhost", false },
    { "user@localhost:9887", false },
    { "localhost/", false },
    { "http://localhost", false },
    { "localhost.evil.example", false },
    { "x.localhost", false },
    { "evil.example", false },
    { "127.0.0.1.evil.example", false },
    { "127.0.0.1.", false },
    { "127.1", false },
    { "127.0.1", false },
    { "0x7f.0.0.1", false },
    { "0177.0.0.1", false },
    { "2130706433", false },
    { "127.0.0.256", false },
    { "0.0.0.0", false },
    { "10.0.0.1:9887", false },
    { "128.0.0.1", false },
    { "::1", false },
    { "[::1", false },
    { "[::1]9887", false },
    { "[::1]:", false },
    { "[::1]x", false },
    { "[::]", false },
    { "[::2]", false },
    { "[::1%lo]", false },
    { "[127.0.0.1]", false },
    { "[localhost]", false },
    { "[::ffff:10.0.0.1]", false },
    { "[]", false },
    { "[", false },
    { ":", false },
    { ":9887", false },
    { "%6c%6fcalhost", false },
    { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
};

TEST(a_host_is_one_that_only_this_machine_has)
{
    for (size_t i = 0; i < ARRAY_COUNT(hosts_sent); i++) {
        union peer peer;
        const struct permit_facts facts = { .peer = peer_of("127.0.0.1", &peer),
                                            .host = hosts_sent[i].host };
        enum permit want = hosts_sent[i].local ? PERMIT_ALLOWED : PERMIT_HOST;
        if (permit_decide(&facts) == want)
            continue;
        fprintf(stderr, "Host \"%s\"\n", hosts_sent[i].host ? hosts_sent[i].host : "(none)");
        CHECK(false);
    }
}

TEST(an_external_url_may_be_this_machine)
{
    static const struct {
        const char *url;
        bool local;
    } rows[] = {
        { "http://localhost:9887", true },
        { "http://127.0.0.1:9887/defender", true },
        { "https://[::1]/", true },
        { "https://defender.example", false },
        { "https://defender.example/localhost", false },
        { "http://localhost.example:9887", false },
        { "http://localhost:9887@evil.example/", false },
        { "http://10.0.0.1", false },
        { "http://", false },
        { "localhost", false },
        { "", false },
        { "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        test_check(permit_is_local_url(rows[i].url) == rows[i].local, __FILE__, __LINE__,
                   rows[i].url);
}

TEST(json_is_named_as_such)
{
    static const struct {
        const char *type;
        bool json;
    } rows[] = {
        { "application/json", true },
        { "APPLICATION/JSON", true },
        { "application/json; charset=utf-8", true },
        { "application/json;charset=utf-8", true },
        { "application/json ", true },
        { "application/jsonp", false },
        { "application/json-seq", false },
        { "application/json, text/plain", false },
        { "text/plain, application/json", false },
        { "text/plain; x=application/json", false },
        { "text/plain", false },
        { "multipart/form-data; boundary=x", false },
        { "", false },
        { NULL, false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        union peer peer;
        const struct permit_facts facts = { .peer = peer_of("unix", &peer),
                                            .json_only = true,
                                            .content_type = rows[i].type };
        enum permit want = rows[i].json ? PERMIT_ALLOWED : PERMIT_NOT_JSON;
        if (permit_decide(&facts) == want)
            continue;
        fprintf(stderr, "Content-Type \"%s\"\n", rows[i].type ? rows[i].type : "(none)");
        CHECK(false);
    }
}

/* --- all of them ---------------------------------------------------------------------------- */

/* Every combination, against the rule in one sentence each. */
TEST(every_combination_follows_the_rule)
{
    static const char *const peers[] = { "",        "unix", "127.0.0.1", "::1", "::ffff:127.0.0.1",
                                         "10.0.0.7" };
    static const char *const hosts[] = { NULL, LOCAL, "evil.example" };
    size_t allowed = 0, refused = 0;
    for (unsigned bits = 0; bits < 1u << 10; bits++)
        for (size_t p = 0; p < ARRAY_COUNT(peers); p++)
            for (size_t h = 0; h < ARRAY_COUNT(hosts); h++) {
                union peer peer;
                const struct permit_facts facts = {
                    .peer = peer_of(peers[p], &peer),
                    .host = hosts[h],
                    .read_only = bits & 1,
                    .has_users = bits & 2,
                    .user = bits & 4 ? "alice" : NULL,
                    .user_writes = bits & 8,
                    .external_url = bits & 16 ? "https://defender.example" : NULL,
                    .forwarded = bits & 32,
                    .old = bits & 64,
                    .fetch_site = bits & 128 ? "cross-site" : NULL,
                    .json_only = bits & 256,
                    .content_type = bits & 512 ? "application/json" : "text/plain",
                };
                bool local = p == 1 || (p > 1 && p < 5 && h == 1 && !facts.external_url &&
                                        !facts.forwarded && !facts.old);
                bool known = facts.user && facts.user_writes;
                bool want = !facts.read_only && !facts.fetch_site &&
                            (!facts.json_only || (bits & 512)) && (facts.has_users ? known : local);
                enum permit got = permit_decide(&facts);
                *((got == PERMIT_ALLOWED) ? &allowed : &refused) += 1;
                if ((got == PERMIT_ALLOWED) == want)
                    continue;
                fprintf(stderr, "bits %x peer %zu host %zu: %d\n", bits, p, h, (int)got);
                CHECK(false);
            }
    CHECK(allowed > 100);
    CHECK(refused > 1000);
}

TEST(every_refusal_says_why_in_a_line)
{
    for (int i = PERMIT_ALLOWED + 1; i < PERMIT_COUNT; i++) {
        CHECK(permit_status(i) == (i == PERMIT_NOT_JSON ? 415 : 403));
        CHECK(strlen(permit_text(i)) > 20 && !strchr(permit_text(i), '\n'));
    }
}
