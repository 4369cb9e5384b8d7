#include "collectors/run/texts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/memory.h"

char **texts_copy(const struct option_texts *list)
{
    char **copies = MEMORY_ARRAY(char *, list->count + 1);
    for (size_t i = 0; i < list->count; i++)
        copies[i] = memory_copy(list->texts[i]);
    return copies;
}

void texts_free(char **texts)
{
    for (size_t i = 0; texts && texts[i]; i++)
        free(texts[i]);
    free(texts);
}

void texts_replace(char ***texts, const struct option_texts *list)
{
    texts_free(*texts);
    *texts = texts_copy(list);
}

size_t texts_count(char *const *texts)
{
    size_t count = 0;
    while (texts[count])
        count++;
    return count;
}

bool texts_equal(char *const *texts, const struct option_texts *list)
{
    bool equal = texts_count(texts) == list->count;
    for (size_t i = 0; equal && i < list->count; i++)
        equal = !strcmp(texts[i], list->texts[i]);
    return equal;
}

bool texts_have(char *const *texts, const char *text)
{
    for (size_t i = 0; texts[i]; i++)
        if (!strcasecmp(texts[i], text))
            return true;
    return false;
}
