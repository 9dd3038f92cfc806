/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/build.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/limits.h"
#include "client/file.h"
#include "client/report.h"

enum { ARGS_MAX = 16, ARGS_SIZE = 4 * PATH_MAX, NO_SWC = 3, NOT_STARTED = 127 };

/*
 * Run by node in the project's folder, whose packages it finds: argv is input, output.
 * Loops `for..of` come first, alone and "loose": then they go over arrays and strings
 * also where no Symbol.iterator is. "Loose" for the rest would make `[...'ab']` an array
 * of one. Private fields would need a WeakMap, `super.x` a Reflect.get that Duktape
 * lacks.
 */
static const char LOWER[] =
    "var fs = require('fs'), swc;\n"
    "try { swc = require('@swc/core'); } catch (e) {\n"
    "    console.error(String(e.message).split('\\n')[0]); process.exit(3);\n"
    "}\n"
    "function pass(text, options) {\n"
    "    return swc.transformSync(text, Object.assign(options,\n"
    "        { configFile: false, swcrc: false, isModule: 'commonjs' })).code;\n"
    "}\n"
    "try {\n"
    "    var text = fs.readFileSync(process.argv[1], 'utf8');\n"
    "    text = pass(text, { env: { targets: { node: '26' }, loose: true,\n"
    "        include: ['transform-for-of'] }, jsc: { externalHelpers: false } });\n"
    "    text = pass(text, { jsc: { target: 'es5', externalHelpers: false,\n"
    "        assumptions: { constantSuper: true,\n"
    "            privateFieldsAsProperties: true } } });\n"
    "    fs.writeFileSync(process.argv[2], text);\n"
    "} catch (e) { console.error(String(e.message)); process.exit(1); }\n";

/* A command line, and where its tools and files are. */
struct run {
    const struct tf_build *build;
    char folder[PATH_MAX];  /* of the project, absolute */
    char scratch[PATH_MAX]; /* of ours, gone afterwards */
    char esbuild[PATH_MAX];
    char *argv[ARGS_MAX + 1]; /* into `text` */
    size_t count;
    char text[ARGS_SIZE];
    size_t size;
};

static void command(struct run *run)
{
    run->count = 0;
    run->size = 0;
}

/* Adds an argument; posix_spawn wants copies. All of them fit: paths are bounded. */
static void arg(struct run *run, const char *text)
{
    size_t size = strlen(text) + 1;

    if (run->count < ARGS_MAX && size <= sizeof(run->text) - run->size) {
        run->argv[run->count++] = memcpy(run->text + run->size, text, size);
        run->argv[run->count] = NULL;
        run->size += size;
    }
}

/* @return the exit status; NOT_STARTED also for what did not end by itself. */
static int start(struct run *run)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    int status = 0;

    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addchdir_np(&actions, run->folder);
    (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY,
                                           0);
    (void)posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    int rc = posix_spawnp(&pid, run->argv[0], &actions, NULL, run->argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (rc != 0) {
        return NOT_STARTED;
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return NOT_STARTED;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : NOT_STARTED;
}

/* npm's way: node_modules/.bin of the folder and of those above it, then PATH. */
static void find_esbuild(struct run *run)
{
    char folder[PATH_MAX];
    int size = snprintf(folder, sizeof(folder), "%s", run->folder);

    while (size >= 0 && size < (int)sizeof(folder)) {
        size = snprintf(run->esbuild, sizeof(run->esbuild),
                        "%s/node_modules/.bin/esbuild", folder);
        if (size < (int)sizeof(run->esbuild) && access(run->esbuild, X_OK) == 0) {
            return;
        }
        char *slash = strrchr(folder, '/');
        if (slash == NULL) {
            break;
        }
        *slash = '\0';
    }
    (void)snprintf(run->esbuild, sizeof(run->esbuild), "esbuild");
}

static tf_err esbuild(struct run *run)
{
    int status = start(run);

    if (status == NOT_STARTED) {
        (void)tf_report(TF_ETOOL, "no esbuild in node_modules or PATH");
        return TF_ETOOL;
    }
    if (status != 0) {
        (void)tf_report(TF_EBUILD, "esbuild, %s", run->build->entry);
        return TF_EBUILD;
    }
    return TF_OK;
}

/* One file of the entry and all it imports. wrangler's conditions, so that packages give
 * what they have for servers without node. */
static tf_err bundle(struct run *run, const char *to)
{
    const struct tf_build *build = run->build;
    bool is_es5 = strcmp(build->target, "es5") == 0;
    char entry[TF_PATH_MAX + 3];
    char out[PATH_MAX + 64];
    char target[64];

    (void)snprintf(entry, sizeof(entry), "./%s", build->entry);
    (void)snprintf(out, sizeof(out), "--outfile=%s", to);
    (void)snprintf(target, sizeof(target), "--target=%s",
                   is_es5 ? "esnext" : build->target);
    command(run);
    arg(run, run->esbuild);
    arg(run, entry);
    arg(run, "--bundle");
    arg(run, build->is_module && !is_es5 ? "--format=esm" : "--format=cjs");
    arg(run, "--platform=browser");
    arg(run, "--conditions=worker");
    arg(run, "--define:process.env.NODE_ENV=\"production\"");
    arg(run, "--log-level=warning");
    arg(run, "--allow-overwrite");
    arg(run, target);
    arg(run, out);
    if (build->is_minified && !is_es5) {
        arg(run, "--minify");
    }
    return esbuild(run);
}

static tf_err lower(struct run *run, const char *from, const char *to)
{
    command(run);
    arg(run, "node");
    arg(run, "-e");
    arg(run, LOWER);
    arg(run, from);
    arg(run, to);
    int status = start(run);
    if (status == NOT_STARTED || status == NO_SWC) {
        (void)tf_report(TF_ETOOL, "%s",
                        status == NO_SWC ? "no package @swc/core for the project"
                                         : "no node in PATH, which runs SWC");
        return TF_ETOOL;
    }
    if (status != 0) {
        (void)tf_report(TF_EBUILD, "SWC, %s", run->build->entry);
        return TF_EBUILD;
    }
    return TF_OK;
}

/* esbuild lowers nothing to ES5, but refuses what is not, and warns of what an engine of
 * ES5 will lack (BigInt). */
static tf_err check_es5(struct run *run, const char *from, const char *to)
{
    char out[PATH_MAX + 64];

    (void)snprintf(out, sizeof(out), "--outfile=%s", to);
    command(run);
    arg(run, run->esbuild);
    arg(run, from);
    arg(run, "--target=es5");
    arg(run, "--log-level=warning");
    arg(run, out);
    if (run->build->is_minified) {
        arg(run, "--minify");
    }
    return esbuild(run);
}

static tf_err make(struct run *run, uint8_t **data, size_t *size)
{
    char bundled[PATH_MAX + 32];
    char lowered[PATH_MAX + 32];
    char checked[PATH_MAX + 32];
    const char *last = bundled;

    (void)snprintf(bundled, sizeof(bundled), "%s/bundled.js", run->scratch);
    (void)snprintf(lowered, sizeof(lowered), "%s/lowered.js", run->scratch);
    (void)snprintf(checked, sizeof(checked), "%s/checked.js", run->scratch);
    tf_err err = bundle(run, bundled);
    if (err == TF_OK && strcmp(run->build->target, "es5") == 0) {
        err = lower(run, bundled, lowered);
        if (err == TF_OK) {
            err = check_es5(run, lowered, checked);
        }
        last = checked;
    }
    if (err == TF_OK) {
        err = tf_file_read(last, TF_BUNDLE_MAX, data, size);
    }
    (void)unlink(bundled);
    (void)unlink(lowered);
    (void)unlink(checked);
    return err;
}

tf_err tf_build_run(const struct tf_build *build, uint8_t **data, size_t *size)
{
    struct run run = {.build = build};
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(run.scratch, sizeof(run.scratch), "%s/tfaas-build.XXXXXX",
                   tmp == NULL || tmp[0] == '\0' ? "/tmp" : tmp);
    if (realpath(build->folder, run.folder) == NULL) {
        (void)tf_report(TF_EIO, "%s: %s", build->folder, strerror(errno));
        return TF_EIO;
    }
    if (mkdtemp(run.scratch) == NULL) {
        (void)tf_report(TF_EIO, "%s: %s", run.scratch, strerror(errno));
        return TF_EIO;
    }
    find_esbuild(&run);
    tf_err err = make(&run, data, size);
    (void)rmdir(run.scratch);
    return err;
}
