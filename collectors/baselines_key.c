/* What a rule is called: whoever tells of it, and on whatever machine. */
#include <stdio.h>
#include <string.h>

#include "collectors/baselines.h"

char *baselines_rule_key(const char *rule, char *out, size_t out_bytes)
{
    const char *end = strcasestr(rule, "(CIS:");
    size_t used = 0;
    for (const char *c = rule; *c && c != end && used + 1 < out_bytes; c++) {
        bool upper = *c >= 'A' && *c <= 'Z';
        bool in_word = *c == '-' && c > rule && c[-1] != ' ';
        if (upper || (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || in_word ||
            (unsigned char)*c >= 0x80)
            out[used++] = upper ? (char)(*c + ('a' - 'A')) : *c;
    }
    out[used] = 0;
    return out;
}

char *baselines_row_id(const char *machine_id, enum baseline baseline, const char *rule_key,
                       char out[BASELINES_ROW_ID_BYTES])
{
    snprintf(out, BASELINES_ROW_ID_BYTES, "%s|%d|%s", machine_id, (int)baseline, rule_key);
    return out;
}

char *baselines_rule_id(enum baseline baseline, const char *rule_key,
                        char out[BASELINES_RULE_ID_BYTES])
{
    snprintf(out, BASELINES_RULE_ID_BYTES, "%s-%s",
             baseline == BASELINE_LINUX ? "linux" : "windows", rule_key);
    return out;
}
