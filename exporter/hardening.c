#include "exporter/hardening.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/compiler.h"
#include "core/log.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { OTHERS = 007, FILES_BESIDE = 256 }; /* files: database, collectors, receivers, API */
#define MIB ((uint64_t)1 << 20)

/* --- streams ---------------------------------------------------------------------------------- */

bool hardening_keep_streams(struct error *error)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        if (open("/dev/null", O_RDWR) != fd) /* the lowest that is free */
            return error_set(error, ERROR_IO, "file descriptor %d is closed, and /dev/null: %s", fd,
                             strerror(errno));
    }
    return true;
}

/* --- rights ----------------------------------------------------------------------------------- */

void hardening_apply(bool debug)
{
    const struct rlimit none = { 0, 0 };
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    umask(umask(OTHERS) | OTHERS);
    signal(SIGXFSZ, SIG_IGN);
    if (debug)
        return;
    setrlimit(RLIMIT_CORE, &none);
    if (!SANITIZED)
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* --- limits ----------------------------------------------------------------------------------- */

struct hardening_answer hardening_judge(uint64_t soft, uint64_t hard, uint64_t needed)
{
    struct hardening_answer answer = { 0 };
    uint64_t reached = soft;
    if (soft < needed && hard > soft)
        reached = answer.raise_to = hard < needed ? hard : needed;
    answer.missing = reached < needed ? needed - reached : 0;
    return answer;
}

/* needed: by one with a middling tenant. */
static const struct limit {
    int resource;
    const char *name, *setting, *then; /* then: what goes wrong */
    uint64_t needed;
} limits[] = {
    { RLIMIT_NOFILE, "open files", "LimitNOFILE",
      "connections are refused before there are so many", FILES_BESIDE },
    { RLIMIT_FSIZE, "size of a file", "LimitFSIZE", "the database cannot grow", 1024 * MIB },
    { RLIMIT_AS, "address space", "LimitAS", "it ends when memory runs out", 1024 * MIB },
    { RLIMIT_DATA, "data segment", "LimitDATA", "it ends when memory runs out", 512 * MIB },
    { RLIMIT_STACK, "stack", "LimitSTACK", "it ends when a stack is full", 1 * MIB },
};

void hardening_check_limits(int64_t connections)
{
    for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
        const struct limit *limit = &limits[i];
        uint64_t needed = limit->needed;
        struct rlimit now;
        if (limit->resource == RLIMIT_NOFILE)
            needed += (uint64_t)connections;
        if (getrlimit((unsigned)limit->resource, &now))
            continue;
        struct hardening_answer answer = hardening_judge(now.rlim_cur, now.rlim_max, needed);
        if (answer.raise_to) {
            now.rlim_cur = answer.raise_to;
            if (setrlimit((unsigned)limit->resource, &now))
                log_warn(MSG("a limit cannot be raised"), TEXT("limit", limit->name),
                         TEXT("err", strerror(errno)));
        }
        if (answer.missing)
            log_warn(MSG("a limit is too low"), TEXT("limit", limit->name),
                     INT("is", (int64_t)(needed - answer.missing)), INT("needed", (int64_t)needed),
                     TEXT("set", limit->setting), TEXT("else", limit->then));
    }
}
