/* Preloaded into a program, it moves its wall clock by the seconds written in the file that
 * WALL_CLOCK_FILE names, whenever they change. With WALL_CLOCK_PACE=N and WALL_CLOCK_FROM=S the
 * clocks that tell how late it is, the wall clock and the one that counts sleep, run N times as
 * fast since instant S (Unix time). CLOCK_MONOTONIC, by which programs wait, is left alone. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SECOND_NS = 1000000000 };

static long long ahead_s(void)
{
    const char *name = getenv("WALL_CLOCK_FILE");
    FILE *file = name ? fopen(name, "re") : NULL;
    long long seconds = 0;
    if (file && fscanf(file, "%lld", &seconds) != 1)
        seconds = 0;
    if (file)
        fclose(file);
    return seconds;
}

static long long number(const char *name, long long otherwise)
{
    const char *text = getenv(name);
    return text ? strtoll(text, NULL, 10) : otherwise;
}

/* As much later as pace says; from_s: on this clock. */
static void hurry(struct timespec *now, long long from_s, long long pace)
{
    long long passed_s = now->tv_sec - from_s, part_ns = now->tv_nsec * pace;
    if (pace == 1 || passed_s < 0)
        return;
    now->tv_sec = (time_t)(from_s + passed_s * pace + part_ns / SECOND_NS);
    now->tv_nsec = (long)(part_ns % SECOND_NS);
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    int status = (int)syscall(SYS_clock_gettime, id, out);
    if (status)
        return status;
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) {
        hurry(out, number("WALL_CLOCK_FROM", 0), number("WALL_CLOCK_PACE", 1));
        out->tv_sec += (time_t)ahead_s();
    } else if (id == CLOCK_BOOTTIME) {
        hurry(out, 0, number("WALL_CLOCK_PACE", 1)); /* only how much passes counts */
    }
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
