/* SPDX-License-Identifier: Apache-2.0 */
/* The tests of this folder on V8: an addon of node, which runs a test's
 * main (test/unit/js/v8.js). */
#include "abi/native.h"

/** The test's. */
int main(void);

int tf_native_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return main();
}
