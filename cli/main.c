/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the table of verbs, its help, and the way into them. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "client/keys.h"
#include "lib/version.h"

struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *synopsis;
    const char *text;
};

/* The usage text is made from this table; the manual's synopses are compared with it. */
static const struct verb VERBS[] = {
    {"init", tf_cmd_init, "DIR [--template fetch|event|module]", "start a project"},
    {"key", tf_cmd_key, "new FILE [--alg ed25519|p256] | show FILE [--json]",
     "make a signing key (FILE and FILE.pub), or show a key's id"},
    {"domain", tf_cmd_domain,
     "new --name N --publisher FILE.pub... [--attester FILE.pub...] [--shared] --out "
     "FILE | group --member FILE... --out FILE",
     "write a trust domain descriptor: whose lambdas may share an enclave; or a group"},
    {"ca", tf_cmd_ca, "new --name N --out PREFIX",
     "make a small certificate authority: PREFIX.key, PREFIX.pem"},
    {"policy", tf_cmd_policy,
     "new --image FILE.sig|--native DIR... --domain FILE [--sharing] "
     "[--sim-root BASE64|host] "
     "[--host "
     "SOCK] --out FILE | check FILE | explain FILE",
     "write a policy: which enclaves and signers to trust; or say what one means"},
    {"quote", tf_cmd_quote,
     "verify FILE [--policy FILE] [--at DATE] [--crl FILE] [--collateral FILE]"
     " [--collateral-service URL] [--collateral-cacert FILE] [--json]",
     "judge a quote of Intel or a report of AMD, out of a file"},
    {"collateral", tf_cmd_collateral,
     "fetch --quote FILE --out FILE [--policy FILE] [--collateral-service URL]"
     " [--collateral-cacert FILE]",
     "get what the CPU's vendor says of the platform of a quote or report"},
    {"pack", tf_cmd_pack,
     "DIR --out FILE [--name N] [--domain DNS...] [--version N] [--engine E...]"
     " [--bundle] [--target T] [--minify]",
     "make an unsigned bundle from a project"},
    {"sign", tf_cmd_sign, "BUNDLE --key FILE [--out FILE]", "sign a bundle"},
    {"verify", tf_cmd_verify, "BUNDLE --domain FILE [--engine E] [--json]",
     "check a bundle offline, with the code that the enclave has for that"},
    {"deploy", tf_cmd_deploy, "BUNDLE --domain FILE --engine E [--host SOCK] [--json]",
     "hand a bundle to a host"},
    {"attest", tf_cmd_attest,
     "NAME --policy FILE [--connect A:P] [--allow-sim] [--collateral FILE]"
     " [--collateral-service URL] [--collateral-cacert FILE] [--json]",
     "ask an enclave who it is and what it runs, and judge the answer"},
    {"grant", tf_cmd_grant,
     "NAME --policy FILE --key FILE (--ca-key FILE --ca-cert FILE | --tls-key FILE "
     "--cert FILE)"
     " [--names DNS...] [--secret NAME=VALUE...] [--secret-file NAME=FILE...] [--days N]"
     " [--floor N] [--pin] [--connect A:P] [--allow-sim]"
     " [--collateral FILE] [--collateral-service URL] [--collateral-cacert FILE]",
     "attest, then give the lambda its certificate"},
    {"revoke", tf_cmd_revoke,
     "--key FILE --serial N [--from LIST] [--digest HEX...] [--below NAME=N...]"
     " [--signer HEX...] [--out LIST] [--domain FILE] [--host SOCK] | --list LIST "
     "--domain"
     " FILE [--host SOCK]",
     "take back bundles, versions or keys: sign a list of them, hand it to a host"},
    {"invoke", tf_cmd_invoke,
     "NAME [--path P] [--data TEXT|@FILE] [--cacert FILE] [--connect A:P] [--host SOCK]",
     "send one ordinary HTTPS request to a lambda"},
    {"log", tf_cmd_log,
     "verify FILE (--key FILE.pub | --keyid HEX) [--head HASH] [--json] | show FILE",
     "check an attester's log of its grants, or show it"},
    {"usage", tf_cmd_usage,
     "NAME --policy FILE [--connect A:P] [--allow-sim] [--collateral FILE]"
     " [--collateral-service URL] [--collateral-cacert FILE] [--out FILE] [--json]",
     "attest, then ask the enclave what the lambda has used since it started"},
    {"logs", tf_cmd_logs,
     "NAME --policy FILE --key FILE [--follow] [--connect A:P] [--allow-sim]"
     " [--collateral FILE] [--collateral-service URL] [--collateral-cacert FILE] "
     "[--json]",
     "attest, then ask what the lambda wrote to its console, and why requests failed"},
    {"receipt", tf_cmd_receipt, "verify FILE (--attestation FILE | --keyid HEX) [--json]",
     "check receipts of invocations and statements of usage, offline"},
    {"ls", tf_cmd_ls, "[--host SOCK] [--json]", "list what a host has deployed"},
    {"rm", tf_cmd_rm, "NAME [--host SOCK]", "remove a lambda and its grant"},
    {"roll", tf_cmd_roll,
     "[--engine E [--image FILE --sigstruct FILE] [--domain FILE --to FILE] [--minutes "
     "N]"
     " [--anyway]] [--abort] [--host SOCK] [--json]",
     "replace a host's enclaves by new ones while they serve, or say how far that is"},
    {"info", tf_cmd_info, "[--host SOCK] [--json]", "say what a host is"},
    {"image", tf_cmd_image, "key|sign|show|measure ... (tfaas image help)",
     "measure and sign enclave images"},
    {"doctor", tf_cmd_doctor, "[--json] [--root DIR]",
     "say what this machine lacks to run enclaves on SGX hardware, with the fix of each"},
};
enum { VERB_COUNT = sizeof(VERBS) / sizeof(VERBS[0]) };

static void usage(FILE *out)
{
    (void)fprintf(out, "usage: tfaas VERB ...\n\n");
    for (size_t i = 0; i < VERB_COUNT; i++) {
        (void)fprintf(out, "  %-10s %s\n", VERBS[i].name, VERBS[i].text);
    }
    (void)fprintf(
        out, "\n`tfaas help VERB` shows a verb's options. --host is the admin socket of"
             " tfaasd, --connect the\naddress it serves; a flag goes before TFAAS_HOST"
             " and TFAAS_CONNECT, and those before\n./state/admin.sock and"
             " 127.0.0.1:8443. Exit status: 0 done or verdict good, 1 refused or\n"
             "verdict bad, 2 wrong usage or something is missing here.\n");
}

static const struct verb *find(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(VERBS[i].name, name) == 0) {
            return &VERBS[i];
        }
    }
    return NULL;
}

/* Bytes up to the next place for a line's end: before an option, a group or a bar. */
static size_t piece(const char *text)
{
    size_t size = strcspn(text, " ");

    while (text[size] != '\0' && strchr("[(|-", text[size + 1]) == NULL) {
        size += 1 + strcspn(text + size + 1, " ");
    }
    return size;
}

static void print_synopsis(const struct verb *verb)
{
    enum { WIDTH = 90 };
    int column = printf("tfaas %s", verb->name);

    for (const char *at = verb->synopsis; *at != '\0';) {
        int size = (int)piece(at);
        if (column + 1 + size > WIDTH) {
            column = printf("\n   ") - 1;
        }
        column += printf(" %.*s", size, at);
        at += size;
        at += *at == ' ' ? 1 : 0;
    }
    (void)putchar('\n');
}

static int help(const char *name)
{
    const struct verb *verb = name == NULL ? NULL : find(name);

    if (name != NULL && verb == NULL) {
        return tf_report(TF_EUSAGE, "no verb `%s`", name);
    }
    if (verb == NULL) {
        usage(stdout);
    } else {
        print_synopsis(verb);
        (void)printf("\n%s.\ntfaas(1) has more: doc/man/tfaas.1.scd\n", verb->text);
    }
    return TF_EXIT_OK;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return TF_EXIT_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0) {
        return help(argc > 2 ? argv[2] : NULL);
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)puts("tfaas " TF_VERSION);
        return TF_EXIT_OK;
    }
    const struct verb *verb = find(argv[1]);
    if (verb == NULL) {
        return tf_report(TF_EUSAGE, "no verb `%s`", argv[1]);
    }
    if (argc > 2 && strcmp(argv[2], "--help") == 0) {
        return help(verb->name);
    }
    /* A peer that closes must be an error with a message, not the end of the process. */
    (void)signal(SIGPIPE, SIG_IGN);
    tf_err err = tf_keys_hide();
    return err == TF_OK ? verb->run(argc - 1, argv + 1) : tf_exit(err);
}
