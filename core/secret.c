#include "core/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/log.h"
#include "core/memory.h"

enum { FILE_LIMIT_BYTES = 64 * 1024 };

void secret_set(struct secret *secret, const char *text)
{
    char *copy = memory_copy(text);
    log_redact(copy);
    secret_finish(secret);
    secret->text = copy;
}

/* Up to FILE_LIMIT_BYTES + 1 bytes, so that the caller sees when there are more; -1 = errno. */
static ssize_t read_all(const char *path, char *out)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    ssize_t total = 0, got = 1;
    while (got > 0 && total <= FILE_LIMIT_BYTES) {
        got = read(file, out + total, (size_t)(FILE_LIMIT_BYTES + 1 - total));
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            total += got;
    }
    int reason = errno;
    close(file);
    errno = reason;
    return got < 0 ? -1 : total;
}

static bool read_text(struct secret *secret, const char *path, char *text, struct error *error)
{
    ssize_t length = read_all(path, text);
    if (length < 0)
        return error_set(error, ERROR_IO, "secret file %s: %s", path, strerror(errno));
    if (length > FILE_LIMIT_BYTES)
        return error_set(error, ERROR_LIMIT, "secret file %s: larger than %d bytes", path,
                         FILE_LIMIT_BYTES);
    while (length && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    text[length] = '\0';
    if (!length)
        return error_set(error, ERROR_CONFIG, "secret file %s: empty", path);
    if (strlen(text) != (size_t)length)
        return error_set(error, ERROR_CONFIG, "secret file %s: holds a NUL byte", path);
    secret_set(secret, text);
    return true;
}

bool secret_read(struct secret *secret, const char *path, struct error *error)
{
    char text[FILE_LIMIT_BYTES + 2];
    bool ok = read_text(secret, path, text, error);
    explicit_bzero(text, sizeof text);
    return ok;
}

const char *secret_text(const struct secret *secret)
{
    return secret->text;
}

bool secret_equal(const char *left, const char *right)
{
    size_t length = strlen(left);
    if (strlen(right) != length)
        return false;
    volatile unsigned char difference = 0; /* volatile: no early way out may be invented */
    for (size_t i = 0; i < length; i++)
        difference = (unsigned char)(difference | (left[i] ^ right[i]));
    return !difference;
}

void secret_finish(struct secret *secret)
{
    if (!secret->text)
        return;
    log_unredact(secret->text);
    explicit_bzero(secret->text, strlen(secret->text));
    free(secret->text);
    secret->text = NULL;
}
