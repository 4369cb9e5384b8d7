/* What templates of bodies are tried on is as full as what is sent. */
#include "alerts/receivers/sample.h"
#include "test.h"

#include "core/compiler.h"

TEST(samples_say_in_each_part_what_it_is_about)
{
    for (int i = 0; i < SAMPLE_COUNT; i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        struct notification sample;
        sample_make(i, &arena, &sample);
        CHECK(sample_name(i)[0] && sample.event[0] && sample.title[0]);
        for (size_t j = 0; j < sample.block_count; j++) {
            const struct notification_block *block = &sample.blocks[j];
            CHECK_TEXT(block->rule, sample.rule);
            CHECK_TEXT(block->event, sample.event);
            CHECK(block->title[0]);
            CHECK_INT(block->reason[0] != '\0', !block->open_count);
            for (size_t k = 0; k < block->resource_count; k++)
                CHECK(block->resources[k].name[0]);
        }
    }
}
