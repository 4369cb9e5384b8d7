#include "core/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/compiler.h"

/* Addresses that are not of the public internet. source: IANA special-purpose registries. */
static const struct {
    int family;
    unsigned char bits;
    const char *prefix;
} not_public[] = {
    { AF_INET, 8, "0.0.0.0" },
    { AF_INET, 8, "10.0.0.0" },
    { AF_INET, 10, "100.64.0.0" },
    { AF_INET, 8, "127.0.0.0" },
    { AF_INET, 16, "169.254.0.0" },
    { AF_INET, 12, "172.16.0.0" },
    { AF_INET, 24, "192.0.0.0" },
    { AF_INET, 16, "192.168.0.0" },
    { AF_INET, 15, "198.18.0.0" },
    { AF_INET, 4, "224.0.0.0" },
    { AF_INET, 4, "240.0.0.0" },
    { AF_INET6, 96, "::" },
    { AF_INET6, 10, "fe80::" },
    { AF_INET6, 7, "fc00::" },
    { AF_INET6, 8, "ff00::" },
    { AF_INET6, 48, "64:ff9b:1::" },
    { AF_INET6, 10, "fec0::" },
    { AF_INET6, 64, "100::" },
    { AF_INET6, 32, "2001::" },
    { AF_INET, 24, "192.88.99.0" },
    /* Azure's platform answers there on every machine. source: What is IP address 168.63.129.16? */
    { AF_INET, 32, "168.63.129.16" },
};

static bool in_prefix(const unsigned char *address, const unsigned char *prefix, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    return !memcmp(address, prefix, whole) &&
           (!rest || !((address[whole] ^ prefix[whole]) >> (8 - rest)));
}

/* address: 4 or 16 bytes in network order. IPv6 forms that carry an IPv4 address are judged by
 * what they carry (mapped RFC 4291, NAT64 RFC 6052, 6to4 RFC 3056). */
static bool is_public(int family, const unsigned char *address)
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
    static const unsigned char nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
    if (family == AF_INET6 && (!memcmp(address, mapped, 12) || !memcmp(address, nat64, 12)))
        return is_public(AF_INET, address + 12);
    if (family == AF_INET6 && address[0] == 0x20 && address[1] == 0x02)
        return is_public(AF_INET, address + 2);
    for (size_t i = 0; i < ARRAY_COUNT(not_public); i++) {
        unsigned char prefix[16];
        if (not_public[i].family == family && inet_pton(family, not_public[i].prefix, prefix) &&
            in_prefix(address, prefix, not_public[i].bits))
            return false;
    }
    return true;
}

bool address_is_public(const struct sockaddr *address, char text[ADDRESS_TEXT_BYTES])
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    const void *bytes = &v6.sin6_addr;
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        bytes = &v4.sin_addr;
    } else if (address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
    } else {
        snprintf(text, ADDRESS_TEXT_BYTES, "address family %d", address->sa_family);
        return false;
    }
    inet_ntop(address->sa_family, bytes, text, ADDRESS_TEXT_BYTES);
    return is_public(address->sa_family, bytes);
}

bool address_is_public_host(const char *host)
{
    unsigned char address[16];
    char bare[256];
    snprintf(bare, sizeof bare, "%s", *host == '[' ? host + 1 : host);
    bare[strcspn(bare, "]%")] = 0;
    size_t length = strlen(bare);
    if (length && bare[length - 1] == '.')
        bare[--length] = 0;
    if (inet_pton(AF_INET, bare, address))
        return is_public(AF_INET, address);
    if (inet_pton(AF_INET6, bare, address))
        return is_public(AF_INET6, address);
    return strcasecmp(bare, "localhost") != 0 &&
           (length < 10 || strcasecmp(bare + length - 10, ".localhost") != 0);
}
