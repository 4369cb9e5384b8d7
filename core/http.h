#pragma once
/* One HTTP exchange, or one mail, with limits, deadline and cancel; http.c is the only file that
 * names libcurl.
 * Redirects are never followed. The proxy is the request's, else that of the usual environment
 * variables (HTTPS_PROXY, ALL_PROXY); NO_PROXY exempts hosts from both. libcurl decides, once. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/compiler.h"
#include "core/error.h"

enum http_targets {
    HTTP_ANY_TARGET,     /* Azure endpoints the operator configured */
    HTTP_PUBLIC_TARGETS, /* refuse loopback, private, link-local and multicast addresses, checked
                            on the resolved address the connection really uses; behind a proxy,
                            which resolves names itself, on addresses written in the URL */
};

struct http_header {
    const char *name, *value;
};

struct http_request {
    const char *method; /* "GET", "POST" ... */
    const char *url;
    const struct http_header *headers; /* header_count of them */
    size_t header_count;
    const void *body; /* body_bytes of it; NULL = none */
    size_t body_bytes;
    int64_t timeout_ms;          /* the whole exchange; 0 = 60 s */
    int64_t connect_timeout_ms;  /* 0 = 5 s */
    size_t response_limit_bytes; /* after decompression; 0 = 64 MiB */
    bool response_may_be_cut;    /* what is beyond the limit is no error but not read; the rest is
                                    as it was sent, not decompressed */
    enum http_targets targets;
    bool no_proxy;                                  /* never through a proxy (IMDS) */
    const char *proxy;                              /* NULL = from the environment */
    const char *unix_socket;                        /* instead of the host's address; NULL = none */
    const char *ca_file;                            /* NULL = the system's, or SSL_CERT_FILE */
    const char *client_cert_file, *client_key_file; /* NULL = none */
};

struct http_response {
    int status;         /* 0 = no answer */
    struct buf body;    /* decompressed */
    struct buf packed;  /* as it came, where it came compressed */
    struct buf headers; /* "name: value\n" lines as received */
    struct buf refused; /* of a mail: "address: reply\n" for each recipient that was refused */
    size_t refused_count;
    struct buf later; /* the addresses of those that may be accepted later, a line each */
    int64_t duration_ms;
};

/* A connection cache and a cancel switch; one thread uses it at a time, any thread cancels. */
struct http_client;
struct http_client *http_client_create(void);
void http_client_destroy(struct http_client *client);

/* Send and receive. True for every complete answer, whatever its status.
 * response: zeroed or used before; its buffers are reused. The caller finishes it.
 * ERROR_NETWORK, ERROR_TIMEOUT, ERROR_CANCELLED, ERROR_LIMIT, ERROR_CONFIG (bad URL, refused
 * address). Messages name host and reason, never the path, query, headers or body. */
bool http_exchange(struct http_client *client, const struct http_request *request,
                   struct http_response *response, struct error *error) MUST_USE;

/* One e-mail to hand to a relay. */
struct http_mail {
    const char *url;       /* "smtp://host:587", "smtps://host:465" */
    const char *from;      /* envelope sender, without brackets */
    const char *hello;     /* the name to greet with; NULL = http_mail_hello */
    const char *const *to; /* to_count of them */
    size_t to_count;
    const char *user, *password; /* NULL = none */
    const void *message;         /* message_bytes of RFC 5322 text with CRLF */
    size_t message_bytes;
    bool require_tls;   /* STARTTLS or nothing; smtps is always TLS */
    int64_t timeout_ms; /* 0 = 60 s */
    enum http_targets targets;
    const char *ca_file, *client_cert_file, *client_key_file; /* NULL = the system's; none */
};

/* Hand a mail to a relay. True for every complete answer: response->status is the SMTP code (250
 * accepted, 4xx later, 5xx refused), its body the relay's last line. A recipient that is refused
 * stands in response->refused and keeps nobody else from the mail. Errors as http_exchange. */
bool http_mail(struct http_client *client, const struct http_mail *mail,
               struct http_response *response, struct error *error) MUST_USE;

/* Abort the exchange or wait under way and refuse new ones until http_client_resume. Any thread. */
void http_client_cancel(struct http_client *client);
void http_client_resume(struct http_client *client);

/* Sleep so long. False at once when the client is or gets cancelled. Used like http_exchange. */
bool http_client_wait(struct http_client *client, int64_t duration_ms) MUST_USE;

/* The proxy a request to a URL of this scheme may use: its own, else the environment's; "" = none.
 * HTTP_PROXY in capitals is left out on purpose: a web server may have made it from a header. */
const char *http_proxy(const struct http_request *request, const char *scheme);

/* NO_PROXY: hosts that are asked without one, as the library reads it; "" = none. */
const char *http_no_proxy(void);

/* The value of a response header, name compared without case, copied to out: one line, up to a
 * stray carriage return. False when absent. */
bool http_header(const struct http_response *response, const char *name, char *out,
                 size_t out_bytes) MUST_USE;

/* Retry-After in seconds (integer or HTTP date), 0 when absent or unreadable. now: counts when the
 * answer does not say when it was sent. */
int64_t http_retry_after_s(const struct http_response *response, int64_t now);

/* When the answer was sent by the sender's own clock, with which instants in it are compared: ours
 * may be another. Otherwise where it has no Date. */
int64_t http_sent_at(const struct http_response *response, int64_t otherwise);

/* True when url is http://127.x, http://[::1] or http://localhost, or https://anything with a
 * host and no user part. What `azure:` URLs may be. */
bool http_url_is_safe(const char *url);

/* scheme://host:port of a URL in lower case with the default port made explicit; false when it is
 * none. out: at least 300 bytes. Two URLs of one origin give the same text. */
bool http_origin(const char *url, char out[300]) MUST_USE;

/* Append text percent-encoded (RFC 3986 unreserved kept). */
void http_escape(struct buf *out, const char *text);

/* Append a URL as a server wrote it with what may not stand in one encoded: blanks, "#" (no link to
 * data has a fragment), quotes, braces, bytes beyond ASCII. What is encoded already stays; white
 * space around it is left out. Check it afterwards: this says nothing of where it leads. */
void http_encode_url(struct buf *out, const char *url);

/* Make it ready for an answer: empty, limit_bytes for the body (0 = 64 MiB). Its memory is kept. */
void http_response_reset(struct http_response *response, size_t limit_bytes);
void http_response_finish(struct http_response *response);
