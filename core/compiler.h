#pragma once
/* What every file uses of the compiler: results that must be looked at, locals that clean up after
 * themselves, and tables whose rows are checked while they are compiled. */
#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, arguments_at)                                                       \
    __attribute__((format(printf, format_at, arguments_at)))

/* CLEANUP(buf_finish) struct buf body = { 0 };  calls buf_finish(&body) when body leaves scope. */
#define CLEANUP(function) __attribute__((cleanup(function)))

/* 0 inside an expression, also a constant one; a compilation that ends with the message when the
 * condition is false. */
#define CHECKED_ZERO(condition, message)                                                           \
    (0 * sizeof(struct {                                                                           \
         _Static_assert(condition, message);                                                       \
         char checked;                                                                             \
     }))

/* Whether `place` has exactly this type; an array is not the pointer it decays to. */
#define HAS_TYPE(place, type) _Generic(&(place), __typeof__(type) * : 1, default : 0)

/* offsetof(type, member) for a table that reads or writes a `wanted` there. */
#define MEMBER_OFFSET(type, member, wanted)                                                        \
    (offsetof(type, member) +                                                                      \
     CHECKED_ZERO(HAS_TYPE(((type *)0)->member, wanted), #type "." #member " must be: " #wanted))

/* The same for an enum, or an int that holds one. */
#define ENUM_OFFSET(type, member)                                                                  \
    (offsetof(type, member) +                                                                      \
     CHECKED_ZERO(_Generic(((type *)0)->member, int : 1, unsigned : 1, default : 0),               \
                  #type "." #member " must be: an enum"))

#define ARRAY_COUNT(array) (sizeof(array) / sizeof *(array))
