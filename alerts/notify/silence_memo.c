#include "alerts/notify/silence_memo.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"

enum { SLOTS = 131072, WAYS = 4, LABELS_BYTES_MAX = 8192, WORDS = LABELS_BYTES_MAX / 4 };

struct slot {
    uint64_t key; /* 0 = free */
    uint32_t answer;
};

struct silence_memo {
    pthread_mutex_t lock;
    uint64_t secret[2];
    uint32_t masks[WORDS + 2];
    uint64_t generation;
    struct slot *slots; /* NULL = nothing was kept yet */
};

struct silence_memo *silence_memo_create(void)
{
    struct silence_memo *memo = MEMORY_NEW(struct silence_memo);
    pthread_mutex_init(&memo->lock, NULL);
    hash_random(memo->secret, sizeof memo->secret);
    hash_random(memo->masks, sizeof memo->masks);
    return memo;
}

void silence_memo_destroy(struct silence_memo *memo)
{
    if (!memo)
        return;
    pthread_mutex_destroy(&memo->lock);
    free(memo->slots);
    free(memo);
}

uint64_t silence_memo_number(const struct silence_memo *memo, const char *text, size_t length)
{
    return hash_keyed(memo->secret, text, length);
}

/* Two sums of a text of whole pairs of words. Two texts of one length that differ have both alike
 * with a chance of 2^-64, whoever chose them, as long as nobody knows the masks.
 * source: Black et al., UMAC, CRYPTO 1999, section 4 (NH, Toeplitz). */
static void sum_pairs(const uint32_t *masks, const uint32_t *words, size_t count, uint64_t sums[2])
{
    uint64_t first = 0, second = 0;
    for (size_t i = 0; i < count; i += 2) {
        first += (uint64_t)(words[i] + masks[i]) * (words[i + 1] + masks[i + 1]);
        second += (uint64_t)(words[i] + masks[i + 2]) * (words[i + 1] + masks[i + 3]);
    }
    sums[0] = first;
    sums[1] = second;
}

uint64_t silence_memo_key(const struct silence_memo *memo, const struct match_label *labels,
                          size_t count)
{
    uint32_t words[WORDS];
    uint64_t sums[3];
    char *text = (char *)words;
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        size_t name = strlen(labels[i].name) + 1, value = strlen(labels[i].value) + 1;
        if (name + value + sizeof *sums > sizeof words - length)
            return 0;
        memcpy(text + length, labels[i].name, name);
        memcpy(text + length + name, labels[i].value, value);
        length += name + value;
    }
    memset(text + length, 0, sizeof *sums); /* up to a whole pair */
    sum_pairs(memo->masks, words, (length + sizeof *sums - 1) / sizeof *sums * 2, sums);
    sums[2] = length;
    return hash_keyed(memo->secret, sums, sizeof sums);
}

/* The slot of a key, else the one it may have. */
static struct slot *find(struct silence_memo *memo, uint64_t key)
{
    struct slot *ways = &memo->slots[key % (SLOTS / WAYS) * WAYS];
    for (size_t i = 0; i < WAYS; i++)
        if (!ways[i].key || ways[i].key == key)
            return &ways[i];
    return &ways[(key >> 32) % WAYS];
}

bool silence_memo_get(struct silence_memo *memo, uint64_t generation, uint64_t key,
                      uint32_t *answer)
{
    pthread_mutex_lock(&memo->lock);
    const struct slot *slot =
        memo->slots && memo->generation == generation ? find(memo, key) : NULL;
    bool found = slot && key && slot->key == key;
    if (found)
        *answer = slot->answer;
    pthread_mutex_unlock(&memo->lock);
    return found;
}

void silence_memo_put(struct silence_memo *memo, uint64_t generation, uint64_t key, uint32_t answer)
{
    if (!key)
        return;
    pthread_mutex_lock(&memo->lock);
    if (!memo->slots)
        memo->slots = MEMORY_ARRAY(struct slot, SLOTS);
    else if (memo->generation != generation)
        memset(memo->slots, 0, SLOTS * sizeof *memo->slots);
    memo->generation = generation;
    *find(memo, key) = (struct slot){ key, answer };
    pthread_mutex_unlock(&memo->lock);
}
