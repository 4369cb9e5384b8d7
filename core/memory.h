#pragma once
/* Memory on the heap that is always there: a request that cannot be met ends the program, here and
 * nowhere else, so that nobody checks for it. Everything is given back with free(). */
#include <stddef.h>

#include "core/compiler.h"

/* A zeroed object:  struct lane *lane = MEMORY_NEW(struct lane); */
#define MEMORY_NEW(type) ((__typeof__(type) *)memory_array(1, sizeof(type)))

/* A zeroed array, never NULL:  bool *seen = MEMORY_ARRAY(bool, count); */
#define MEMORY_ARRAY(type, count) ((__typeof__(type) *)memory_array(count, sizeof(type)))

/* Room for one element after the `count` there are; capacity is a size_t, array may move. */
#define MEMORY_GROW(array, count, capacity)                                                        \
    ((array) = memory_grow(array, count, &(capacity), sizeof *(array)))

/* Room for the element at `index` and all before it, zeroed when new; as above. */
#define MEMORY_REACH(array, index, capacity)                                                       \
    ((array) = memory_reach(array, index, &(capacity), sizeof *(array)))

/* An array of `before` elements becomes one of `count`: what is new is zeroed. */
#define MEMORY_EXTEND(array, before, count)                                                        \
    ((array) = memory_extend(array, before, count, sizeof *(array)))

/* What the macros call. */
void *memory_array(size_t count, size_t element_bytes) MUST_USE;
void *memory_grow(void *array, size_t count, size_t *capacity, size_t element_bytes) MUST_USE;
void *memory_reach(void *array, size_t index, size_t *capacity, size_t element_bytes) MUST_USE;
void *memory_extend(void *array, size_t before, size_t count, size_t element_bytes) MUST_USE;

/* The same memory with another size; what is new is undefined. memory NULL gives a new one. */
void *memory_resize(void *memory, size_t bytes) MUST_USE;

/* A copy of a C string. */
char *memory_copy(const char *text) MUST_USE;

/* What a library allocated; NULL means that it could not. */
void *memory_checked(void *memory) MUST_USE;

/* Give back to the system what the program has freed: after a peak. */
void memory_trim(void);

/* End the program: what it stands on is gone (memory, threads, random bytes), or a table of ours is
 * wrong. One line on standard error says what. */
_Noreturn void memory_abort(const char *format, ...) PRINTF_LIKE(1, 2);
