/* SPDX-License-Identifier: Apache-2.0 */
#include "test/native/rig.h"
#include "test/test.h"

static void a_granted_name_answers(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    CHECK(rig_is_up(client));
    char *text = rig_ask(
        rig, client,
        "POST /a?b HTTP/1.1\r\nHost: hello.example\r\nContent-Length: 5\r\n\r\nhello");
    CHECK(strncmp(text, "HTTP/1.1 200 OK\r\n", 17) == 0);
    CHECK(strstr(text, "x-url: https://hello.example/a?b\r\n") != NULL);
    CHECK(strstr(text, "\r\n\r\nhello") != NULL);
    free(text);
    rig_close(rig);
}

int main(void)
{
    RUN(a_granted_name_answers);
    return test_end();
}
