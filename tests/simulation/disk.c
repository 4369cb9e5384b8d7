#include "baton.h"

#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"

enum { DIED = 137, NS_A_US = 1000 };

/* SQLite gives the room, the true file is behind ours. */
struct file {
    sqlite3_file base;
    sqlite3_file *real;
};

static struct stage *stage;
static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;
static sqlite3_io_methods methods;

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct file *)(void *)file)->real;
}

static bool fails(void)
{
    return stage->disk_fails && !baton_dice((uint64_t)stage->disk_fails);
}

/* --- files ------------------------------------------------------------------------------------ */

static int close_file(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int read_file(sqlite3_file *file, void *out, int count, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), out, count, at);
}

/* A death in the middle leaves half of it there. */
static int write_file(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
    sqlite3_file *real = real_of(file);
    if (stage->calls + 1 == stage->dies_at) {
        real->pMethods->xWrite(real, bytes, count / 2, at);
        _exit(DIED);
    }
    baton_step();
    if (fails())
        return baton_dice(2) ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    return real->pMethods->xWrite(real, bytes, count, at);
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    baton_step();
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

/* Whoever tests this needs no platter: what the kernel has survives the death of a process. */
static int sync_file(sqlite3_file *file, int flags)
{
    (void)file;
    (void)flags;
    baton_step();
    return fails() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int lock_file(sqlite3_file *file, int level)
{
    baton_step();
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int unlock_file(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int check_lock(sqlite3_file *file, int *reserved)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), reserved);
}

static int control(sqlite3_file *file, int operation, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), region, size, extend, out);
}

static int shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    baton_step();
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

/* --- the disk --------------------------------------------------------------------------------- */

static int open_file(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct file *ours = (struct file *)(void *)file;
    (void)self;
    ours->real = (sqlite3_file *)(void *)(ours + 1);
    ours->base.pMethods = NULL;
    baton_step();
    int result = real_vfs->xOpen(real_vfs, name, ours->real, flags, out);
    if (ours->real->pMethods)
        ours->base.pMethods = &methods;
    return result;
}

static int delete_file(sqlite3_vfs *self, const char *name, int sync)
{
    (void)self;
    (void)sync;
    baton_step();
    return real_vfs->xDelete(real_vfs, name, 0);
}

static int randomness(sqlite3_vfs *self, int count, char *out)
{
    (void)self;
    for (int i = 0; i < count; i++)
        out[i] = (char)baton_dice(256);
    return count;
}

static int nap(sqlite3_vfs *self, int us)
{
    baton_wait(self, baton_now_ns() + (int64_t)us * NS_A_US);
    return us;
}

/* Milliseconds since noon in Greenwich on November 24, 4714 B.C.: what SQLite counts in. */
static int current_time(sqlite3_vfs *self, sqlite3_int64 *out)
{
    (void)self;
    *out = 210866760000000 + (baton_now_ns() + stage->wall_ns) / 1000000;
    return SQLITE_OK;
}

void disk_begin(struct stage *page)
{
    stage = page;
    real_vfs = sqlite3_vfs_find(NULL);
    methods = (sqlite3_io_methods){
        2,         close_file,  read_file,  write_file, truncate_file, sync_file,       file_size,
        lock_file, unlock_file, check_lock, control,    sector_size,   characteristics, shm_map,
        shm_lock,  shm_barrier, shm_unmap,  NULL,       NULL,
    };
    vfs = *real_vfs;
    vfs.zName = "simulated";
    vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    vfs.xRandomness = randomness;
    vfs.xSleep = nap;
    vfs.xCurrentTimeInt64 = current_time;
    sqlite3_vfs_register(&vfs, 1);
}
