#include "core/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/compiler.h"
#include "test.h"

TEST(addresses_that_are_not_public)
{
    static const struct {
        const char *host;
        bool is_public;
    } cases[] = {
        { "127.0.0.1", false },       { "127.255.255.254", false },
        { "0.0.0.0", false },         { "10.0.0.1", false },
        { "172.15.255.255", true },   { "172.16.0.1", false },
        { "172.31.255.255", false },  { "172.32.0.1", true },
        { "192.168.1.1", false },     { "192.169.0.1", true },
        { "169.254.169.254", false }, { "100.64.0.1", false },
        { "100.128.0.1", true },      { "224.0.0.1", false },
        { "255.255.255.255", false }, { "8.8.8.8", true },
        { "[::1]", false },           { "[::]", false },
        { "[fe80::1]", false },       { "[febf::1]", false },
        { "[fd00::1]", false },       { "[ff02::1]", false },
        { "[2001:4860::1]", true },   { "[::ffff:10.0.0.1]", false },
        { "[::ffff:8.8.8.8]", true }, { "[64:ff9b::7f00:1]", false },
        { "[2002:7f00:1::]", false }, { "[2002:808:808::]", true },
        { "localhost", false },       { "LOCALHOST.", false },
        { "a.localhost", false },     { "notlocalhost", true },
        { "example.org", true },      { "168.63.129.16", false },
        { "168.63.129.17", true },    { "168.63.129.16.", false },
        { "127.0.0.1.", false },      { "[::ffff:168.63.129.16]", false },
        { "[::127.0.0.1]", false },   { "[fec0::1]", false },
        { "[2001:0:1::1]", false },   { "8.8.8.8.", true },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        if (address_is_public_host(cases[i].host) != cases[i].is_public)
            CHECK_TEXT(cases[i].host, cases[i].is_public ? "public" : "not public");
}

TEST(addresses_of_sockets)
{
    char text[ADDRESS_TEXT_BYTES];
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    struct sockaddr_un local = { .sun_family = AF_UNIX };
    inet_pton(AF_INET, "10.1.2.3", &v4.sin_addr);
    CHECK(!address_is_public((const struct sockaddr *)&v4, text));
    CHECK_TEXT(text, "10.1.2.3");
    inet_pton(AF_INET, "8.8.4.4", &v4.sin_addr);
    CHECK(address_is_public((const struct sockaddr *)&v4, text));
    inet_pton(AF_INET6, "::1", &v6.sin6_addr);
    CHECK(!address_is_public((const struct sockaddr *)&v6, text));
    CHECK_TEXT(text, "::1");
    inet_pton(AF_INET6, "2001:4860::1", &v6.sin6_addr);
    CHECK(address_is_public((const struct sockaddr *)&v6, text));
    CHECK(!address_is_public((const struct sockaddr *)&local, text));
}
