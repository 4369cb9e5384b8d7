/* Files with alert rules. */
#include <stdint.h>

#include "alerts/rules/rule.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct family_2 findings = { .name = "defender_findings",
                                              LABELS("subscription_id", "risk_level") };
    static const struct family *const families[] = { &findings.family, NULL };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    rule_release(rule_load_text("fuzz.yml", (const char *)data, size, families, &report));
    return 0;
}
