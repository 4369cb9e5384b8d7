#include "core/inflate.h"

#include <stdlib.h>

#include "core/gzip.h"
#include "core/hash.h"
#include "core/memory.h"
#include "test.h"

enum { SIZE_BYTES = 4, EMPTY_BYTES = 20 };

static void pack(struct buf *packed, const char *text)
{
    gzip_append(packed, text, strlen(text), 6);
}

/* The last bytes of a member say how much is in it (RFC 1952 2.3.1). */
static void say_size(struct buf *packed, uint32_t size)
{
    for (int i = 0; i < SIZE_BYTES; i++)
        packed->data[packed->length - SIZE_BYTES + (size_t)i] = (char)(size >> 8 * i & 0xff);
}

/* The head of a member with a name, as other programs write it, and "one" as a zlib stream. */
static const char head[] = { 0x1f, (char)0x8b, 8, 8, 0, 0, 0, 0, 0, 3, 'n', 0 };
static const char zlib_one[] = { 0x78, (char)0x9c, (char)0xcb, (char)0xcf, 0x4b, 5,
                                 0,    2,          (char)0x91, 1,          0x43 };
enum { OWN_HEAD_BYTES = 10 };

TEST(what_was_packed_comes_back_whatever_its_size)
{
    static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 65536, 3000000 };
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        for (int level = 1; level <= 9; level += 4) {
            CLEANUP(buf_finish) struct buf packed = { 0 };
            CLEANUP(buf_finish) struct buf back = { 0 };
            char *bytes = memory_array(sizes[i] + 1, 1);
            for (size_t at = 0; at < sizes[i]; at++)
                bytes[at] = (char)(at * at >> 7);
            gzip_append(&packed, bytes, sizes[i], level);
            buf_text(&back, "before ");
            CHECK(inflate_append(&back, packed.data, packed.length));
            CHECK_INT(back.length, sizes[i] + 7);
            CHECK(!memcmp(back.data, "before ", 7) && !memcmp(back.data + 7, bytes, sizes[i]));
            CHECK_INT(back.data[back.length], 0);
            free(bytes);
        }
    }
}

TEST(nothing_and_noise_come_back)
{
    CLEANUP(buf_finish) struct buf packed = { 0 };
    CLEANUP(buf_finish) struct buf back = { 0 };
    static char bytes[200000];
    CHECK(inflate_append(&back, NULL, 0));
    CHECK_INT(back.length, 0);
    hash_random(bytes, sizeof bytes);
    gzip_append(&packed, bytes, sizeof bytes, 6);
    back.limit_bytes = sizeof bytes;
    CHECK(inflate_append(&back, packed.data, packed.length));
    CHECK(back.length == sizeof bytes && !memcmp(back.data, bytes, sizeof bytes));
}

TEST(members_are_read_one_after_the_other)
{
    CLEANUP(buf_finish) struct buf packed = { 0 };
    CLEANUP(buf_finish) struct buf back = { 0 };
    static char large[300000];
    memset(large, 'x', sizeof large);
    pack(&packed, "one ");
    pack(&packed, "");
    gzip_append(&packed, large, sizeof large, 9);
    buf_append(&packed, "\0\0\0", 3); /* padding, between members ... */
    pack(&packed, " two");
    pack(&packed, "");
    buf_append(&packed, "\0\0", 2); /* ... and behind them */
    back.limit_bytes = sizeof large + 8;
    CHECK(inflate_append(&back, packed.data, packed.length));
    CHECK_INT(back.length, sizeof large + 8);
    CHECK(!memcmp(back.data, "one xxx", 7));
    CHECK_TEXT(back.data + back.length - 5, "x two");
}

TEST(other_programs_members_and_zlib_streams_are_read)
{
    CLEANUP(buf_finish) struct buf one = { 0 };
    CLEANUP(buf_finish) struct buf packed = { 0 };
    CLEANUP(buf_finish) struct buf back = { 0 };
    pack(&one, "one");
    buf_append(&packed, head, sizeof head);
    buf_append(&packed, one.data + OWN_HEAD_BYTES, one.length - OWN_HEAD_BYTES);
    CHECK(inflate_append(&back, packed.data, packed.length));
    CHECK(inflate_append(&back, zlib_one, sizeof zlib_one));
    CHECK_TEXT(buf_cstr(&back), "oneone");
    CHECK(!inflate_append(&back, zlib_one, sizeof zlib_one - 1));
    CHECK_TEXT(buf_cstr(&back), "oneone");
}

TEST(what_is_cut_or_no_member_is_told)
{
    CLEANUP(buf_finish) struct buf packed = { 0 };
    CLEANUP(buf_finish) struct buf back = { 0 };
    pack(&packed, "one two three");
    for (size_t length = 1; length < packed.length; length++)
        CHECK(!inflate_append(&back, packed.data, length));
    CHECK(!inflate_append(&back, "this is not gzip", 16));
    CHECK(!inflate_append(&back, "\0\0\0\0", 4));
    CHECK(!inflate_append(&back, "\x1f\x8b", 2));
    CHECK_INT(back.length, 0);
    CHECK(!back.overflowed);
}

TEST(what_follows_a_member_and_is_none_is_told)
{
    static const char *const more[] = { "more", "\x1f\x8b", "\x1f", "\x1f\x8b\x08\x04" };
    for (size_t i = 0; i < ARRAY_COUNT(more); i++) {
        CLEANUP(buf_finish) struct buf packed = { 0 };
        CLEANUP(buf_finish) struct buf back = { 0 };
        pack(&packed, "one");
        buf_text(&packed, more[i]);
        CHECK(!inflate_append(&back, packed.data, packed.length));
        buf_finish(&packed);
        pack(&packed, "one");
        buf_append(&packed, "\0\0", 2);
        buf_text(&packed, more[i]);
        CHECK(!inflate_append(&back, packed.data, packed.length));
    }
}

/* Every byte but those a header may have as it likes: time, system. */
TEST(a_changed_byte_is_told)
{
    CLEANUP(buf_finish) struct buf packed = { 0 };
    pack(&packed, "one two three, one two four");
    for (size_t at = 0; at < packed.length; at++) {
        CLEANUP(buf_finish) struct buf back = { .limit_bytes = 100 };
        bool is_free = at >= 4 && at < 10;
        packed.data[at] ^= 0x10;
        CHECK(inflate_append(&back, packed.data, packed.length) == is_free);
        packed.data[at] ^= 0x10;
    }
}

TEST(a_size_is_not_believed)
{
    static char text[100000];
    memset(text, 'x', sizeof text);
    static const uint32_t wrong[] = { 0, 1, 5000, 99999, 100001, 0x7fffffff, UINT32_MAX };
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        CLEANUP(buf_finish) struct buf packed = { 0 };
        CLEANUP(buf_finish) struct buf back = { .limit_bytes = 1 << 20 };
        gzip_append(&packed, text, sizeof text, 6);
        say_size(&packed, wrong[i]);
        CHECK(!inflate_append(&back, packed.data, packed.length));
        CHECK(!back.overflowed);
        CHECK(back.capacity <= (1 << 20) + 1);
    }
}

/* Where the last member is small, what is said of it is too little for those before it. */
TEST(a_size_that_is_too_little_is_doubled_up_to_the_limit)
{
    static char text[100000];
    memset(text, 'x', sizeof text);
    for (size_t limit = sizeof text - 1; limit <= sizeof text + 1; limit++) {
        CLEANUP(buf_finish) struct buf packed = { 0 };
        CLEANUP(buf_finish) struct buf back = { .limit_bytes = limit };
        gzip_append(&packed, text, sizeof text, 6);
        pack(&packed, "y");
        CHECK(inflate_append(&back, packed.data, packed.length) == (limit > sizeof text));
        CHECK(back.overflowed == (limit <= sizeof text));
        CHECK_INT(back.length, limit < sizeof text ? 0 : limit);
    }
}

TEST(a_bomb_is_cut_at_the_limit)
{
    enum { BYTES = 64 << 20, LIMIT = 1 << 20 };
    CLEANUP(buf_finish) struct buf packed = { 0 };
    CLEANUP(buf_finish) struct buf back = { .limit_bytes = LIMIT };
    char *zeros = memory_array(BYTES, 1);
    gzip_append(&packed, zeros, BYTES, 1);
    free(zeros);
    for (uint32_t said = 0; said <= BYTES; said += BYTES / 4) {
        say_size(&packed, said);
        CHECK(!inflate_append(&back, packed.data, packed.length));
        CHECK(back.overflowed);
        CHECK_INT(back.length, 0);
        CHECK(back.capacity <= LIMIT + 1);
        CHECK(!inflate_append(&back, packed.data, packed.length)); /* and remains so */
        buf_reset(&back);
    }
}

/* Little that says it is much gets no more room than it can hold. */
TEST(room_is_no_more_than_the_bytes_can_hold)
{
    CLEANUP(buf_finish) struct buf packed = { 0 };
    CLEANUP(buf_finish) struct buf back = { .limit_bytes = 64 << 20 };
    pack(&packed, "one");
    say_size(&packed, UINT32_MAX);
    CHECK(!inflate_append(&back, packed.data, packed.length));
    CHECK(back.capacity < 100000);
}

TEST(many_empty_members_are_nothing)
{
    CLEANUP(buf_finish) struct buf packed = { 0 };
    CLEANUP(buf_finish) struct buf back = { .limit_bytes = 1 };
    for (int i = 0; i < 10000; i++)
        pack(&packed, "");
    CHECK_INT(packed.length, 10000 * EMPTY_BYTES);
    CHECK(inflate_append(&back, packed.data, packed.length));
    CHECK_INT(back.length, 0);
    pack(&packed, "1");
    CHECK(inflate_append(&back, packed.data, packed.length));
    CHECK_TEXT(buf_cstr(&back), "1");
}
