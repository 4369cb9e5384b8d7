#pragma once
/* Which network addresses belong to the public internet; the others are refused for targets a
 * message is delivered to. Any thread. */
#include <stdbool.h>

struct sockaddr;

enum { ADDRESS_TEXT_BYTES = 46 };

/* False for loopback, private, link-local, multicast and reserved addresses and for whatever is
 * not IP. text: gets the address in words for messages. */
bool address_is_public(const struct sockaddr *address, char text[ADDRESS_TEXT_BYTES]);

/* The same for a host as written in a URL. True for names, which only a resolver can judge, but
 * not for localhost. */
bool address_is_public_host(const char *host);
