/* Numbers for what a table describes: which parts of a configuration another one changes. */
#include <string.h>

#include "core/hash.h"
#include "core/options.h"

/* What a secret adds to a hash that may be seen: a byte helps nobody to guess it. */
static uint64_t hash_secret(const struct secret *secret, enum options_hash_use use)
{
    struct hash_sha256 digest;
    const char *text = secret_text(secret);
    if (!text)
        return 0;
    hash_sha256(text, strlen(text), &digest);
    uint64_t number = 0;
    memcpy(&number, digest.bytes, use == OPTIONS_HASH_SHOWN ? 1 : sizeof number);
    explicit_bzero(&digest, sizeof digest);
    return number;
}

static uint64_t hash_text(const char *text)
{
    return text ? hash_bytes(text, strlen(text)) : 1;
}

uint64_t options_hash_join(uint64_t left, uint64_t right)
{
    const uint64_t both[] = { left, right };
    return hash_bytes(both, sizeof both);
}

static uint64_t hash_texts(const struct option_texts *list)
{
    uint64_t hash = list->count;
    for (size_t i = 0; i < list->count; i++)
        hash = options_hash_join(hash, hash_text(list->texts[i]));
    return hash;
}

static uint64_t hash_pairs(const struct option_pairs *list)
{
    uint64_t hash = list->count;
    for (size_t i = 0; i < list->count; i++)
        hash = options_hash_join(hash, options_hash_join(hash_text(list->pairs[i].name),
                                                         hash_text(list->pairs[i].value)));
    return hash;
}

static uint64_t hash_items(const struct option *option, const struct option_items *list,
                           enum options_hash_use use)
{
    uint64_t hash = list->count;
    for (size_t i = 0; i < list->count; i++) {
        const char *item = (const char *)list->items + i * option->item_bytes;
        if (option->type == OPTION_TYPE_NAMED)
            hash = options_hash_join(hash, hash_text(*(const char *const *)(const void *)item));
        hash = options_hash_join(hash, options_hash(option->section, item, use));
    }
    return hash;
}

static uint64_t hash_value(const struct option *option, const void *value,
                           enum options_hash_use use)
{
    switch (option->type) {
    case OPTION_TYPE_TEXT:
    case OPTION_TYPE_URL:
    case OPTION_TYPE_PATH:
        return hash_text(*(const char *const *)value);
    case OPTION_TYPE_BOOL:
        return *(const bool *)value;
    case OPTION_TYPE_INTEGER:
    case OPTION_TYPE_NUMBER:
    case OPTION_TYPE_DURATION:
    case OPTION_TYPE_SIZE:
        return hash_bytes(value, sizeof(int64_t)); /* a double is as long */
    case OPTION_TYPE_WORD:
        return (uint64_t) * (const int *)value;
    case OPTION_TYPE_SECRET:
        return hash_secret(value, use);
    case OPTION_TYPE_TEXT_LIST:
        return hash_texts(value);
    case OPTION_TYPE_TEXT_MAP:
        return hash_pairs(value);
    case OPTION_TYPE_SECTION:
        return options_hash(option->section, value, use);
    case OPTION_TYPE_ITEMS:
    case OPTION_TYPE_NAMED:
        return hash_items(option, value, use);
    case OPTION_END:
        break;
    }
    return 0;
}

uint64_t options_hash(const struct option *options, const void *values, enum options_hash_use use)
{
    uint64_t hash = 0;
    for (; options->type != OPTION_END; options++)
        hash = options_hash_join(hash,
                                 hash_value(options, (const char *)values + options->offset, use));
    return hash;
}

void options_restart(const struct option *options, const char *section, const void *running,
                     const void *wanted, struct buf *out)
{
    for (; options->type != OPTION_END; options++) {
        const char *before = (const char *)running + options->offset;
        const char *after = (const char *)wanted + options->offset;
        if (options->type == OPTION_TYPE_SECTION)
            options_restart(options->section, options->name, before, after, out);
        else if (options->restart && hash_value(options, before, OPTIONS_HASH_OURS) !=
                                         hash_value(options, after, OPTIONS_HASH_OURS))
            buf_printf(out, "%s%s%s%s", out->length ? ", " : "", section, *section ? "." : "",
                       options->name);
    }
}
