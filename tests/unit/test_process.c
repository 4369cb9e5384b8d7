#include "exporter/process.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "core/compiler.h"
#include "test.h"

static double value_of(const struct process *process, const char *name)
{
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    process_emit(process, &set);
    for (size_t i = 0; i < set.count; i++)
        if (!strcmp(set.samples[i].family->name, name))
            return set.samples[i].value;
    return -1;
}

TEST(every_family_is_there_and_plausible)
{
    CLEANUP(process_finish) struct process process;
    process_init(&process);
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    process_emit(&process, &set);
    size_t families = 0;
    while (process_families[families])
        families++;
    CHECK_INT(set.count, families);
    double started = value_of(&process, "process_start_time_seconds");
    CHECK(started > (double)time(NULL) - 3600 && started < (double)time(NULL) + 2);
    CHECK(value_of(&process, "process_resident_memory_bytes") > 100e3);
    CHECK(value_of(&process, "process_virtual_memory_bytes") >
          value_of(&process, "process_resident_memory_bytes"));
    CHECK(value_of(&process, "process_threads") >= 1);
    CHECK(value_of(&process, "process_max_fds") > 0);
    CHECK(value_of(&process, "process_cpu_seconds_total") >= 0);
}

TEST(open_files_are_counted)
{
    CLEANUP(process_finish) struct process process;
    process_init(&process);
    double before = value_of(&process, "process_open_fds");
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK_NUMBER(value_of(&process, "process_open_fds"), before + 1);
    close(fd);
    CHECK_NUMBER(value_of(&process, "process_open_fds"), before);
}
