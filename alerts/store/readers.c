#include "alerts/store/readers.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/memory.h"

enum { KEPT_MAX = 2 }; /* more read at once only now and then */

struct readers {
    struct database_config config;
    pthread_mutex_t lock; /* what follows */
    struct database *kept[KEPT_MAX];
    size_t count;
};

struct readers *readers_create(const struct database_config *config)
{
    struct readers *readers = MEMORY_NEW(struct readers);
    readers->config = *config;
    pthread_mutex_init(&readers->lock, NULL);
    return readers;
}

static struct database *take_kept(struct readers *readers)
{
    pthread_mutex_lock(&readers->lock);
    struct database *database = readers->count ? readers->kept[--readers->count] : NULL;
    pthread_mutex_unlock(&readers->lock);
    return database;
}

void readers_destroy(struct readers *readers)
{
    if (!readers)
        return;
    for (struct database *database; (database = take_kept(readers));)
        database_close(database);
    pthread_mutex_destroy(&readers->lock);
    free(readers);
}

struct database *readers_take(struct readers *readers, struct error *error)
{
    struct error ignored;
    for (struct database *database; (database = take_kept(readers));) {
        if (database_look(database, &ignored) == DATABASE_FILE_SOUND)
            return database;
        database_close(database);
    }
    struct database *database = database_open(&readers->config, error);
    if (database && database_look(database, &ignored) == DATABASE_FILE_SOUND)
        return database; /* it will be compared with this look */
    if (database)
        *error = ignored;
    database_close(database);
    return NULL;
}

void readers_give(struct readers *readers, struct database *database)
{
    if (!readers || !database) {
        database_close(database);
        return;
    }
    database_rest(database);
    pthread_mutex_lock(&readers->lock);
    bool keep = readers->count < KEPT_MAX;
    if (keep)
        readers->kept[readers->count++] = database;
    pthread_mutex_unlock(&readers->lock);
    if (!keep)
        database_close(database);
}
