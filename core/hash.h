#pragma once
/* Digests and encodings; the only file that names the crypto library's digests. Any thread. */
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

struct hash_sha256 {
    uint8_t bytes[32];
};

/* SHA-256 of `count` bytes. */
void hash_sha256(const void *bytes, size_t count, struct hash_sha256 *out);

/* HMAC-SHA256 (RFC 2104). */
void hash_hmac_sha256(const void *key, size_t key_bytes, const void *bytes, size_t count,
                      struct hash_sha256 *out);

/* Lower-case hex of `count` bytes; out needs 2 * count + 1. Returns out. */
char *hash_hex(const void *bytes, size_t count, char *out);

/* Append padded base64 (RFC 4648 section 4). */
void hash_base64(const void *bytes, size_t count, struct buf *out);

/* Append the bytes of padded or unpadded base64, standard or URL alphabet. False, with nothing
 * appended, when it is none. */
bool hash_unbase64(const char *text, struct buf *out) MUST_USE;

/* Random bytes from the system. Aborts when there are none. */
void hash_random(void *out, size_t count);

/* A random (version 4) UUID in lower case: 36 characters and NUL. Returns out. */
char *hash_uuid(char out[37]);

/* SipHash-2-4: for tables in which who chooses the bytes must not choose what they meet. key:
 * random, by hash_random. */
uint64_t hash_keyed(const uint64_t key[2], const void *bytes, size_t count);

/* 64-bit mix for hash tables; not cryptographic. */
uint64_t hash_bytes(const void *bytes, size_t count);

/* Its step, for who has the words at hand: state is what came of those before. */
static inline uint64_t hash_step(uint64_t state, uint64_t word)
{
    state = (state ^ word) * 0x9e3779b97f4a7c15;
    return state ^ (state >> 29);
}
