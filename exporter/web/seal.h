#pragma once
/* Seals of forms: a text in a hidden field that only this process makes, for this user and this
 * act. A page of another site cannot know it, so what comes back with it came from our page. Any
 * thread. */
#include <stdbool.h>
#include <stdint.h>

struct seal {
    uint8_t key[32];
};
enum { SEAL_BYTES = 65 };

/* A key of its own, for as long as the process lives. */
void seal_init(struct seal *seal);

/* The seal for an act, such as the path that is posted to. user: whoever asks. Returns out. */
const char *seal_text(const struct seal *seal, const char *user, const char *act,
                      char out[SEAL_BYTES]);

/* Whether it is that seal, in a time that says nothing of how much of it is right. text: NULL is
 * none. */
bool seal_fits(const struct seal *seal, const char *user, const char *act, const char *text);
