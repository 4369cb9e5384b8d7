/* hardening: what is decided about limits, and what the process has given up afterwards. */
#include "exporter/hardening.h"
#include "test.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(limits_are_raised_as_far_as_they_go)
{
    static const struct {
        uint64_t soft, hard, needed, raise_to, missing;
    } cases[] = {
        { 1024, 4096, 768, 0, 0 },  /* enough */
        { 768, 768, 768, 0, 0 },    /* just enough */
        { 767, 4096, 768, 768, 0 }, /* one too few: no more than is needed */
        { 256, 4096, 768, 768, 0 }, /* the usual */
        { 256, 700, 768, 700, 68 }, /* to the hard one, and still too few */
        { 256, 256, 768, 0, 512 },  /* nothing to be done */
        { 0, 0, 1, 0, 1 },          /* none at all */
        { UINT64_MAX, UINT64_MAX, 768, 0, 0 },
        { 256, UINT64_MAX, 768, 768, 0 }, /* no hard one */
        { 300, 256, 768, 0, 468 },        /* which no system says */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hardening_answer answer =
            hardening_judge(cases[i].soft, cases[i].hard, cases[i].needed);
        CHECK_INT(answer.raise_to, cases[i].raise_to);
        CHECK_INT(answer.missing, cases[i].missing);
    }
}

/* What a child does that must not happen to this process; its exit status. */
static int in_child(int (*act)(void))
{
    int status = -1;
    pid_t child = fork();
    if (!child)
        _exit(act());
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int close_streams(void)
{
    struct error error;
    close(STDIN_FILENO);
    close(STDERR_FILENO);
    if (!hardening_keep_streams(&error))
        return 1;
    struct stat null, one;
    if (stat("/dev/null", &null))
        return 2;
    for (int fd = 0; fd < 3; fd += 2)
        if (fstat(fd, &one) || one.st_rdev != null.st_rdev)
            return 3;
    return open("/dev/null", O_RDONLY) > STDERR_FILENO ? 0 : 4;
}

TEST(closed_streams_lead_nowhere)
{
    CHECK_INT(in_child(close_streams), 0);
}

static int give_up(void)
{
    struct rlimit core;
    umask(022);
    hardening_apply(false);
    if (getrlimit(RLIMIT_CORE, &core) || core.rlim_cur || core.rlim_max)
        return 1;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 2;
    if (umask(0) != 027)
        return 3;
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) ? 10 : 0;
}

static int stay_open(void)
{
    struct rlimit before, core;
    getrlimit(RLIMIT_CORE, &before);
    hardening_apply(true);
    getrlimit(RLIMIT_CORE, &core);
    bool same = core.rlim_cur == before.rlim_cur && core.rlim_max == before.rlim_max;
    return same && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1 &&
                   prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
               ? 0
               : 1;
}

TEST(secrets_stay_in_the_process)
{
    int status = in_child(give_up);
    CHECK(status == 0 || status == 10); /* 10: dumpable, as a sanitizer needs it */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK_INT(status, 0);
#endif
    CHECK_INT(in_child(stay_open), 0);
}

static int raise_files(void)
{
    struct rlimit files = { 64, 0 }, now;
    if (getrlimit(RLIMIT_NOFILE, &now) || now.rlim_max < 1000)
        return 0;
    files.rlim_max = now.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    hardening_check_limits(512);
    return getrlimit(RLIMIT_NOFILE, &now) || now.rlim_cur != 768;
}

TEST(open_files_suffice_for_the_connections)
{
    CHECK_INT(in_child(raise_files), 0);
}
