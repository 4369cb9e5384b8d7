#include "exporter/web/rush.h"

bool rush_look(struct rush *rush, size_t open, size_t max, size_t answers)
{
    bool many = open > max / 2 || answers > RUSH_ANSWERS;
    bool few = open < max / 4 && answers < RUSH_ANSWERS / 4;
    bool over = rush->on && few;
    rush->on = many || (rush->on && !few);
    return over;
}
