/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/lvi.h"

const char *tf_lvi_name(uint32_t lvi)
{
    static const char *const names[] = {"off", "cf", "full"};

    return names[lvi];
}
