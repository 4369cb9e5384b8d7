/* Reads the command line, starts the service and waits for signals. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "core/log.h"
#include "exporter/commands.h"
#include "exporter/hardening.h"
#include "exporter/service.h"
#include "exporter/systemd.h"
#include "version.h"

/* Every thread inherits this: signals are taken by wait_for_end alone, and one that comes while the
 * program still starts waits for it. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

/* The next signal; until then systemd's watchdog is told that the program lives. */
static int wait_for_signal(struct service *service, const sigset_t *signals)
{
    const int64_t every_ms = systemd_watchdog_ms();
    const struct timespec pause = { every_ms / 1000, every_ms % 1000 * 1000000 };
    for (;;) {
        int number = every_ms ? sigtimedwait(signals, NULL, &pause) : sigwaitinfo(signals, NULL);
        if (number > 0)
            return number;
        if (every_ms && errno == EAGAIN) {
            service_touch(service);
            systemd_send("WATCHDOG=1");
        }
    }
}

/* Reload at each SIGHUP, return at SIGTERM or SIGINT. */
static void wait_for_end(struct service *service, const sigset_t *signals)
{
    for (;;) {
        int number = wait_for_signal(service, signals);
        if (number != SIGHUP) {
            log_info(MSG("stopping"), TEXT("signal", number == SIGINT ? "SIGINT" : "SIGTERM"));
            return;
        }
        CLEANUP(options_report_finish) struct option_report report = { 0 };
        CLEANUP(buf_finish) struct buf answer = { 0 };
        const struct audit_by by = { "", AUDIT_SIGNAL };
        if (!service_reload(service, &by, &answer, &report))
            continue; /* logged, and the old configuration stays */
    }
}

static int serve(struct service *service, const sigset_t *signals)
{
    struct error error;
    log_info(MSG("starting defender_exporter"), TEXT("version", VERSION),
             TEXT("revision", VERSION_REVISION));
    if (!service_start(service, &error)) {
        log_error(MSG("cannot start"), ERR(&error));
        return EXIT_FAILED;
    }
    systemd_send("READY=1");
    wait_for_end(service, signals);
    systemd_send("STOPPING=1");
    service_stop(service);
    log_info(MSG("stopped"));
    return EXIT_FINE;
}

static int collect_once(struct service *service)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    bool ok = service_once(service, &out);
    fwrite(buf_cstr(&out), 1, out.length, stdout);
    return ok && !fflush(stdout) ? EXIT_FINE : EXIT_FAILED;
}

static int run(const struct flags *flags)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct error error;
    sigset_t signals;
    signal(SIGPIPE, SIG_IGN);
    if (!flags->once)
        block_signals(&signals);
    struct config *config = service_load(flags, NULL, &report);
    if (!config) {
        fputs(buf_cstr(&report.text), stderr);
        return EXIT_USAGE;
    }
    log_configure(&config->log);
    hardening_check_limits(config->web.max_connections);
    struct service *service = service_create(config, flags, &error);
    if (!service) {
        log_error(MSG("cannot start"), ERR(&error));
        return error.code == ERROR_CONFIG ? EXIT_USAGE : EXIT_FAILED; /* a manager tries again */
    }
    int status = flags->once ? collect_once(service) : serve(service, &signals);
    service_destroy(service);
    return status;
}

static int help(const struct flags *flags)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    int status = commands_help(flags, &out);
    fputs(buf_cstr(&out), stdout);
    return status;
}

static int version(void)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    commands_version(&out);
    fputs(buf_cstr(&out), stdout);
    return EXIT_FINE;
}

/* Parts come and go by tens of megabytes: large blocks go back to the system when freed (glibc
 * would raise its threshold and keep them), threads share few heaps: memory does not creep. */
static void tame_malloc(void)
{
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
    mallopt(M_ARENA_MAX, 2);
}

int main(int argc, char **argv)
{
    tame_malloc();
    CLEANUP(flags_finish) struct flags flags = { 0 };
    struct error error;
    if (!hardening_keep_streams(&error))
        return EXIT_FAILED;
    if (!flags_parse(argc, argv, &flags, &error)) {
        fprintf(stderr, "defender_exporter: %s\n", error.message);
        return EXIT_USAGE;
    }
    if (flags.help)
        return help(&flags);
    if (flags.version)
        return version();
    hardening_apply(flags.debug);
    return commands_is_run(&flags) ? run(&flags) : commands_run(&flags);
}
