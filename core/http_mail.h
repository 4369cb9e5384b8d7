#pragma once
/* What a mail needs besides the library: the name to greet a relay with, and what the relay said.
 * Pure but for the host's name. */
#include "core/http.h"

/* The name to greet with when none is given: the host's when it has a domain, else the domain of
 * the sender. out: 256 bytes; returns it. source: RFC 5321, 4.1.1.1: fully qualified. */
const char *http_mail_hello(const char *from, char out[256]);

/* Append the URL of the relay with the name to greet with as its path: so the library wants it.
 * hello: NULL = http_mail_hello(from). */
void http_mail_url(const char *relay_url, const char *hello, const char *from, struct buf *out);

/* Fit for an envelope: nothing in it ends the command it stands in. */
bool http_mail_is_address(const char *address);

/* What is left of a mail's text, handed on piece by piece: the library asks for it so. */
struct http_mail_letter {
    const char *at;
    size_t left;
};
size_t http_mail_give(char *out, size_t size, size_t count, void *letter);

/* Read the relay's lines, response->headers, after a dialogue that ended with response->status.
 * body gets the line that decided, refused the recipients that were refused, later those of them
 * with a 4xx. When all were, one that may be accepted later decides. */
void http_mail_read(const char *const *to, size_t to_count, struct http_response *response);
