#include "collectors/run/runner_kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bounds.h"
#include "core/log.h"

enum { KEPT_BYTES_MAX = 64 << 20 };

static bool write_all(int fd, const char *bytes, size_t count)
{
    while (count) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        count -= (size_t)written;
    }
    return true;
}

/* A new file beside the old one, synced, then renamed over it. */
static bool replace_file(const char *path, const struct buf *content, struct error *error)
{
    char next[4096];
    snprintf(next, sizeof next, "%s.new", path);
    int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set(error, ERROR_IO, "cannot write %s: %s", next, strerror(errno));
    bool ok = write_all(fd, buf_cstr(content), content->length) && !fsync(fd);
    ok = !close(fd) && ok && !rename(next, path);
    if (ok)
        return true;
    error_set(error, ERROR_IO, "cannot write %s: %s", path, strerror(errno));
    unlink(next);
    return false;
}

static bool read_file(const char *path, struct buf *content)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    content->limit_bytes = KEPT_BYTES_MAX;
    char chunk[65536];
    ssize_t got;
    while ((got = read(fd, chunk, sizeof chunk)) > 0)
        buf_append(content, chunk, (size_t)got);
    close(fd);
    return got == 0 && !content->overflowed;
}

static void file_path(const struct source *source, const char *storage_path, char out[4000])
{
    snprintf(out, 4000, "%s/%s.json", storage_path, source->key);
}

void runner_kept_save(const struct part *part, const char *storage_path)
{
    CLEANUP(buf_finish) struct buf content = { 0 };
    buf_printf(&content,
               "{\"collected_at\":%lld,\"odd\":%zu,\"items\":", (long long)part->collected_at,
               odd_count(&part->odd));
    part->source->collector->save(part, &content);
    buf_char(&content, '}');
    char path[4000];
    file_path(part->source, storage_path, path);
    struct error error;
    if (!replace_file(path, &content, &error))
        log_warn(MSG("cannot keep data between runs"), TEXT("collector", part->source->name),
                 ERR(&error));
}

struct part *runner_kept_load(const struct source *source, const char *storage_path)
{
    CLEANUP(buf_finish) struct buf content = { 0 };
    char path[4000];
    file_path(source, storage_path, path);
    if (!read_file(path, &content))
        return NULL;
    struct error error;
    struct json *saved = json_parse(buf_cstr(&content), content.length, &error);
    struct part *part = part_create(source);
    bool ok = saved && source->collector->load(part, json_get(saved, "items"), &error);
    part_seal(part);
    part->collected_at =
        bounds_number(BOUND_INSTANT, json_number(json_get(saved, "collected_at"), 0));
    if (json_number(json_get(saved, "odd"), 0) > 0)
        odd_add(&part->odd, ODD_MISSING, "", "some rows were odd when they were kept");
    json_free(saved);
    if (ok)
        return part;
    part_release(part);
    log_warn(MSG("kept data cannot be read and are fetched again"), TEXT("collector", source->name),
             TEXT("path", path), ERR(&error));
    return NULL;
}
