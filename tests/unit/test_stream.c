#include "exporter/web/stream.h"

#include <stdatomic.h>

#include "web_server.h"

/* An answer in pieces of a letter each, 'a' first; it breaks off after `broken` of them. */
enum { PIECES = 20, PIECE_BYTES = 100000 };

struct pieces {
    char letter;
    int broken;
    atomic_int *released;
};

static bool next_piece(void *owner, struct buf *out, bool *more)
{
    struct pieces *pieces = owner;
    if (pieces->letter - 'a' == pieces->broken)
        return false;
    for (int i = 0; i < PIECE_BYTES; i++)
        buf_char(out, pieces->letter);
    *more = ++pieces->letter < 'a' + PIECES;
    return true;
}

static void release_pieces(void *owner)
{
    struct pieces *pieces = owner;
    atomic_fetch_add(pieces->released, 1);
    free(pieces);
}

static void handle_pieces(void *released, const struct web_request *request,
                          struct web_response *response)
{
    struct pieces *pieces = calloc(1, sizeof *pieces);
    struct buf first = { 0 };
    bool more;
    *pieces = (struct pieces){ 'a', *request->rest ? atoi(request->rest) : PIECES, released };
    CHECK(next_piece(pieces, &first, &more));
    const struct stream_source source = { next_piece, release_pieces, pieces };
    web_response_pieces(response, WEB_TEXT, &first, &source);
}

static struct server start_pieces(atomic_int *released)
{
    const char *address = "127.0.0.1:0";
    struct web_config config = configure(&address);
    const struct web_route route = { "/pieces/*", "pieces",      WEB_GET, 0,
                                     WEB_WORK,    handle_pieces, released };
    return start_with(&config, &route, 1);
}

TEST(a_long_answer_comes_in_pieces)
{
    atomic_int released = 0;
    struct server server = start_pieces(&released);
    CLEANUP(buf_finish) struct buf out = { 0 };
    ask(&server, "GET /pieces/", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "200 OK");
    CHECK_CONTAINS(buf_cstr(&out), "Transfer-Encoding: chunked\r\n");
    CHECK(!strcmp(out.data + out.length - 5, "0\r\n\r\n"));
    size_t counts[PIECES] = { 0 };
    char last = 'a';
    for (const char *c = strstr(out.data, "\r\n\r\n"); *c; c++) {
        /* sizes of chunks are digits and letters up to f: only lines of one letter count */
        if (c[0] < 'a' || c[0] >= 'a' + PIECES || (c[1] != c[0] && c[-1] != c[0]))
            continue;
        CHECK(c[0] >= last);
        last = c[0];
        counts[c[0] - 'a']++;
    }
    for (size_t i = 0; i < PIECES; i++)
        CHECK(counts[i] >= PIECE_BYTES && counts[i] < PIECE_BYTES + 100);
    ask(&server, "HEAD /pieces/", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "200 OK");
    CHECK(!strcmp(out.data + out.length - 4, "\r\n\r\n") && !strstr(out.data, "\n0\r\n"));
    stop(&server);
    CHECK_INT(released, 2);
}

TEST(an_answer_that_breaks_off_does_not_look_whole)
{
    atomic_int released = 0;
    struct server server = start_pieces(&released);
    CLEANUP(buf_finish) struct buf out = { 0 };
    ask(&server, "GET /pieces/3", "", &out);
    CHECK_CONTAINS(buf_cstr(&out), "200 OK");
    CHECK(strcmp(out.data + out.length - 5, "0\r\n\r\n") != 0);
    stop(&server);
    CHECK_INT(released, 1);
}

TEST(stopping_does_not_wait_for_who_does_not_read)
{
    atomic_int released = 0;
    struct server server = start_pieces(&released);
    int slow = begin(&server, "/pieces/");
    char byte;
    CHECK_INT(recv(slow, &byte, 1, 0), 1);
    web_stop(server.web, 10);
    server.web = NULL;
    stop(&server);
    CHECK_INT(released, 1);
    close(slow);
}
