#pragma once
/* What a simulated life and the world around it share: one page of memory, and the frames that go
 * between them. The life is a process that may die at any call; the world outlives it. */
#include <malloc.h>
#include <stdint.h>

/* In shared memory. Only the life moves time on, while every thread of it waits; the world only
 * while there is no life. */
struct stage {
    int64_t monotonic_ns; /* what every clock of the life is made of */
    int64_t wall_ns;      /* what the wall clock is ahead of it */
    int64_t world_ns;     /* before time goes beyond, the world is asked */
    int64_t grain_ns; /* waits end at its multiples, as on a machine that is busy; 0 = in time */
    uint64_t dice;    /* state of the generator of this life, never 0 */
    uint64_t calls;   /* of this life that could be its last */
    uint64_t dies_at; /* such a call; 0 = none is */
    uint64_t reloads; /* rises when the configuration is to be read again */
    uint64_t hushes;  /* rises when a silence is to be made, or the last one ended */
    uint64_t hushed;  /* as far as that is done, by the life; it may be done and not be said */
    int64_t hush_s;   /* so long; 0 = end it */
    int64_t hush_from, hush_until; /* by the wall clock of the life: surely from, and until */
    char hush[96];                 /* what it matches; one matcher */
    char hushed_of[96];            /* what that did that was made last, and its id */
    char hush_id[40];
    int32_t disk_fails; /* every so many writes fail; 0 = none does */
    int32_t ends;       /* 1 = the life is to stop by itself */
};

enum stage_descriptor { STAGE_PAGE = 3, STAGE_WIRE = 4 };

/* Life to world: a head and so many bytes. A request is "METHOD URL\n", headers as "name: value\n",
 * an empty line, the body. That a life is over says the process that all lives are forks of: it
 * begins the next with any answer it gets. */
enum stage_ask { STAGE_TIME, STAGE_REQUEST, STAGE_OVER };
struct stage_question {
    uint32_t ask, bytes;
};

/* With STAGE_OVER. */
struct stage_end {
    int32_t status; /* as wait says it */
    int32_t kib;    /* of memory at most */
};

/* World to life: a head, headers as "name: value\n", the body. */
enum stage_outcome {
    STAGE_ANSWERED,
    STAGE_REFUSED, /* no connection */
    STAGE_BROKEN,  /* the connection broke, whatever became of the request */
    STAGE_SILENT   /* nothing comes until the request's own time-out */
};
struct stage_answer {
    uint32_t outcome, status, header_bytes, body_bytes;
    int64_t delay_ms;
};

/* What is freed and soon taken again need not go through the kernel. */
static inline void stage_keep_memory(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    mallopt(M_TOP_PAD, 4 << 20);
    mallopt(M_MMAP_THRESHOLD, 16 << 20);
}
