/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.h - the verbs of `tfaas` and what they share: options and defaults.
 *
 * A verb gets argv with argv[0] its own name and returns the exit status: 0 done or
 * verdict good, 1 refused or verdict bad, 2 wrong usage or something of this machine is
 * missing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "client/file.h"
#include "client/report.h"
#include "lib/crypto.h"
#include "lib/err.h"

int tf_cmd_init(int argc, char **argv);
int tf_cmd_key(int argc, char **argv);
int tf_cmd_ca(int argc, char **argv);
int tf_cmd_domain(int argc, char **argv);
int tf_cmd_policy(int argc, char **argv);
int tf_cmd_quote(int argc, char **argv);
int tf_cmd_pack(int argc, char **argv);
int tf_cmd_sign(int argc, char **argv);
int tf_cmd_verify(int argc, char **argv);
int tf_cmd_doctor(int argc, char **argv);
int tf_cmd_image(int argc, char **argv);
int tf_cmd_deploy(int argc, char **argv);
int tf_cmd_ls(int argc, char **argv);
int tf_cmd_rm(int argc, char **argv);
int tf_cmd_info(int argc, char **argv);
int tf_cmd_attest(int argc, char **argv);
int tf_cmd_collateral(int argc, char **argv);
int tf_cmd_grant(int argc, char **argv);
int tf_cmd_invoke(int argc, char **argv);
int tf_cmd_log(int argc, char **argv);
int tf_cmd_receipt(int argc, char **argv);
int tf_cmd_usage(int argc, char **argv);
int tf_cmd_logs(int argc, char **argv);
int tf_cmd_revoke(int argc, char **argv);
int tf_cmd_roll(int argc, char **argv);

/** One option of a verb. */
struct tf_option {
    const char *name; /* without dashes */
    enum { TF_OPTION_FLAG, TF_OPTION_TEXT, TF_OPTION_NUMBER, TF_OPTION_LIST } kind;
    union {
        bool *flag;
        const char **text;
        uint64_t *number;
        struct tf_list *list;
    } out;
};

enum { TF_LIST_MAX = 16 };

/** The values of an option that may be given several times. */
struct tf_list {
    const char *items[TF_LIST_MAX];
    size_t count;
};

#define TF_FLAG(name_, out_)                                                             \
    {                                                                                    \
        .name = (name_), .kind = TF_OPTION_FLAG, .out.flag = (out_)                      \
    }
#define TF_TEXT(name_, out_)                                                             \
    {                                                                                    \
        .name = (name_), .kind = TF_OPTION_TEXT, .out.text = (out_)                      \
    }
#define TF_NUMBER(name_, out_)                                                           \
    {                                                                                    \
        .name = (name_), .kind = TF_OPTION_NUMBER, .out.number = (out_)                  \
    }
#define TF_LIST(name_, out_)                                                             \
    {                                                                                    \
        .name = (name_), .kind = TF_OPTION_LIST, .out.list = (out_)                      \
    }

/**
 * Parses `--name value`, `--name=value` and `--flag`; what is left are operands.
 *
 * @param options   table ended by a NULL name.
 * @param operands  filled in order; exactly `count` are required.
 * @return true, or false after a message (the verb returns TF_EXIT_USAGE).
 */
bool tf_options(int argc, char **argv, const struct tf_option *options,
                const char **operands, size_t count);

/** Says on stderr that a required option is missing. @return TF_EXIT_USAGE. */
int tf_missing(const char *verb, const char *option);

/** Uploads a descriptor file to a host under its hash, which `hex` gets: the host needs
 *  it to make an enclave for it. @return TF_OK, or an error after a message. */
TF_MUST_USE tf_err tf_host_put_domain(const char *host, const char *path,
                                      char hex[static 2 * TF_SHA256_SIZE + 1]);

/** Prints an answer of a host as one line of JSON. */
void tf_host_print(json_t *answer);

/** The exit status of a verb that asked a host, which refuses with TF_EUSAGE. */
int tf_host_exit(tf_err err);

/** Environment's TFAAS_HOST, or state/admin.sock. */
const char *tf_default_host(void);
/** Environment's TFAAS_CONNECT, or 127.0.0.1:8443. */
const char *tf_default_connect(void);
