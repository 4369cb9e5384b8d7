#pragma once
/* What collecting costs and brings, before it is switched on: for `plan`. */
#include "exporter/config.h"

/* Run every collector once, also those that are off, keep nothing of it, and append a table of
 * rows, requests and series. config: owned from now on. whole: false when one that is on failed,
 * the text says why. False and *error when Azure could not be asked at all. */
bool plan_make(struct config *config, struct buf *out, bool *whole, struct error *error) MUST_USE;
