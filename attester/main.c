/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tfaas-attester: holds a policy and grants by itself, so that restarts, new instances
 * and new machines need nobody. It may be killed at any moment: what it has to remember
 * is in its log before it acts on it.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <jansson.h>

#include "attester/book.h"
#include "attester/config.h"
#include "attester/issuer.h"
#include "attester/lists.h"
#include "attester/policy.h"
#include "attester/rounds.h"
#include "attester/say.h"
#include "attester/secrets.h"
#include "client/keys.h"
#include "client/report.h"
#include "lib/version.h"

static const char usage[] =
    "usage: tfaas-attester --config FILE [--check]\n"
    "Attests and grants by itself what FILE names; --check says what is wrong with FILE\n"
    "and stops. doc/attester.md leads through it, tfaas-attester(1) has the fields.\n";

/* Whether what visits read can be read now. @return TF_OK, or an error after a message.
 */
static tf_err check_files(const struct tf_config *config)
{
    struct tf_lists lists = {0};
    tf_err err = tf_lists_load(config, &lists);

    if (err == TF_OK) {
        tf_lists_wipe(&lists);
    }
    for (size_t i = 0; err == TF_OK && i < config->lambda_count; i++) {
        struct tf_secret_file secrets;
        err = tf_secret_file_load(config->lambdas[i].secrets, &secrets);
        if (err == TF_OK) {
            tf_secret_file_wipe(&secrets);
        }
    }
    return err;
}

/* Loads all that the configuration names, and with `is_check` does no more. */
static tf_err run(const struct tf_config *config, const sigset_t *stop, bool is_check)
{
    struct tf_attester attester = {.config = config};
    struct tf_policy_now policy;
    tf_err err = tf_policy_now(config->policy, &policy);

    if (err == TF_OK) {
        attester.key = tf_key_load(config->key);
        err = attester.key == NULL ? TF_EUSAGE : TF_OK;
    }
    if (err == TF_OK) {
        err = tf_issuer_open(config, &attester.issuer);
    }
    if (err == TF_OK && is_check) {
        err = check_files(config);
    }
    if (err == TF_OK && !is_check) {
        err = tf_book_open(config->log, attester.key, policy.hash, &attester.book);
    }
    if (err == TF_OK && !is_check) {
        tf_say("start", "machines=%zu lambdas=%zu lease=%llu", config->machine_count,
               config->lambda_count, (unsigned long long)config->lease_seconds);
        tf_rounds_run(&attester, stop);
        tf_say("stop", "reason=signal");
        /* Visits may still run: the end of the process ends them. */
        _exit(TF_EXIT_OK);
    }
    tf_book_close(attester.book);
    tf_issuer_close(attester.issuer);
    EVP_PKEY_free(attester.key);
    return err;
}

static bool parse_arguments(int argc, char **argv, const char **config, bool *is_check)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--check") == 0) {
            *is_check = true;
        } else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
            *config = argv[++i];
        } else {
            (void)fprintf(stderr, "tfaas-attester: `%s` is no option, or lacks a value\n",
                          argv[i]);
            return false;
        }
    }
    if (*config == NULL) {
        (void)fputs("tfaas-attester: --config is missing\n", stderr);
    }
    return *config != NULL;
}

int main(int argc, char **argv)
{
    const char *path = NULL;
    bool is_check = false;
    struct tf_config config;
    sigset_t stop;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(usage, stdout);
        return TF_EXIT_OK;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)puts("tfaas-attester " TF_VERSION);
        return TF_EXIT_OK;
    }
    if (!parse_arguments(argc, argv, &path, &is_check)) {
        (void)fputs(usage, stderr);
        return TF_EXIT_USAGE;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGTERM);
    (void)sigaddset(&stop, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &stop, NULL); /* threads inherit it */
    /* Before there are threads. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return tf_report(TF_EINTERNAL, "libcurl does not start");
    }
    json_object_seed(0);
    tf_err err = tf_keys_hide();
    if (err == TF_OK) {
        err = tf_config_load(path, &config);
    }
    if (err == TF_OK) {
        err = run(&config, &stop, is_check);
        tf_config_wipe(&config);
    }
    return tf_exit(err);
}
