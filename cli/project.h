/* SPDX-License-Identifier: Apache-2.0 */
/*
 * project.h - a project folder, as `pack` takes it: its files, and what is wrong with its
 * tfaas.json, in words for whoever wrote that.
 */
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

/** Parses the tfaas.json at `path`. @return TF_OK and the caller's document, or an error
 * after a message that says where it is no JSON. */
TF_MUST_USE tf_err tf_project_parse(const char *path, const char *text, size_t size,
                                    json_t **out);

/** Says why the manifest that a project gave was refused with `err`: which field, and
 * what that wants. @param manifest  with the rows of its files. */
void tf_project_complain(const char *folder, tf_err err, json_t *manifest);
