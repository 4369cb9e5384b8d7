/* A test program: all tests of the file it is built with. */
#include "test.h"

int main(void)
{
    return !test_run();
}
