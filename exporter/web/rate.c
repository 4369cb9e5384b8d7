#include "exporter/web/rate.h"

void rate_configure(struct rate *rate, double interval_s, int64_t burst)
{
    if (rate->interval_s == interval_s && rate->burst == (double)burst)
        return;
    rate->interval_s = interval_s;
    rate->burst = rate->tokens = (double)burst;
    rate->at_s = 0;
}

bool rate_take(struct rate *rate, double now_s)
{
    if (rate->interval_s == 0)
        return true;
    if (now_s > rate->at_s)
        rate->tokens += (now_s - rate->at_s) / rate->interval_s;
    if (rate->tokens > rate->burst)
        rate->tokens = rate->burst;
    rate->at_s = now_s;
    if (rate->tokens < 1)
        return false;
    rate->tokens--;
    return true;
}
