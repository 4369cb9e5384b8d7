/* Preloaded into a program, it forgets every Nth call: of free with FORGET_FREE=N, of close with
 * FORGET_CLOSE=N. What finds leaks has to find these. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void __libc_free(void *memory); /* glibc's own */

static atomic_ulong freed, closed;

static bool is_forgotten(const char *name, atomic_ulong *count)
{
    const char *every = getenv(name);
    unsigned long number = every ? strtoul(every, NULL, 10) : 0;
    return number && (atomic_fetch_add(count, 1) + 1) % number == 0;
}

void free(void *memory)
{
    if (memory && !is_forgotten("FORGET_FREE", &freed))
        __libc_free(memory);
}

int close(int descriptor)
{
    return is_forgotten("FORGET_CLOSE", &closed) ? 0 : (int)syscall(SYS_close, descriptor);
}
