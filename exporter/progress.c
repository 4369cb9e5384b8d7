#include "exporter/progress.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/worker.h"

enum { LONG_MS = 1000, AGAIN_MS = 250, USUAL_COLUMNS = 80 };

struct progress {
    struct worker *worker;
    int64_t started_ms;
    size_t of;

    pthread_mutex_t lock; /* guards what follows, and who writes */
    size_t done, rows;
    bool drawn;
};

static size_t columns_of_terminal(void)
{
    struct winsize size;
    return !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : USUAL_COLUMNS;
}

static void wipe(struct progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}

/* "3 of 12 collectors, 12345 rows, 8 s", one column less than the terminal has. */
static int64_t draw(void *context)
{
    struct progress *progress = context;
    CLEANUP(buf_finish) struct buf line = { 0 };
    pthread_mutex_lock(&progress->lock);
    buf_printf(&line, "%zu of %zu collectors, %zu rows, %lld s", progress->done, progress->of,
               progress->rows, (long long)(clock_monotonic_ms() - progress->started_ms) / 1000);
    fprintf(stderr, "\r\033[K%.*s", (int)columns_of_terminal() - 1, buf_cstr(&line));
    fflush(stderr);
    progress->drawn = true;
    pthread_mutex_unlock(&progress->lock);
    return AGAIN_MS;
}

struct progress *progress_start(size_t of)
{
    const char *terminal = getenv("TERM");
    if (!isatty(STDERR_FILENO) || !terminal || !strcmp(terminal, "dumb"))
        return NULL;
    struct progress *progress = MEMORY_NEW(struct progress);
    pthread_mutex_init(&progress->lock, NULL);
    progress->of = of;
    progress->started_ms = clock_monotonic_ms();
    progress->worker = worker_start("progress", draw, NULL, progress, LONG_MS);
    return progress;
}

void progress_note(struct progress *progress, size_t done, size_t rows)
{
    if (!progress)
        return;
    pthread_mutex_lock(&progress->lock);
    wipe(progress);
    progress->done = done;
    progress->rows = rows;
    pthread_mutex_unlock(&progress->lock);
}

void progress_stop(struct progress *progress)
{
    if (!progress)
        return;
    worker_stop(progress->worker);
    wipe(progress);
    pthread_mutex_destroy(&progress->lock);
    free(progress);
}
