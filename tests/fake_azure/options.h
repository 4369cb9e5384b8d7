#pragma once
/* The command line of the stand-in. */
#include "fake.h"

struct options_more {
    const char *queries; /* a folder of more .kql files */
    const char *faults[FAULTS_MAX];
    size_t fault_count;
};

/* Fill both; prints what is wrong and ends the program. */
void options_read(int count, char **words, struct fake_options *options, struct options_more *more);
