#include "core/hash.h"

#include <stdlib.h>

#include "test.h"

static const char *hex_of(const struct hash_sha256 *hash)
{
    static char out[65];
    return hash_hex(hash->bytes, sizeof hash->bytes, out);
}

/* NIST FIPS 180-4 examples and the CAVP short message vectors. */
TEST(sha256_vectors)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
        { "\xd3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1" },
    };
    struct hash_sha256 hash;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        hash_sha256(cases[i].text, strlen(cases[i].text), &hash);
        CHECK_TEXT(hex_of(&hash), cases[i].want);
    }
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    hash_sha256(million, 1000000, &hash);
    free(million);
    CHECK_TEXT(hex_of(&hash), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* RFC 4231 test cases 1, 2, 3 and 6. */
TEST(hmac_vectors)
{
    unsigned char ones[131], data[50];
    memset(ones, 0x0b, 20);
    struct hash_sha256 hash;
    hash_hmac_sha256(ones, 20, "Hi There", 8, &hash);
    CHECK_TEXT(hex_of(&hash), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    hash_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, &hash);
    CHECK_TEXT(hex_of(&hash), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(ones, 0xaa, sizeof ones);
    memset(data, 0xdd, sizeof data);
    hash_hmac_sha256(ones, 20, data, sizeof data, &hash);
    CHECK_TEXT(hex_of(&hash), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    const char *text = "Test Using Larger Than Block-Size Key - Hash Key First";
    hash_hmac_sha256(ones, sizeof ones, text, strlen(text), &hash);
    CHECK_TEXT(hex_of(&hash), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    hash_hmac_sha256("", 0, "", 0, &hash);
    CHECK_TEXT(hex_of(&hash), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 4648 section 10, and the characters the alphabets differ in. */
TEST(base64_both_ways)
{
    static const struct {
        const char *text, *padded, *bare;
    } cases[] = {
        { "", "", "" },
        { "f", "Zg==", "Zg" },
        { "fo", "Zm8=", "Zm8" },
        { "foo", "Zm9v", "Zm9v" },
        { "foob", "Zm9vYg==", "Zm9vYg" },
        { "fooba", "Zm9vYmE=", "Zm9vYmE" },
        { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
        { "\xfb\xff\xfe", "+//+", "-__-" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        hash_base64(cases[i].text, strlen(cases[i].text), &out);
        CHECK_TEXT(buf_cstr(&out), cases[i].padded);
        buf_reset(&out);
        CHECK(hash_unbase64(cases[i].padded, &out));
        CHECK_TEXT(buf_cstr(&out), cases[i].text);
        buf_reset(&out);
        CHECK(hash_unbase64(cases[i].bare, &out));
        CHECK_TEXT(buf_cstr(&out), cases[i].text);
    }
}

TEST(unbase64_refuses_what_is_none)
{
    static const char *const cases[] = { "Z",        "Zg=",      "Zg===", "Zm8==",   "Zm9v=",
                                         "Zm9v====", "Zh",       "Zm9",   "Zm 9v",   "Zm9v\n",
                                         "=",        "Zg==Zg==", "Zm9v!", "\xc3\xa4" };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        buf_text(&out, "kept");
        test_check(!hash_unbase64(cases[i], &out), __FILE__, __LINE__, cases[i]);
        CHECK_TEXT(buf_cstr(&out), "kept");
    }
}

TEST(base64_keeps_every_byte)
{
    unsigned char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(255 - i);
    for (size_t count = 250; count <= sizeof bytes; count++) {
        CLEANUP(buf_finish) struct buf text = { 0 };
        CLEANUP(buf_finish) struct buf back = { 0 };
        hash_base64(bytes, count, &text);
        CHECK(hash_unbase64(buf_cstr(&text), &back));
        CHECK(back.length == count && !memcmp(back.data, bytes, count));
    }
}

TEST(uuid_is_version_4_and_new_each_time)
{
    char first[37], second[37];
    hash_uuid(first);
    hash_uuid(second);
    CHECK_INT(strlen(first), 36);
    CHECK_INT(strspn(first, "0123456789abcdef-"), 36);
    CHECK(first[8] == '-' && first[13] == '-' && first[18] == '-' && first[23] == '-');
    CHECK(first[14] == '4');
    CHECK(strchr("89ab", first[19]) != NULL);
    CHECK(strcmp(first, second) != 0);
}

TEST(random_fills_all_of_it)
{
    unsigned char bytes[1000] = { 0 };
    size_t zeros = 0;
    hash_random(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        zeros += !bytes[i];
    CHECK(zeros < 40);
}

TEST(hash_bytes_spreads)
{
    enum { KEYS = 20000, SLOTS = 32768 };
    static unsigned char used[SLOTS];
    size_t collisions = 0;
    for (int i = 0; i < KEYS; i++) {
        char key[16];
        uint64_t number = (uint64_t)i;
        hash_hex(&number, sizeof number / 2, key);
        uint64_t slot = hash_bytes(key, strlen(key)) % SLOTS;
        collisions += used[slot];
        used[slot] = 1;
    }
    /* SLOTS * (load - 1 + exp(-load)) = 5030 of 20000 expected from a random function */
    CHECK(collisions > 4700 && collisions < 5400);
    CHECK(hash_bytes("", 0) != hash_bytes("\0", 1));
    CHECK(hash_bytes("abcdefgh", 8) != hash_bytes("abcdefgh\0", 9));
    CHECK(hash_bytes("abcdefghi", 9) == hash_bytes("abcdefghi", 9));
}

/* source: the SipHash paper, appendix A. */
TEST(keyed_hash_is_siphash)
{
    uint8_t bytes[16];
    for (uint8_t i = 0; i < sizeof bytes; i++)
        bytes[i] = i;
    const uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
    CHECK(hash_keyed(key, bytes, 15) == 0xa129ca6149be45e5);
    CHECK(hash_keyed(key, bytes, 0) == 0x726fdb47dd0e0e31);
    CHECK(hash_keyed(key, bytes, 8) == 0x93f5f5799a932462);
}
