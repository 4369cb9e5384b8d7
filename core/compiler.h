#pragma once
/* Attributes every file uses: results that must be looked at, and locals that clean up after
 * themselves. */

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, arguments_at) \
    __attribute__((format(printf, format_at, arguments_at)))

/* CLEANUP(buf_finish) struct buf body = { 0 };  calls buf_finish(&body) when body leaves scope. */
#define CLEANUP(function) __attribute__((cleanup(function)))

#define ARRAY_COUNT(array) (sizeof(array) / sizeof *(array))
