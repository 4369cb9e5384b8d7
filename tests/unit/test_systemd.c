#include "exporter/systemd.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "test.h"

/* A socket as systemd opens one, named in the environment. */
static int listen_at(const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval limit = { .tv_sec = 10 };
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", test_folder(), name);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    CHECK(!bind(fd, (struct sockaddr *)&address, sizeof address));
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    return fd;
}

static const char *receive(int fd, char out[256])
{
    ssize_t got = recv(fd, out, 255, 0);
    out[got > 0 ? got : 0] = 0;
    return out;
}

TEST(states_arrive_as_datagrams)
{
    char text[256];
    int fd = listen_at("notify");
    systemd_send("READY=1");
    CHECK_TEXT(receive(fd, text), "READY=1");
    systemd_reloading();
    CHECK_CONTAINS(receive(fd, text), "RELOADING=1\nMONOTONIC_USEC=");
    CHECK(strtoll(strrchr(text, '=') + 1, NULL, 10) > 0);
    close(fd);
}

TEST(without_a_socket_nothing_happens)
{
    static const char *const values[] = { "", "/", "/nonexistent/socket" };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        setenv("NOTIFY_SOCKET", values[i], 1);
        systemd_send("READY=1");
    }
    unsetenv("NOTIFY_SOCKET");
    systemd_send("READY=1");
    CHECK(!getenv("NOTIFY_SOCKET"));
}
