#pragma once
/* Where the web server listens: reading an address and opening its socket, or taking those that a
 * service manager has opened. */
#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

enum { WEB_ADDRESS_BYTES = 300 };

#define WEB_ADDRESS_FORMS "host:port, [::1]:port, :port or unix:/path, a port at most 65535"

struct web_address {
    char host[256]; /* "" = every address of the machine; of a unix socket its path */
    char port[8];   /* "0" = any free one, "" = a unix socket */
};

/* Read one of WEB_ADDRESS_FORMS. ERROR_CONFIG. */
bool web_address_parse(const char *text, struct web_address *address, struct error *error) MUST_USE;

/* A listening, non-blocking socket; name gets its real address. A unix socket is for owner and
 * group, and replaces one nobody listens on. -1 and ERROR_IO or ERROR_CONFIG. */
int web_address_listen(const char *text, char name[WEB_ADDRESS_BYTES],
                       struct error *error) MUST_USE;

/* Close it; a unix socket's file goes as well. */
void web_address_close(int fd, const char *name);

/* How many sockets a service manager has passed on, 0 = none. source: sd_listen_fds(3) of systemd.
 */
size_t web_address_passed(void);

/* One of them, to be closed with close(). -1 and ERROR_CONFIG when it is nothing to listen on. */
int web_address_take(size_t index, char name[WEB_ADDRESS_BYTES], struct error *error) MUST_USE;
