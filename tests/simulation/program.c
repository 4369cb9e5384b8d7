#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BAD = 2 };

static pid_t process;
static int wire = -1;

static void fail(const char *why)
{
    fprintf(stderr, "simulate: %s\n", why);
    exit(BAD);
}

/* --- the wire --------------------------------------------------------------------------------- */

static void receive_all(void *bytes, size_t count)
{
    char *at = bytes;
    while (count) {
        ssize_t got = recv(wire, at, count, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            fail("the program is gone");
        at += got;
        count -= (size_t)got;
    }
}

static void send_all(const void *bytes, size_t count)
{
    const char *at = bytes;
    while (count) {
        ssize_t sent = send(wire, at, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            fail("the program is gone");
        at += sent;
        count -= (size_t)sent;
    }
}

void program_live(void)
{
    const struct stage_answer begins = { 0 };
    send_all(&begins, sizeof begins);
}

void program_hear(struct stage_question *question, struct buf *asked)
{
    receive_all(question, sizeof *question);
    buf_reserve(asked, question->bytes + 1);
    receive_all(asked->data, question->bytes);
    asked->length = question->bytes;
    asked->data[asked->length] = 0;
}

void program_answer(const struct stage_answer *answer, const struct buf *headers,
                    const struct buf *body)
{
    send_all(answer, sizeof *answer);
    send_all(headers->data, headers->length);
    send_all(body->data, body->length);
}

/* --- the process ------------------------------------------------------------------------------ */

static void become(const char *folder, const char *program, int page, int own)
{
    if (chdir(folder) || dup2(page, 10) < 0 || dup2(own, 11) < 0 || dup2(10, STAGE_PAGE) < 0 ||
        dup2(11, STAGE_WIRE) < 0)
        _exit(BAD);
    for (int other = 5; other < 64; other++)
        close(other);
    personality(ADDR_NO_RANDOMIZE);
    execl(program, program, "life.yml", "life.log", (char *)NULL);
    _exit(BAD);
}

void program_begin(const char *folder, const char *program, int page)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        fail("there is no socket");
    fflush(NULL); /* else both write what is buffered */
    process = fork();
    if (!process)
        become(folder, program, page, ends[1]);
    close(ends[1]);
    wire = ends[0];
}

void program_end(void)
{
    close(wire);
    while (waitpid(process, NULL, 0) < 0 && errno == EINTR)
        continue;
}
