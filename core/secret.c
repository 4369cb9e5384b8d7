#include "core/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/log.h"
#include "core/memory.h"

enum { FILE_LIMIT_BYTES = 64 * 1024 };

struct secret_old {
    struct secret_old *next;
    char *text;
};

/* The start of what is the secret itself; *length is its bytes. */
static const char *trim(const char *text, size_t *length)
{
    static const char blanks[] = " \t\r\n\f\v";
    if (!strncmp(text, "\xef\xbb\xbf", 3))
        text += 3;
    text += strspn(text, blanks);
    *length = strlen(text);
    while (*length && strchr(blanks, text[*length - 1]))
        --*length;
    return text;
}

/* A copy of the secret in a text, redacted from now on. */
static char *copy_of(const char *text)
{
    size_t length;
    const char *start = trim(text, &length);
    char *copy = memory_array(length + 1, 1);
    memcpy(copy, start, length);
    log_redact(copy);
    return copy;
}

static void wipe(char *text)
{
    if (!text)
        return;
    log_unredact(text);
    explicit_bzero(text, strlen(text));
    free(text);
}

void secret_set(struct secret *secret, const char *text)
{
    char *copy = copy_of(text);
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

/* The content of a secret's file as one text; text: FILE_LIMIT_BYTES + 2. */
static bool read_text(const char *path, char *text, struct error *error)
{
    size_t trimmed;
    ssize_t length = read_all(path, text);
    if (length < 0)
        return error_set(error, ERROR_IO, "secret file %s: %s", path, strerror(errno));
    if (length > FILE_LIMIT_BYTES)
        return error_set(error, ERROR_LIMIT, "secret file %s: larger than %d bytes", path,
                         FILE_LIMIT_BYTES);
    text[length] = '\0';
    if (length >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))
        return error_set(error, ERROR_CONFIG, "secret file %s: is UTF-16, save it as UTF-8", path);
    if (strlen(text) != (size_t)length)
        return error_set(error, ERROR_CONFIG, "secret file %s: holds a NUL byte", path);
    trim(text, &trimmed);
    return trimmed || error_set(error, ERROR_CONFIG, "secret file %s: empty", path);
}

bool secret_read(struct secret *secret, const char *path, struct error *error)
{
    char text[FILE_LIMIT_BYTES + 2];
    bool ok = read_text(path, text, error);
    if (ok) {
        char *file = memory_copy(path); /* path may be the secret's own */
        secret_set(secret, text);
        secret->file = file;
    }
    explicit_bzero(text, sizeof text);
    return ok;
}

/* Make text the secret's; the old one stays readable until the end. Two may be refused at once. */
static void replace(struct secret *secret, const char *text)
{
    struct secret_old *old = MEMORY_NEW(struct secret_old);
    old->text = __atomic_exchange_n(&secret->text, copy_of(text), __ATOMIC_ACQ_REL);
    old->next = __atomic_load_n(&secret->olds, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&secret->olds, &old->next, old, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        continue;
}

bool secret_refresh(struct secret *secret)
{
    char text[FILE_LIMIT_BYTES + 2];
    struct error error;
    if (!secret->file)
        return false;
    bool ok = read_text(secret->file, text, &error), changed = false;
    if (ok) {
        size_t length;
        const char *before = secret_text(secret), *start = trim(text, &length);
        changed = strlen(before) != length || memcmp(before, start, length) != 0;
    } else {
        log_warn(MSG("a secret cannot be read again, the old one is used"), ERR(&error));
    }
    if (changed)
        replace(secret, text);
    explicit_bzero(text, sizeof text);
    return changed;
}

const char *secret_text(const struct secret *secret)
{
    return __atomic_load_n(&secret->text, __ATOMIC_ACQUIRE);
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
    while (secret->olds) {
        struct secret_old *old = secret->olds;
        secret->olds = old->next;
        wipe(old->text);
        free(old);
    }
    wipe(secret->text);
    free(secret->file);
    *secret = (struct secret){ 0 };
}
