#pragma once
/* Random numbers that depend on nothing but the seed, what they are for and a number. */
#include <stdint.h>
#include <stdio.h>

enum draw_stream {
    DRAW_SUBSCRIPTION,
    DRAW_RESOURCE,
    DRAW_PLAN,
    DRAW_PICK,
    DRAW_STATE,
    DRAW_TIME,
    DRAW_CAUSE,
    DRAW_RISK,
    DRAW_RULE,
    DRAW_MACHINE,
    DRAW_FAILING,
    DRAW_PHRASE,
    DRAW_STEP,
    DRAW_KEY,
    DRAW_POLICY,
    DRAW_TENANT,
    DRAW_PATH,
    DRAW_PREREQUISITE,
    DRAW_BELOW,
    DRAW_CHANGE,
    DRAW_ALERT,
    DRAW_ALERT_TIME,
    DRAW_ALERT_KIND,
    DRAW_EXPOSURE,
    DRAW_PROFILE,
    DRAW_DEVICE
};

/* source: the finalizer of SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t draw_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline uint64_t draw(uint64_t seed, enum draw_stream stream, uint64_t number)
{
    return draw_mix(draw_mix(seed * 64 + (uint64_t)stream) ^ draw_mix(number));
}

/* 0 .. below - 1 */
static inline uint32_t draw_below(uint64_t seed, enum draw_stream stream, uint64_t number,
                                  uint32_t below)
{
    return (uint32_t)((draw(seed, stream, number) >> 32) * below >> 32);
}

/* A lower-case version 4 GUID; out: 37 bytes. */
static inline char *draw_guid(uint64_t seed, enum draw_stream stream, uint64_t number, char out[37])
{
    uint64_t high = draw(seed, stream, number), low = draw_mix(high ^ number);
    snprintf(out, 37, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(high >> 32),
             (unsigned)(high >> 16) & 0xffff, (unsigned)high & 0xfff,
             (unsigned)(low >> 48 & 0x3fff) | 0x8000,
             (unsigned long long)(low & UINT64_C(0xffffffffffff)));
    return out;
}
