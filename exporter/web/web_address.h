#pragma once
/* Where the web server listens: reading "host:port" and opening the socket. */
#include <stdbool.h>

#include "core/error.h"

enum { WEB_ADDRESS_BYTES = 300 };

struct web_address {
    char host[256]; /* "" = every address of the machine */
    char port[8];   /* "0" = any free one */
};

/* Read "host:port", "[::1]:port" or ":port". ERROR_CONFIG. */
bool web_address_parse(const char *text, struct web_address *address, struct error *error) MUST_USE;

/* A listening, non-blocking socket; name gets its real address. -1 and ERROR_IO or ERROR_CONFIG. */
int web_address_listen(const char *text, char name[WEB_ADDRESS_BYTES],
                       struct error *error) MUST_USE;
