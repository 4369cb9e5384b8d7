#include "alerts/store/database_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK "there was a database here\n"

/* 0, or why not. */
static int look_at(const char *path, const char *suffix, struct stat *status)
{
    char name[4096];
    snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, status) ? errno : 0;
}

/* --- the lock --------------------------------------------------------------------------------- */

static bool is_marked(const struct database_file *file)
{
    char byte;
    return file->lock >= 0 && pread(file->lock, &byte, 1, 0) == 1;
}

bool database_file_lost(const struct database_file *file, struct error *error)
{
    if (!is_marked(file))
        return false;
    error_set(error, ERROR_CONFIG,
              "%s is gone or empty, but there was a database: restore a copy, or remove"
              " %s.lock too to start anew",
              file->path, file->path);
    return true;
}

bool database_file_own(struct database_file *file, struct error *error)
{
    char name[4096];
    struct stat status;
    snprintf(name, sizeof name, "%s.lock", file->path);
    file->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file->lock < 0)
        return error_set(error, ERROR_IO, "%s: %s", name, strerror(errno));
    if (flock(file->lock, LOCK_EX | LOCK_NB))
        return error_set(error, ERROR_CONFIG, "%s is in use by another running service",
                         file->path);
    int why = look_at(file->path, "", &status);
    return (why != ENOENT && (why || status.st_size)) || !database_file_lost(file, error);
}

void database_file_mark(struct database_file *file)
{
    static const char mark[] = MARK;
    if (file->lock < 0 || is_marked(file))
        return;
    if (pwrite(file->lock, mark, sizeof mark - 1, 0) <= 0)
        return; /* a full disk: the next start marks it */
    fsync(file->lock);
}

void database_file_close(struct database_file *file)
{
    if (file->lock >= 0)
        close(file->lock);
}

/* --- the file --------------------------------------------------------------------------------- */

bool database_file_make(const struct database_file *file, struct error *error)
{
    int made = open(file->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (made < 0 && errno != EEXIST)
        return error_set(error, ERROR_IO, "database %s: %s", file->path, strerror(errno));
    if (made >= 0)
        close(made);
    return true;
}

bool database_file_new(const struct database_file *file, struct error *error)
{
    struct stat status;
    if (!look_at(file->path, "", &status))
        return error_set(error, ERROR_REQUEST, "%s exists", file->path);
    return database_file_make(file, error);
}

bool database_file_sync(const struct database_file *file, struct error *error)
{
    int copy = open(file->path, O_RDWR | O_CLOEXEC);
    bool ok = copy >= 0 && !fsync(copy);
    if (!ok)
        error_set(error, ERROR_IO, "%s", strerror(errno));
    if (copy >= 0)
        close(copy);
    return ok;
}

void database_file_remove(const struct database_file *file)
{
    unlink(file->path);
}

static enum database_file_state say(enum database_file_state state, const char *path,
                                    const char *suffix, const char *what, struct error *error)
{
    error_set(error, ERROR_IO, "database %s%s %s: put it back or restart", path, suffix, what);
    return state;
}

enum database_file_state database_file_look(struct database_file *file, struct error *error)
{
    struct stat status;
    const char *path = file->path;
    int why = look_at(path, "", &status);
    if (why == ENOENT || why == ENOTDIR)
        return say(DATABASE_FILE_REMOVED, path, "", "was removed while running", error);
    if (why)
        return say(DATABASE_FILE_REMOVED, path, "", strerror(why), error);
    if (!file->data.inode) {
        file->data.device = status.st_dev;
        file->data.inode = status.st_ino;
        file->bytes = status.st_size;
    }
    if (file->data.device != status.st_dev || file->data.inode != status.st_ino)
        return say(DATABASE_FILE_REPLACED, path, "", "was replaced while running", error);
    if (!status.st_size)
        return say(DATABASE_FILE_EMPTIED, path, "", "was emptied while running", error);
    if (status.st_size < file->bytes)
        return say(DATABASE_FILE_SHRUNK, path, "", "lost a part of itself while running", error);
    file->bytes = status.st_size;
    why = look_at(path, "-wal", &status);
    if (!file->log.inode && !why) {
        file->log.device = status.st_dev;
        file->log.inode = status.st_ino;
    }
    if (why && file->log.inode)
        return say(DATABASE_FILE_REMOVED, path, "-wal", "was removed while running", error);
    if (!why && (file->log.device != status.st_dev || file->log.inode != status.st_ino))
        return say(DATABASE_FILE_REPLACED, path, "-wal", "was replaced while running", error);
    return DATABASE_FILE_SOUND;
}

int64_t database_file_bytes(const char *path)
{
    struct stat data, log;
    return (look_at(path, "", &data) ? 0 : (int64_t)data.st_size) +
           (look_at(path, "-wal", &log) ? 0 : (int64_t)log.st_size);
}
