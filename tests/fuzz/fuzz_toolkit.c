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
    if (tls->enabled && (!tls->cert || !secret_text(&tls->key)))
        abort();
    if (tls->min_version < TOOLKIT_TLS12 || tls->min_version > tls->max_version)
        abort();
    if (!(toolkit->interval_s >= 0) || toolkit->burst < 0)
        abort();
    for (size_t i = 0; i < toolkit->users.count; i++)
        if (password_wrong(toolkit->users.pairs[i].value))
            abort();
    for (size_t i = 0; i < toolkit->headers.count; i++)
        if (strpbrk(toolkit->headers.pairs[i].value, "\r\n"))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    char path[32], text[64] = "";
    double seconds;
    memcpy(text, bytes, count < sizeof text ? count : sizeof text - 1);
    if (toolkit_duration(text, &seconds) && !(seconds >= 0))
        abort();
    int fd = memfd_create("web.yml", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct option_report report = { 0 };
    if (write(fd, bytes, count) == (ssize_t)count) {
        struct toolkit *toolkit = toolkit_read(path, &report);
        if (!toolkit != (report.count > 0))
            abort();
        if (toolkit)
            check(toolkit);
        toolkit_destroy(toolkit);
    }
    options_report_finish(&report);
    close(fd);
    return 0;
}
