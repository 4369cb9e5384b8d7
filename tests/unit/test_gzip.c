#include "core/gzip.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/hash.h"
#include "test.h"

/* What gzip(1), another implementation, makes of the bytes. */
static void gunzip(const struct buf *packed, struct buf *out)
{
    char path[4200], command[4300];
    snprintf(path, sizeof path, "%s/packed.gz", test_folder());
    FILE *file = fopen(path, "wb");
    CHECK_INT(fwrite(packed->data, 1, packed->length, file), packed->length);
    fclose(file);
    snprintf(command, sizeof command, "gzip -dc '%s'", path);
    FILE *pipe = popen(command, "r");
    char chunk[65536];
    size_t got;
    while ((got = fread(chunk, 1, sizeof chunk, pipe)) > 0)
        buf_append(out, chunk, got);
    CHECK_INT(pclose(pipe), 0);
}

TEST(sizes_and_levels_come_back)
{
    static const size_t sizes[] = { 0, 1, 16383, 16384, 16385, 3000000 };
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        for (int level = 1; level <= 9; level += 4) {
            CLEANUP(buf_finish) struct buf packed = { 0 };
            CLEANUP(buf_finish) struct buf back = { 0 };
            char *bytes = malloc(sizes[i] + 1);
            for (size_t at = 0; at < sizes[i]; at++)
                bytes[at] = (char)(at * at >> 7);
            gzip_append(&packed, bytes, sizes[i], level);
            gunzip(&packed, &back);
            CHECK(back.length == sizes[i] && !memcmp(buf_cstr(&back), bytes, sizes[i]));
            free(bytes);
        }
    }
}

TEST(noise_that_does_not_shrink_comes_back)
{
    CLEANUP(buf_finish) struct buf packed = { 0 };
    CLEANUP(buf_finish) struct buf back = { 0 };
    static char bytes[200000];
    hash_random(bytes, sizeof bytes);
    gzip_append(&packed, bytes, sizeof bytes, 6);
    gunzip(&packed, &back);
    CHECK(back.length == sizeof bytes && !memcmp(back.data, bytes, sizeof bytes));
}

TEST(members_concatenate)
{
    CLEANUP(buf_finish) struct buf packed = { 0 };
    CLEANUP(buf_finish) struct buf back = { 0 };
    gzip_append(&packed, "one ", 4, 6);
    gzip_append(&packed, "", 0, 6);
    gzip_append(&packed, "two", 3, 1);
    gunzip(&packed, &back);
    CHECK_TEXT(buf_cstr(&back), "one two");
}

TEST(text_shrinks_and_is_the_same_each_time)
{
    CLEANUP(buf_finish) struct buf first = { 0 };
    CLEANUP(buf_finish) struct buf second = { 0 };
    static char text[50000];
    memset(text, 'x', sizeof text);
    gzip_append(&first, text, sizeof text, 6);
    gzip_append(&second, text, sizeof text, 6);
    CHECK(first.length < 200);
    CHECK(first.length == second.length && !memcmp(first.data, second.data, first.length));
}

TEST(pieces_join_into_one_member)
{
    static char text[70000];
    memset(text, 'x', sizeof text);
    CLEANUP(gzip_piece_finish) struct gzip_piece large = { 0 };
    CLEANUP(gzip_piece_finish) struct gzip_piece empty = { 0 };
    CLEANUP(gzip_piece_finish) struct gzip_piece small = { 0 };
    gzip_piece_fill(&small, "replaced", 8, 9);
    gzip_piece_fill(&large, text, sizeof text, 6);
    gzip_piece_fill(&empty, "", 0, 6);
    gzip_piece_fill(&small, "end", 3, 1);
    CLEANUP(buf_finish) struct buf packed = { 0 };
    CLEANUP(buf_finish) struct buf back = { 0 };
    gzip_join(&packed, (const struct gzip_piece *const[]){ &large, &empty, &small }, 3);
    gunzip(&packed, &back);
    CHECK_INT(back.length, sizeof text + 3);
    CHECK(!memcmp(back.data, text, sizeof text));
    CHECK_TEXT(back.data + sizeof text, "end");
    uint32_t size; /* the trailer counts all of it: there is no second member */
    memcpy(&size, packed.data + packed.length - sizeof size, sizeof size);
    CHECK_INT(size, sizeof text + 3);
}

TEST(no_pieces_join_into_an_empty_member)
{
    CLEANUP(buf_finish) struct buf packed = { 0 };
    CLEANUP(buf_finish) struct buf back = { 0 };
    gzip_join(&packed, NULL, 0);
    gunzip(&packed, &back);
    CHECK_INT(back.length, 0);
}
