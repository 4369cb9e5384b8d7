/* Any bytes as a web configuration file, and as a duration of it: read, or refused with reasons;
 * never a crash. What is accepted keeps what the server relies on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exporter/web/password.h"
#include "exporter/web/toolkit.h"
#include "fuzz.h"

static void check(const struct toolkit *toolkit)
{
    const struct toolkit_tls *tls = &toolkit->tls;
    FUZZ_CHECK(!tls->enabled || (tls->cert && secret_text(&tls->key)));
    FUZZ_CHECK(tls->min_version >= TOOLKIT_TLS12 && tls->min_version <= tls->max_version);
    FUZZ_CHECK(toolkit->interval_s >= 0 && toolkit->burst >= 0);
    for (size_t i = 0; i < toolkit->users.count; i++)
        FUZZ_CHECK(!password_wrong(toolkit->users.pairs[i].value));
    for (size_t i = 0; i < toolkit->headers.count; i++)
        FUZZ_CHECK(!strpbrk(toolkit->headers.pairs[i].value, "\r\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    char path[32], text[64] = "";
    double seconds;
    memcpy(text, bytes, count < sizeof text ? count : sizeof text - 1);
    FUZZ_CHECK(!toolkit_duration(text, &seconds) || seconds >= 0);
    int fd = memfd_create("web.yml", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct option_report report = { 0 };
    if (write(fd, bytes, count) == (ssize_t)count) {
        struct toolkit *toolkit = toolkit_read(path, &report);
        FUZZ_CHECK(!toolkit == (report.count > 0));
        if (toolkit)
            check(toolkit);
        toolkit_destroy(toolkit);
    }
    options_report_finish(&report);
    close(fd);
    return 0;
}
