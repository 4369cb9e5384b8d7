#include "exporter/web/stream.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

enum { BLOCK_BYTES = 32 * 1024 };

/* It belongs to the thread of its connection, and while that is suspended to the pool. */
struct stream {
    struct MHD_Connection *connection;
    struct pool *pool;
    struct pool_job job;
    struct stream_source source;
    struct buf piece;
    size_t taken; /* of the piece */
    bool more, failed;
};

/* Make the next piece; the stream is not ours after that. */
static void fill(void *context, bool refused)
{
    struct stream *stream = context;
    buf_reset(&stream->piece);
    stream->taken = 0;
    stream->failed =
        refused || !stream->source.next(stream->source.owner, &stream->piece, &stream->more);
    MHD_resume_connection(stream->connection);
}

/* What is there, or nothing while the connection waits for the next piece. */
static ssize_t take(void *context, uint64_t position, char *out, size_t room)
{
    struct stream *stream = context;
    size_t left = stream->piece.length - stream->taken, count = left < room ? left : room;
    (void)position;
    if (stream->failed)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (count) {
        memcpy(out, stream->piece.data + stream->taken, count);
        stream->taken += count;
        return (ssize_t)count;
    }
    if (!stream->more)
        return MHD_CONTENT_READER_END_OF_STREAM;
    MHD_suspend_connection(stream->connection);
    if (pool_add(stream->pool, &stream->job, SIZE_MAX))
        return 0;
    stream->failed = true; /* the end of the program */
    MHD_resume_connection(stream->connection);
    return 0;
}

static void destroy(void *context)
{
    struct stream *stream = context;
    stream->source.release(stream->source.owner);
    buf_finish(&stream->piece);
    free(stream);
}

struct MHD_Response *stream_create(struct MHD_Connection *connection, struct pool *pool,
                                   uint64_t peer, struct buf *first,
                                   const struct stream_source *source)
{
    struct stream *stream = MEMORY_NEW(struct stream);
    stream->connection = connection;
    stream->pool = pool;
    stream->job = (struct pool_job){ .run = fill, .context = stream, .peer = peer, .sure = true };
    stream->source = *source;
    stream->piece = *first;
    stream->more = true;
    *first = (struct buf){ 0 };
    return memory_checked(
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, take, stream, destroy));
}
