/* fake_azure: start, serve, let the tenant live, stop on a signal. */
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "web.h"

/* Until somebody ends us; every so often the tenant goes on. */
static void live(struct fake *fake, const sigset_t *signals)
{
    const struct timespec pause = { .tv_sec = fake->options.evolve_s };
    for (;;) {
        siginfo_t info;
        if (sigtimedwait(signals, &info, fake->options.evolve_s ? &pause : NULL) > 0)
            return;
        if (!fake->options.evolve_s)
            continue;
        pthread_mutex_lock(&fake->lock);
        fake_advance(fake, 1);
        pthread_mutex_unlock(&fake->lock);
    }
}

int main(int count, char **words)
{
    struct fake *fake = fake_create(count, words);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct web *web = web_start(fake);
    if (!web) {
        fprintf(stderr, "fake_azure: cannot listen on port %u, or use the certificate\n",
                fake->options.port);
        return 1;
    }
    printf("fake_azure: listening on %s://127.0.0.1:%u\n",
           fake->options.certificate ? "https" : "http", web_port(web));
    fflush(stdout);
    live(fake, &signals);
    atomic_store(&fake->stopping, true);
    web_stop(web);
    fake_destroy(fake);
    return 0;
}
