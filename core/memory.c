#include "core/memory.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 8 };

void memory_abort(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

void *memory_checked(void *memory)
{
    if (!memory)
        memory_abort("out of memory");
    return memory;
}

static size_t product(size_t count, size_t element_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, element_bytes, &bytes))
        memory_abort("out of memory: %zu elements of %zu bytes", count, element_bytes);
    return bytes;
}

void *memory_resize(void *memory, size_t bytes)
{
    return memory_checked(realloc(memory, bytes ? bytes : 1));
}

void *memory_array(size_t count, size_t element_bytes)
{
    return memory_checked(calloc(count ? count : 1, element_bytes));
}

/* Grows by half, so that realloc can move pages instead of bytes. */
void *memory_grow(void *array, size_t count, size_t *capacity, size_t element_bytes)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity < FIRST_CAPACITY ? FIRST_CAPACITY : *capacity + *capacity / 2;
    return memory_resize(array, product(*capacity, element_bytes));
}

void *memory_extend(void *array, size_t before, size_t count, size_t element_bytes)
{
    char *longer = memory_resize(array, product(count, element_bytes));
    memset(longer + before * element_bytes, 0, (count - before) * element_bytes);
    return longer;
}

void *memory_reach(void *array, size_t index, size_t *capacity, size_t element_bytes)
{
    size_t before = *capacity;
    if (index < before)
        return array;
    *capacity = index + before / 2 + 16;
    return memory_extend(array, before, *capacity, element_bytes);
}

char *memory_copy(const char *text)
{
    return memory_checked(strdup(text));
}

void memory_trim(void)
{
    malloc_trim(0);
}
