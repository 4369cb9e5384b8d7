#pragma once
/* Regulatory compliance: standards per subscription, their controls, and which recommendations
 * count for controls of Microsoft's cloud security benchmark (MCSB). */
#include "collectors/snapshot/snapshot.h"

/* The controls of the benchmark that a finding counts for: "MCSB NS-2, NS-7"; "" = none is known.
 * What it returns lives in the arena. */
const char *compliance_benchmark(const struct snapshot *snapshot, const struct finding *finding,
                                 struct arena *arena);
