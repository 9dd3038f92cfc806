/* SPDX-License-Identifier: Apache-2.0 */
/* collateral.c - where collateral comes from. */
#include "cli/collateral.h"

#include <stdlib.h>

#include "client/collateral_cache.h"

struct tf_collateral_source tf_default_collateral(void)
{
    const char *service = getenv("TFAAS_COLLATERAL");

    return (struct tf_collateral_source){
        .service = service == NULL || service[0] == '\0' ? NULL : service,
        .cache = tf_cache_folder()};
}
