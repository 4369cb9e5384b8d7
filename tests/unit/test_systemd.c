#include "exporter/systemd.h"

#include <fcntl.h>
#include <stddef.h>
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

/* What has arrived already; "" when nothing has. */
static const char *receive_now(int fd, char out[256])
{
    ssize_t got = recv(fd, out, 255, MSG_DONTWAIT);
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

TEST(the_abstract_namespace_begins_with_an_at)
{
    char name[64], text[256];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    int length = snprintf(name, sizeof name, "@defender_exporter_test_%d", (int)getpid());
    memcpy(address.sun_path + 1, name + 1, (size_t)length - 1);
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length);
    CHECK(!bind(fd, (struct sockaddr *)&address, bytes));
    setenv("NOTIFY_SOCKET", name, 1);
    systemd_send("STOPPING=1");
    CHECK_TEXT(receive_now(fd, text), "STOPPING=1");
    close(fd);
}

TEST(the_shortest_name_has_one_letter)
{
    char name[3] = "@A", text[256];
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    socklen_t bytes = offsetof(struct sockaddr_un, sun_path) + 2;
    for (name[1] = 'A'; name[1] <= 'Z'; name[1]++) { /* one that nobody else has */
        address.sun_path[1] = name[1];
        if (!bind(fd, (struct sockaddr *)&address, bytes))
            break;
    }
    setenv("NOTIFY_SOCKET", name, 1);
    systemd_send("READY=1");
    CHECK_TEXT(receive_now(fd, text), "READY=1");
    close(fd);
}

static int count_open_files(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

TEST(without_a_socket_of_its_own_nobody_is_told)
{
    static const char *const values[] = { "", "/", "/nonexistent/socket", NULL };
    char name[sizeof(struct sockaddr_un){ 0 }.sun_path], text[256];
    /* as long as the name of a socket can be */
    size_t room = sizeof name - strlen(test_folder()) - 1;
    memset(name, 'n', room);
    name[room - 1] = 0;
    int fd = listen_at(name);
    int before = count_open_files();
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (values[i])
            setenv("NOTIFY_SOCKET", values[i], 1);
        else
            unsetenv("NOTIFY_SOCKET");
        systemd_send("READY=1");
    }
    snprintf(text, sizeof text, "%s/%sx", test_folder(), name);
    setenv("NOTIFY_SOCKET", text, 1); /* cut, it would be the other's */
    systemd_send("READY=1");
    CHECK_TEXT(receive_now(fd, text), "");
    snprintf(text, sizeof text, "%s/%s", test_folder(), name);
    setenv("NOTIFY_SOCKET", text, 1);
    systemd_send("READY=1");
    CHECK_TEXT(receive_now(fd, text), "READY=1");
    CHECK_INT(count_open_files(), before);
    close(fd);
}

TEST(the_watchdog_is_told_twice_as_often_as_it_wants)
{
    char own[32], other[32];
    snprintf(own, sizeof own, "%d", (int)getpid());
    snprintf(other, sizeof other, "%d", (int)getpid() + 1);
    const struct {
        const char *allowed, *process;
        int64_t every_ms;
    } rows[] = {
        { "120000000", own, 60000 }, { "120000000", NULL, 60000 }, { "120000000", "", 60000 },
        { "120000000", other, 0 },   { "1999", own, 0 },           { "", own, 0 },
        { "never", own, 0 },         { "-5", own, 0 },             { NULL, own, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        if (rows[i].allowed)
            setenv("WATCHDOG_USEC", rows[i].allowed, 1);
        if (rows[i].process)
            setenv("WATCHDOG_PID", rows[i].process, 1);
        CHECK_INT(systemd_watchdog_ms(), rows[i].every_ms);
    }
}
