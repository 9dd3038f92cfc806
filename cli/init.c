/* SPDX-License-Identifier: Apache-2.0 */
/* init.c - the verb `init`: a project to start from. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/names.h"

static const struct template
{
    const char *name;
    const char *type;
    const char *engines; /* a line of tfaas.json, so that others refuse it at once */
    const char *code;
}
TEMPLATES[] = {
    {"fetch", "commonjs", "",
     "/* Runs on every engine. Each request gets a fresh heap. */\n"
     "exports.fetch = function (request, env, ctx) {\n"
     "    var url = new URL(request.url);\n"
     "    return new Response('hello from ' + url.pathname + '\\n', {\n"
     "        headers: { 'content-type': 'text/plain' }\n"
     "    });\n"
     "};\n"},
    {"event", "commonjs", "",
     "/* The event style: a request comes as an object, the answer is one. */\n"
     "exports.handler = function (event, context) {\n"
     "    return { statusCode: 200, body: 'hello from ' + event.rawPath + '\\n' };\n"
     "};\n"},
    {"module", "module", "    \"engines\": [\"quickjs\", \"v8\"],\n",
     "/* An ES module: for the engines that have them. */\n"
     "export default {\n"
     "    async fetch(request, env, ctx) {\n"
     "        return new Response(`hello from ${new URL(request.url).pathname}\\n`);\n"
     "    }\n"
     "};\n"},
};
enum { TEMPLATE_COUNT = sizeof(TEMPLATES) / sizeof(TEMPLATES[0]) };

static const struct template *find(const char *name)
{
    for (size_t i = 0; i < TEMPLATE_COUNT; i++) {
        if (strcmp(TEMPLATES[i].name, name) == 0) {
            return &TEMPLATES[i];
        }
    }
    return NULL;
}

static tf_err write_in(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (access(path, F_OK) == 0) {
        (void)tf_report(TF_EUSAGE, "%s exists; nothing is overwritten", path);
        return TF_EUSAGE;
    }
    return tf_file_write(path, text, strlen(text), 0644);
}

int tf_cmd_init(int argc, char **argv)
{
    const char *folder = NULL;
    const char *chosen = "fetch";
    const struct tf_option options[] = {TF_TEXT("template", &chosen), {0}};
    char project[512];

    if (!tf_options(argc, argv, options, &folder, 1)) {
        return TF_EXIT_USAGE;
    }
    const struct template *t = find(chosen);
    const char *slash = strrchr(folder, '/');
    const char *name = slash == NULL ? folder : slash + 1;
    if (t == NULL || !tf_name_is_valid(name, strlen(name))) {
        return tf_report(TF_EUSAGE,
                         "the template is fetch, event or module; the folder's name a DNS"
                         " label ([a-z0-9-]), since it becomes the lambda's");
    }
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        return tf_report(TF_EIO, "%s: %s", folder, strerror(errno));
    }
    (void)snprintf(
        project, sizeof(project),
        "{\n    \"name\": \"%s\",\n    \"version\": 1,\n    \"type\": \"%s\",\n%s"
        "    \"entry\": \"main.js\",\n    \"domains\": [\"%s.test\"]\n}\n",
        name, t->type, t->engines, name);
    if (write_in(folder, "tfaas.json", project) != TF_OK ||
        write_in(folder, "main.js", t->code) != TF_OK) {
        return TF_EXIT_USAGE;
    }
    (void)printf("made %s/tfaas.json and %s/main.js; next: tfaas pack %s --out %s.tfb\n",
                 folder, folder, folder, name);
    return TF_EXIT_OK;
}
