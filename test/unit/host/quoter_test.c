/* SPDX-License-Identifier: Apache-2.0 */
/* Who may have quotes made when many ask: the quoting side stands still meanwhile. */
#include "host/quoter.h"

#include <string.h>

#include "test/fake/enclave.h"
#include "test/test.h"

enum { ALL = TF_QUOTER_JOBS_MAX, PART = TF_QUOTER_PEER_JOBS_MAX };

static struct tf_quoter *quoter;
static struct tf_quote_answer answer;

static void begin(void)
{
    memset(tf_fake(), 0, sizeof(*tf_fake()));
    tf_fake()->is_quoting_slow = true;
    CHECK(tf_quoter_open(NULL, 1, &quoter) == TF_OK);
}

static void end(void)
{
    __atomic_store_n(&tf_fake()->is_quoting_slow, false, __ATOMIC_RELEASE);
    tf_quoter_close(quoter);
}

static bool ask(uint64_t id, uint64_t peer)
{
    const struct sgx_report report = {.mac = {0}};
    struct sgx_target_info target;

    return tf_quoter_ask(quoter, 0, id, peer, tf_quoter_target(quoter, &target), &report);
}

/* Four addresses fill the queue, each with its part, peer by peer. */
static void fill(void)
{
    for (uint64_t i = 0; i < ALL; i++) {
        CHECK(ask(i, 1 + i / PART));
    }
}

static void a_peer_gets_a_part_of_the_queue(void)
{
    begin();
    for (uint64_t i = 0; i < PART; i++) {
        CHECK(ask(i, 7));
    }
    CHECK(!ask(PART, 7));
    CHECK(ask(PART, 8));
    CHECK(!tf_quoter_take(quoter, 0, &answer));
    end();
}

/* An attester is not kept out by strangers with four addresses. */
static void who_has_most_gives_way_to_a_newcomer(void)
{
    begin();
    fill();
    CHECK(ask(100, 99));
    CHECK(tf_quoter_take(quoter, 0, &answer));
    CHECK(answer.id == ALL - 1 && answer.size == 0); /* the newest of all */
    CHECK(!tf_quoter_take(quoter, 0, &answer));
    CHECK(ask(101, 0));  /* nobody's: the instance's own */
    CHECK(!ask(102, 1)); /* has its part */
    end();
}

static void with_32_addresses_each_keeps_one(void)
{
    begin();
    fill();
    for (uint64_t i = 0; i < ALL - 4; i++) {
        CHECK(ask(100 + i, 100 + i));
        CHECK(tf_quoter_take(quoter, 0, &answer) && answer.id < ALL);
    }
    CHECK(!ask(200, 200));
    CHECK(!tf_quoter_take(quoter, 0, &answer));
    end();
}

int main(void)
{
    RUN(a_peer_gets_a_part_of_the_queue);
    RUN(who_has_most_gives_way_to_a_newcomer);
    RUN(with_32_addresses_each_keeps_one);
    return test_end();
}
