/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig.h - an enclave core in the test's process, the host around it, and TLS clients in
 * front: what a test needs to say "this client, that frame, then this answer". One
 * instance at a time; rig_open starts a new one and leaves what the last one held to the
 * process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "abi/channel.h"
#include "abi/layout.h"
#include "enclave/core.h"
#include "lib/lease.h"
#include "test/fixture.h"

enum {
    RIG_THREADS = 2,
    RIG_SLOTS = 3,
    RIG_LOG = 64,
    RIG_SINK = 1 << 20,
    RIG_CLIENTS = 320
};

/* A frame that came out, other than DATA. */
struct rig_frame {
    uint32_t type;
    uint64_t id;
    size_t size;
    uint8_t *payload; /* on the heap */
};

/* A TLS client, with its connection. */
struct rig_client {
    SSL *ssl;
    BIO *to_client;   /* what the enclave sent */
    BIO *from_client; /* what goes to the enclave */
    uint64_t id;
    int thread;
    bool is_closed;  /* the enclave said CLOSE */
    bool is_holding; /* the host does not acknowledge what it got */
    uint64_t unacked;
    size_t received; /* bytes of DATA frames */
    int alert;       /* that ended the handshake, or 0 */
};

struct rig_thread {
    uint8_t *page; /* TF_PAGE bytes */
    struct tf_channel *channel;
    bool is_stuck; /* the host does not empty the out ring */
    struct tf_core_exit last;
    unsigned entries;
};

struct rig {
    struct fixture_key publisher;
    struct fixture_key attester;
    struct fixture_key stranger;
    char domain[2048];
    size_t domain_size;
    uint64_t now;      /* seconds; the host's clock and that of granters */
    uint64_t entry_ns; /* by how much the host's clock goes on with each entry */
    uint64_t passed;   /* in all, ns */
    uint64_t serial;   /* of the last grant */
    uint64_t memory;   /* what INIT says */
    uint64_t shelf;
    struct rig_thread threads[RIG_THREADS];
    struct rig_frame log[RIG_LOG];
    size_t log_count;
    struct rig_client *clients[RIG_CLIENTS]; /* by slot; of all threads */
};

/** A new instance with one thread started. */
struct rig *rig_open(void);
/** The same, and the stranger is a publisher too, after the first. */
struct rig *rig_open_pair(void);
/** The same for two domains that share: publisher and attester are the first's, the
 * stranger publishes for the second. */
struct rig *rig_open_shared(void);
void rig_close(struct rig *rig);

/** Blocks of the shared heap that are not the table's own, nor lines of logs:
 * lambdas, grants, transfers. */
size_t rig_shared_count(void);

/** Memory for a thread's channel, zeroed. A file of its own, so that test/trace/ has
 * another. */
struct tf_channel *rig_channel_make(void);

/** The enclave ends: nothing of the instance is left. */
void rig_forget(void);
/** Makes thread `index` without a first frame. */
void rig_thread_make(struct rig *rig, int index);
/** Sends INIT with the rig's domain and enters. */
struct tf_core_exit rig_init(struct rig *rig, int index);

/** Puts a frame in a thread's ring. @return false if there is no room. */
bool rig_put(struct rig *rig, int index, uint32_t type, uint64_t id, const void *payload,
             size_t size);
/** Enters once and handles what came out. */
struct tf_core_exit rig_enter(struct rig *rig, int index);
/** Moves everything until nothing moves any more. */
void rig_settle(struct rig *rig);

/** The newest frame of this type in the log, or NULL. */
const struct rig_frame *rig_last(const struct rig *rig, uint32_t type);
void rig_log_clear(struct rig *rig);

/* --- lambdas
 * ---------------------------------------------------------------------------- */

struct rig_lambda {
    const char *name;
    uint64_t version;
    const char *code;
    const char *domains[3];
    const char *limits;            /* JSON object, or NULL */
    const char *env;               /* likewise */
    const struct fixture_key *key; /* NULL: the publisher's */
};

struct fixture_bytes rig_bundle(const struct rig *rig, const struct rig_lambda *lambda);
/** Sends its bundle as transfer `id`, and does not wait for the answer. */
void rig_offer(struct rig *rig, int index, uint64_t id, const struct rig_lambda *lambda);
/** Loads it in chunks. @return the code of the RESULT; its text is the last RESULT's. */
tf_err rig_load(struct rig *rig, int index, const struct rig_lambda *lambda);
/** Hands a revocation list in as the host does. */
tf_err rig_revoke(struct rig *rig, const struct fixture_key *by,
                  const struct tf_revocations *list);
tf_err rig_blob(struct rig *rig, int index, uint32_t kind, const uint8_t *bytes,
                size_t size);
/** Introduces it by its envelope alone. */
tf_err rig_introduce(struct rig *rig, int index, const struct rig_lambda *lambda);
/** Answers the WANT `id` with these bytes. @return likewise. */
tf_err rig_answer(struct rig *rig, int index, uint64_t id, struct fixture_bytes bytes);
/** The same with this lambda's bundle. @return likewise. */
tf_err rig_bring(struct rig *rig, int index, uint64_t id,
                 const struct rig_lambda *lambda);
tf_err rig_drop(struct rig *rig, int index, const char *name);
/** The text of the last RESULT, NUL-terminated; the caller frees it. */
char *rig_result(const struct rig *rig);

/* --- clients
 * ---------------------------------------------------------------------------- */

struct rig_dial {
    const char *sni;      /* NULL: none */
    const char *alpn;     /* NULL: none */
    SSL_SESSION *session; /* to resume, or NULL */
    const char *groups;   /* NULL: default */
    const char *suites;   /* of TLS 1.3; NULL: default */
};

/** Connects and shakes hands as far as it goes. */
struct rig_client *rig_dial(struct rig *rig, int index, const struct rig_dial *dial);
struct rig_client *rig_connect(struct rig *rig, int index, const char *sni);
bool rig_is_up(const struct rig_client *client);
/** As a host does that leaves the trial out: introduces the lambda, connects to its first
 *  domain, and brings the bundle. */
struct rig_client *rig_connect_untried(struct rig *rig, int index,
                                       const struct rig_lambda *lambda);
void rig_send(struct rig *rig, struct rig_client *client, const void *data, size_t size);
/** Reads what is there. @return bytes. */
size_t rig_recv(struct rig *rig, struct rig_client *client, char *out, size_t cap);
void rig_hang_up(struct rig *rig, struct rig_client *client);

/** One request; the whole answer as text, on the heap. */
char *rig_ask(struct rig *rig, struct rig_client *client, const char *request);
/** POST of JSON to a management connection. @return status, and the body in *out (heap).
 */
int rig_post(struct rig *rig, struct rig_client *client, const char *path,
             const char *body, char **out);

/* --- grants
 * ----------------------------------------------------------------------------- */

/** What a grant says; zero and NULL fields take what a good one has. */
struct rig_grant {
    const char *lambda;   /* "hello" */
    const char *names[3]; /* { "hello.example" } */
    const char *san[3];   /* of the certificate; as names */
    const char *digest;
    uint64_t floor;
    uint64_t serial;   /* above all earlier ones */
    uint64_t time;     /* the rig's now */
    uint64_t cert_now; /* when the certificate is made, for a day: the rig's now */
    bool is_leased;
    const char *secrets[3][2]; /* names and values */
    uint64_t not_before;       /* the rig's now */
    uint64_t not_after;        /* now + 3600 */
    bool is_upload;            /* bring a key; else a CSR is made on the connection */
    const char *kind;          /* of an uploaded key: "P-256" (default) or "ED25519" */
    const char *ca;        /* what signs the certificate: "P-256" (default) or "RSA" */
    EVP_PKEY *other_key;   /* in the certificate, instead of the right one */
    const char *chain;     /* instead of a certificate */
    const char *chain_end; /* after the certificate, or NULL */
    const struct fixture_key *signer; /* NULL: the publisher */
    const uint8_t *exporter;          /* NULL: the connection's */
    bool is_pkcs8;
    bool has_extra_field;
    bool has_no_key; /* neither brought nor asked for */
};

/** Grants over a management connection. @return the status; the body in *out (heap) if
 * out is not NULL. */
int rig_grant(struct rig *rig, struct rig_client *client, const struct rig_grant *grant,
              char **out);
/**
 * Posts a lease over a management connection.
 *
 * @param wanted  zero fields take what a good one has: this instance and connection, the
 * rig's now, 600 seconds from then.
 * @param signer  NULL: the attester.
 * @return the status; the body in *out (heap) if out is not NULL.
 */
int rig_lease(struct rig *rig, struct rig_client *client,
              const struct tf_lease_statement *wanted, const struct fixture_key *signer,
              char **out);
/** What the connection's TLS exporter gives for statements. */
void rig_exporter(const struct rig_client *client, uint8_t out[static 32]);
/** Loads hello (echo) and grants hello.example. */
void rig_serve_hello(struct rig *rig);
/** Loads version 1 of a lambda and grants it NAME.example; limits as in rig_lambda.
 *  @return whether that worked. */
bool rig_serve(struct rig *rig, const char *name, const char *code, const char *limits);
/** The value of "error" in a failure's JSON is `name`. */
bool rig_is_error(const char *json, tf_err err);
