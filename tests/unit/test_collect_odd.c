/* One run in which rows are odd or come twice: they cost none of the others. */
#include "collect_bench.h"

TEST(odd_rows_are_counted_and_the_others_kept)
{
    static const struct {
        const char *row;
        enum odd_reason reason;
        const char *name;
    } cases[] = {
        { "{\"name\":1}", ODD_MISSING, "column id is missing" },
        { "{\"id\":null}", ODD_MISSING, "column id is missing" },
        { "{\"id\":\"x\",\"subscriptionId\":[]}", ODD_TYPE, "x: column subscriptionId: expected" },
        { ROW("poison"), ODD_WORD, "poison: poison" },
        { "null", ODD_TYPE, "it is no object but null" },
        { "{\"id\":\"\\ud800\"}", ODD_TEXT, "\xef\xbf\xbd: a text is none" },
        { ROW("A"), ODD_TWICE, "A: the id came twice" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        BENCH(bench, &list_kind);
        CLEANUP(buf_finish) struct buf rows = { 0 };
        buf_printf(&rows, VALUE(ROW("a") ",%s," ROW("b")), cases[i].row);
        CHECK(run(&bench, ANSWERS({ "/list", 200, buf_cstr(&rows) })));
        CHECK_INT(bench.result.rows, 3);
        CHECK_INT(bench.older->finding_count, 2 + (cases[i].reason == ODD_TEXT));
        CHECK_INT(odd_count(&bench.older->odd), 1);
        CHECK_INT(bench.older->odd.counts[cases[i].reason], 1);
        CHECK_CONTAINS(bench.older->odd.first, cases[i].name);
        CHECK_INT(bench.older->gaps, cases[i].reason != ODD_TEXT && cases[i].reason != ODD_TWICE);
    }
}

TEST(a_page_that_is_no_json_is_broken_and_no_row_of_it_is_odd)
{
    BENCH(bench, &list_kind);
    CHECK(run(&bench, ANSWERS({ "/list", 200, VALUE(ROW("a")) })));
    CHECK(!run(&bench, ANSWERS({ "/list", 200, VALUE("{\"id\":nothing}," ROW("b")) })));
    CHECK_INT(bench.error.code, ERROR_PARSE);
    CHECK_CONTAINS(bench.error.message, "a row is not JSON");
}

TEST(where_no_row_can_be_read_it_is_not_the_rows_that_are_odd)
{
    BENCH(bench, &list_kind);
    static const char ten[] = VALUE("1,2,3,4,5,6,7,8,9,10");
    CHECK(run(&bench, ANSWERS({ "/list", 200, VALUE("1,2,3,4,5,6,7,8,9") })));
    CHECK(!run(&bench, ANSWERS({ "/list", 200, ten })));
    CHECK_INT(bench.error.code, ERROR_PARSE);
    CHECK_TEXT(bench.error.message,
               "list: no row can be read, the first: it is no object but number");
    CHECK(run(&bench, ANSWERS({ "/list", 200, VALUE("1,2,3,4,5,6,7,8,9,10," ROW("a")) })));
}

/* Two pages; the first row of each is given. */
#define PAGES(total, first, second)                                                                \
    { "page-2", 200, GRAPH(total, "2", second ",{\"id\":\"z\",\"subscriptionId\":\"s-1\"}") },     \
    {                                                                                              \
        "/providers/Microsoft.ResourceGraph", 200,                                                 \
            "{\"totalRecords\":" total                                                             \
            ",\"count\":2,\"resultTruncated\":\"false\",\"$skipToken\":"                           \
            "\"page-2\",\"data\":[{\"id\":\"y\",\"subscriptionId\":\"s-1\"}," first "]}"           \
    }
#define OF_ONE(id) "{\"id\":\"" id "\",\"subscriptionId\":\"s-1\"}"

TEST(rows_that_moved_are_asked_for_in_pieces_from_then_on)
{
    BENCH(bench, &parts_kind);
    CHECK(graph_can_partition(parts_kind.variants[0].queries[0].kql));
    CHECK(!run(&bench, ANSWERS(PAGES("4", OF_ONE("a"), OF_ONE("A")))));
    CHECK_INT(bench.error.code, ERROR_INCOMPLETE);
    CHECK_CONTAINS(bench.error.message, "ids came twice: rows moved");
    CHECK_INT(bench.memory.partitions[0], 0); /* they fit into one page: pieces would not help */
    bench.memory.total[0] = 1401;
    CHECK(!run(&bench, ANSWERS({ "/providers/Microsoft.ResourceGraph", 200,
                                 GRAPH("1401", "1", OF_ONE("a")) })));
    CHECK_INT(bench.error.code, ERROR_INCOMPLETE);
    CHECK_INT(bench.memory.partitions[0], 2); /* 1401 rows, 900 a piece */
    run(&bench, ANSWERS({ "/providers/Microsoft.ResourceGraph", 200, GRAPH("0", "0", "") }));
    CHECK_TEXT(buf_cstr(&bench.asked),
               "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01\n"
               "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01\n");
    /* a total nobody can ask for, and what comes of it is not kept for ever */
    BENCH(lied_to, &parts_kind);
    CHECK(!run(&lied_to, ANSWERS({ "/providers/Microsoft.ResourceGraph", 200,
                                   GRAPH("900000000", "1", OF_ONE("a")) })));
    CHECK_INT(lied_to.memory.partitions[0], 2000);
    CHECK(!run(&lied_to, ANSWERS({ "/providers/Microsoft.ResourceGraph", 503, "" })));
    CHECK_INT(lied_to.memory.partitions[0], 0);
    BENCH(whole, &graph_kind);
    CHECK(!run(&whole, ANSWERS(PAGES("4", OF_ONE("a"), OF_ONE("a")))));
    CHECK(!run(&whole, ANSWERS(PAGES("1401", OF_ONE("a"), OF_ONE("a")))));
    CHECK_INT(whole.memory.partitions[0], 0); /* a query without a place for it */
}

#define PIECE(number, count, rows)                                                                 \
    {                                                                                              \
        "hash(id, 112) == " number "\\n", 200, GRAPH(count, count, rows)                           \
    }
#define OTHER_PIECES                                                                               \
    {                                                                                              \
        "hash(id, 112)", 200, GRAPH("0", "0", "")                                                  \
    }

/* What a first page tells is too many for a walk, but a hundred and twelve pieces hold it. */
static void check_pieces(struct bench *bench, const struct answer *answers, size_t requests)
{
    bool ok = run(bench, answers);
    CHECK_TEXT(bench->error.message, "");
    if (!ok)
        return;
    CHECK_INT(bench->older->rows, 4);
    CHECK_INT(bench->older->finding_count, 4);
    CHECK_INT(findings_of(bench, "s-1"), 4);
    CHECK_INT(odd_count(&bench->older->odd), 0); /* what came before the pieces came not */
    CHECK_INT(bench->memory.moved, 0);
    size_t asked = 0;
    for (const char *at = buf_cstr(&bench->asked); *at; at++)
        asked += *at == '\n';
    CHECK_INT(asked, requests);
}

TEST(a_total_that_is_too_large_for_a_walk_is_asked_for_in_pieces_at_once)
{
    const struct answer many[] = {
        PIECE("0", "1", OF_ONE("y")),
        PIECE("7", "2", OF_ONE("z") "," OF_ONE("a")),
        PIECE("111", "1", OF_ONE("b")),
        OTHER_PIECES,
        PAGES("100001", OF_ONE("a"), OF_ONE("b")),
        { 0 },
    };
    BENCH(whole, &parts_kind);
    CHECK(run(&whole, ANSWERS(PAGES("4", OF_ONE("a"), OF_ONE("b")))));
    CHECK_INT(whole.memory.partitions[0], 0);
    CHECK_INT(findings_of(&whole, "s-1"), 4);
    BENCH(bench, &parts_kind);
    for (int i = 0; i < 2; i++) { /* the second time, too: so few did not need them */
        check_pieces(&bench, many, 113);
        CHECK_INT(bench.memory.partitions[0], 0);
    }
    bench.memory.partitions[0] = 112; /* a run that begins with them needs no first page */
    check_pieces(&bench, many, 112);
    /* and as many as one may read are read */
    CHECK(!run(&bench, ANSWERS(PAGES("100000", OF_ONE("a"), OF_ONE("b")))));
    CHECK_CONTAINS(bench.error.message, "4 rows came, totalRecords says 100000");
}

TEST(pieces_are_as_many_as_the_newest_total_asks_for)
{
    BENCH(bench, &parts_kind);
    bench.memory.partitions[0] = 2;
    CHECK(!run(&bench, ANSWERS({ "/providers/Microsoft.ResourceGraph", 503, "" })));
    CHECK_INT(bench.memory.partitions[0], 0);
    bench.memory.page_rows[0] = 1; /* a page holds a row */
    bench.memory.partitions[0] = 2;
    CHECK(run(&bench, ANSWERS({ "== 0\\n", 200, GRAPH("2", "2", OF_ONE("a") "," OF_ONE("b")) },
                              { "== 1\\n", 200, GRAPH("1", "1", OF_ONE("c")) })));
    CHECK_INT(bench.memory.total[0], 3);
    CHECK_INT(bench.memory.partitions[0], graph_partitions(3, 1));
}

/* Pieces that fail are no pieces the next time: its first page decides anew. */
TEST(pieces_of_a_total_that_fail_are_decided_anew)
{
    BENCH(bench, &parts_kind);
    CHECK(!run(&bench,
               ANSWERS({ "hash(id, 112)", 503, "" }, PAGES("100001", OF_ONE("a"), OF_ONE("b")))));
    CHECK_CONTAINS(buf_cstr(&bench.asked), "\n/providers"); /* a page and a piece */
    CHECK_INT(bench.memory.partitions[0], 0);
    BENCH(whole, &graph_kind); /* a query without a place for pieces is read page by page */
    CHECK(!run(&whole, ANSWERS(PAGES("100001", OF_ONE("a"), OF_ONE("b")))));
    CHECK_CONTAINS(whole.error.message, "4 rows came, totalRecords says 100001");
}

TEST(rows_that_come_twice_run_after_run_are_twice)
{
    BENCH(bench, &graph_kind);
    /* within one page nothing can have moved */
    CHECK(run(&bench, ANSWERS({ "/providers/Microsoft.ResourceGraph", 200,
                                GRAPH("2", "2", OF_ONE("a") "," OF_ONE("A")) })));
    CHECK_INT(bench.older->finding_count, 1);
    CHECK_INT(bench.older->odd.counts[ODD_TWICE], 1);
    CHECK(!run(&bench, ANSWERS(PAGES("4", OF_ONE("a"), OF_ONE("a")))));
    CHECK(!run(&bench, ANSWERS(PAGES("4", OF_ONE("b"), OF_ONE("b"))))); /* others: they move */
    for (int i = 0; i < 2; i++) {
        CHECK(run(&bench, ANSWERS(PAGES("4", OF_ONE("b"), OF_ONE("b")))));
        CHECK_INT(bench.older->finding_count, 3);
        CHECK_INT(bench.older->odd.counts[ODD_TWICE], 1);
        CHECK(bench.older->gaps); /* and yet nothing is gone for it */
    }
    /* the same again, but one is missed: it has moved */
    bench.memory.distinct_rows = 4;
    CHECK(!run(&bench, ANSWERS(PAGES("4", OF_ONE("b"), OF_ONE("b")))));
    bench.memory.moved_runs = 20; /* not for ever */
    CHECK(run(&bench, ANSWERS(PAGES("4", OF_ONE("b"), OF_ONE("b")))));
}
