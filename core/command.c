#include "core/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/compiler.h"

enum { STEP_MS = 100 };

/* The two ends that are read, and those the program writes to. */
struct pipes {
    int ours[2], theirs[2];
};

static void close_all(int files[2])
{
    for (int i = 0; i < 2; i++)
        if (files[i] >= 0)
            close(files[i]);
    files[0] = files[1] = -1;
}

static void close_pipes(struct pipes *pipes)
{
    close_all(pipes->ours);
    close_all(pipes->theirs);
}

static bool open_pipes(struct pipes *pipes)
{
    for (int i = 0; i < 2; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC))
            return false;
        pipes->ours[i] = ends[0];
        pipes->theirs[i] = ends[1];
    }
    return true;
}

/* Start it in a process group of its own, so that what it starts ends with it. */
static int spawn(const struct command *command, const struct pipes *pipes, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    char *const *words = (char *const *)(size_t)command->words;
    sigemptyset(&none);
    sigfillset(&usual);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipes->theirs[0], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, pipes->theirs[1], STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    int reason = posix_spawnp(child, words[0], &actions, &attributes, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return reason;
}

/* Read what is there; closes the file at its end. */
static bool drain(int *file, struct buf *out)
{
    char bytes[4096];
    ssize_t got = read(*file, bytes, sizeof bytes);
    if (got > 0)
        buf_append(out, bytes, (size_t)got);
    explicit_bzero(bytes, sizeof bytes);
    if (!got || (got < 0 && errno != EINTR)) {
        close(*file);
        *file = -1;
    }
    return !out->overflowed;
}

static bool read_all(const struct command *command, struct pipes *pipes, struct buf *const outs[2],
                     struct error *error)
{
    while (pipes->ours[0] >= 0 || pipes->ours[1] >= 0) {
        struct pollfd files[2] = { { pipes->ours[0], POLLIN, 0 }, { pipes->ours[1], POLLIN, 0 } };
        if (clock_monotonic_ms() >= command->deadline_ms)
            return error_set(error, ERROR_TIMEOUT, "%s: no end in time", command->words[0]);
        if (command->goes_on && !command->goes_on(command->context))
            return error_set(error, ERROR_CANCELLED, "%s: cancelled", command->words[0]);
        if (poll(files, 2, STEP_MS) <= 0)
            continue;
        for (int i = 0; i < 2; i++)
            if (files[i].revents && !drain(&pipes->ours[i], outs[i]))
                return error_set(error, ERROR_LIMIT, "%s: writes too much", command->words[0]);
    }
    return true;
}

/* Wait for the end of a program that closed its output; one that lives on is killed in time. */
static int reap(const struct command *command, pid_t child)
{
    int state = 0;
    while (waitpid(child, &state, WNOHANG) == 0) {
        if (clock_monotonic_ms() >= command->deadline_ms)
            kill(-child, SIGKILL);
        clock_sleep_ms(5);
    }
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

bool command_run(const struct command *command, struct buf *out, struct buf *said, int *status,
                 struct error *error)
{
    CLEANUP(close_pipes) struct pipes pipes = { { -1, -1 }, { -1, -1 } };
    struct buf *const outs[2] = { out, said };
    pid_t child;
    if (!open_pipes(&pipes))
        return error_set(error, ERROR_IO, "%s: no pipe: %s", command->words[0], strerror(errno));
    int reason = spawn(command, &pipes, &child);
    if (reason)
        return error_set(error, reason == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "%s: %s",
                         command->words[0],
                         reason == ENOENT ? "is not installed" : strerror(reason));
    close_all(pipes.theirs);
    bool ok = read_all(command, &pipes, outs, error);
    if (!ok)
        kill(-child, SIGKILL);
    *status = reap(command, child);
    return ok;
}
