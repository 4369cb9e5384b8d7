#include "exporter/web/seal.h"

#include <string.h>

#include "core/buf.h"
#include "core/hash.h"

void seal_init(struct seal *seal)
{
    hash_random(seal->key, sizeof seal->key);
}

const char *seal_text(const struct seal *seal, const char *user, const char *act,
                      char out[SEAL_BYTES])
{
    CLEANUP(buf_finish) struct buf sealed = { 0 };
    struct hash_sha256 hash;
    buf_text(&sealed, user);
    buf_char(&sealed, 0); /* in neither: where one ends and the other begins */
    buf_text(&sealed, act);
    hash_hmac_sha256(seal->key, sizeof seal->key, sealed.data, sealed.length, &hash);
    return hash_hex(hash.bytes, sizeof hash.bytes, out);
}

bool seal_fits(const struct seal *seal, const char *user, const char *act, const char *text)
{
    char wanted[SEAL_BYTES];
    unsigned char differs = 0;
    if (!text || strlen(text) != SEAL_BYTES - 1)
        return false;
    seal_text(seal, user, act, wanted);
    for (size_t i = 0; i < SEAL_BYTES; i++)
        differs |= (unsigned char)(wanted[i] ^ text[i]);
    return !differs;
}
