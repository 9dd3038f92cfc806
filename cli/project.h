/* SPDX-License-Identifier: Apache-2.0 */
/* project.h - the files of a project folder, as `pack` takes them. */
#pragma once

#include <jansson.h>

#include "abi/limits.h"
#include "lib/err.h"

struct tf_project_files {
    char paths[TF_FILES_MAX][TF_PATH_MAX + 1]; /* relative, sorted */
    size_t count;
};

/**
 * Lists a project's files: those that `listed` names (NULL: every file below the folder
 * but tfaas.json, dot files and *.tfb).
 * @return TF_OK, or an error after a message.
 */
TF_MUST_USE tf_err tf_project_list(const char *folder, const json_t *listed,
                                   struct tf_project_files *out);
