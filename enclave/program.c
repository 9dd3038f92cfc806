/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/program.h"

#include <stdlib.h>
#include <string.h>

#include "lib/crypto.h"

static tf_err copy_secrets(const struct tf_secrets *from, struct tf_secrets **out)
{
    if (from == NULL || from->count == 0) {
        return TF_OK;
    }
    struct tf_secrets *secrets = malloc(sizeof(*secrets) + from->size);
    if (secrets == NULL) {
        return TF_ENOMEM;
    }
    *secrets = *from;
    secrets->text = memcpy(secrets + 1, from->text, from->size);
    *out = secrets;
    return TF_OK;
}

static void put_var(struct tf_program *program, const char *name, const char *value)
{
    size_t at = 0;

    while (at < program->js.env_count && strcmp(program->vars[at].name, name) != 0) {
        at++;
    }
    program->vars[at] = (struct tf_js_var){name, value};
    program->js.env_count += at == program->js.env_count;
}

static tf_err describe_vars(struct tf_program *program,
                            const struct tf_manifest *manifest)
{
    size_t secret_count = program->secrets == NULL ? 0 : program->secrets->count;
    struct tf_secret one = {0};

    program->vars =
        calloc(manifest->env_count + secret_count + 1, sizeof(*program->vars));
    if (program->vars == NULL) {
        return TF_ENOMEM;
    }
    for (size_t i = 0; i < manifest->env_count; i++) {
        put_var(program, manifest->env[i].name, manifest->env[i].value);
    }
    for (size_t i = 0; i < secret_count; i++) {
        one = tf_secrets_next(program->secrets, one);
        put_var(program, one.name, one.value);
    }
    program->js.env = program->vars;
    return TF_OK;
}

static tf_err describe_files(struct tf_program *program, const struct tf_bundle *bundle)
{
    const struct tf_manifest *manifest = &bundle->manifest;

    program->files = calloc(manifest->file_count, sizeof(*program->files));
    if (program->files == NULL) {
        return TF_ENOMEM;
    }
    for (size_t i = 0; i < manifest->file_count; i++) {
        program->files[i] =
            (struct tf_js_file){manifest->files[i].path, bundle->contents[i],
                                (size_t)manifest->files[i].size};
    }
    program->js.files = program->files;
    program->js.file_count = manifest->file_count;
    return TF_OK;
}

tf_err tf_program_make(const struct tf_bundle *bundle, const struct tf_secrets *secrets,
                       struct tf_program *out)
{
    const struct tf_manifest *manifest = &bundle->manifest;
    struct tf_program program = {.js = {.entry = manifest->entry,
                                        .is_module = manifest->is_module,
                                        .name = manifest->name}};

    if (copy_secrets(secrets, &program.secrets) != TF_OK ||
        describe_vars(&program, manifest) != TF_OK ||
        describe_files(&program, bundle) != TF_OK) {
        tf_program_wipe(&program);
        return TF_ENOMEM;
    }
    *out = program;
    return TF_OK;
}

void tf_program_wipe(struct tf_program *program)
{
    free(program->files);
    free(program->vars);
    if (program->secrets != NULL) {
        tf_wipe(program->secrets, sizeof(*program->secrets) + program->secrets->size);
        free(program->secrets);
    }
    *program = (struct tf_program){0};
}
