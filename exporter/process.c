#include "exporter/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* clang-format off */
static const struct family_0 cpu_seconds = {
    .name = "process_cpu_seconds_total", .type = METRIC_COUNTER, .unit = "seconds",
    .help = "Total user and system CPU time spent in seconds." };
static const struct family_0 open_fds = {
    .name = "process_open_fds", .type = METRIC_GAUGE,
    .help = "Number of open file descriptors." };
static const struct family_0 max_fds = {
    .name = "process_max_fds", .type = METRIC_GAUGE,
    .help = "Maximum number of open file descriptors." };
static const struct family_0 virtual_memory = {
    .name = "process_virtual_memory_bytes", .type = METRIC_GAUGE, .unit = "bytes",
    .help = "Virtual memory size in bytes." };
static const struct family_0 virtual_memory_max = {
    .name = "process_virtual_memory_max_bytes", .type = METRIC_GAUGE, .unit = "bytes",
    .help = "Maximum amount of virtual memory available in bytes." };
static const struct family_0 resident_memory = {
    .name = "process_resident_memory_bytes", .type = METRIC_GAUGE, .unit = "bytes",
    .help = "Resident memory size in bytes." };
static const struct family_0 start_time = {
    .name = "process_start_time_seconds", .type = METRIC_GAUGE, .unit = "seconds",
    .help = "Start time of the process since unix epoch in seconds." };
static const struct family_0 threads = {
    .name = "process_threads", .type = METRIC_GAUGE,
    .help = "Number of threads of the process." };
/* clang-format on */

const struct family *const process_families[] = {
    &cpu_seconds.family,
    &open_fds.family,
    &max_fds.family,
    &virtual_memory.family,
    &virtual_memory_max.family,
    &resident_memory.family,
    &start_time.family,
    &threads.family,
    NULL,
};

/* Fields of /proc/self/stat, counted from the one after the command. source: proc(5). */
enum {
    STAT_UTIME = 11,
    STAT_STIME = 12,
    STAT_THREADS = 17,
    STAT_START = 19,
    STAT_VSIZE = 20,
    STAT_RSS = 21,
    STAT_COUNT
};

static bool read_stat(int fd, double fields[STAT_COUNT])
{
    char text[1024];
    ssize_t length = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
    if (length <= 0)
        return false;
    text[length] = 0;
    const char *at = strrchr(text, ')'); /* the command may hold anything */
    if (!at || strlen(at) < 4)
        return false;
    at += 3; /* past the state letter */
    fields[0] = 0;
    for (size_t i = 1; i < STAT_COUNT; i++) {
        char *end;
        fields[i] = (double)strtoll(at, &end, 10);
        if (end == at)
            return false;
        at = end;
    }
    return true;
}

/* When the machine started, Unix seconds; 0 when it does not say. */
static double boot_time(void)
{
    FILE *file = fopen("/proc/stat", "re");
    if (!file)
        return 0;
    char line[8192];
    double at = 0;
    while (!at && fgets(line, sizeof line, file))
        if (!strncmp(line, "btime ", 6))
            at = (double)strtoll(line + 6, NULL, 10);
    fclose(file);
    return at;
}

void process_init(struct process *process)
{
    double fields[STAT_COUNT];
    *process = (struct process){ .stat_fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC) };
    if (read_stat(process->stat_fd, fields))
        process->started_at = boot_time() + fields[STAT_START] / (double)sysconf(_SC_CLK_TCK);
}

void process_finish(struct process *process)
{
    if (process->stat_fd >= 0)
        close(process->stat_fd);
    process->stat_fd = -1;
}

static void emit_open_fds(struct metric_set *set)
{
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return;
    int count = -1; /* the folder's own */
    for (const struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    metric_add(set, &open_fds, count, METRIC_LABELS());
}

static void emit_limit(struct metric_set *set, const struct family_0 *family, int resource)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit))
        return;
    metric_add(set, family, (double)limit.rlim_cur, METRIC_LABELS());
}

void process_emit(const struct process *process, struct metric_set *set)
{
    double fields[STAT_COUNT];
    if (read_stat(process->stat_fd, fields)) {
        double ticks = fields[STAT_UTIME] + fields[STAT_STIME];
        const struct metric_detail since_start = { .created_at = process->started_at };
        metric_add_counter(set, &cpu_seconds, ticks / (double)sysconf(_SC_CLK_TCK), &since_start,
                           METRIC_LABELS());
        metric_add(set, &virtual_memory, fields[STAT_VSIZE], METRIC_LABELS());
        metric_add(set, &resident_memory, fields[STAT_RSS] * (double)sysconf(_SC_PAGESIZE),
                   METRIC_LABELS());
        metric_add(set, &start_time, process->started_at, METRIC_LABELS());
        metric_add(set, &threads, fields[STAT_THREADS], METRIC_LABELS());
    }
    emit_open_fds(set);
    emit_limit(set, &max_fds, RLIMIT_NOFILE);
    emit_limit(set, &virtual_memory_max, RLIMIT_AS);
}
