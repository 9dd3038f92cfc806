/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "test/native/rig.h"

struct tf_channel *rig_channel_make(void)
{
    return calloc(1, sizeof(struct tf_channel));
}
