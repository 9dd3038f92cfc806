/* SPDX-License-Identifier: Apache-2.0 */
#include "host/lists.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/log.h"
#include "host/registry.h"
#include "host/supervise.h"
#include "lib/json.h"
#include "lib/revocations.h"

enum { HAND_MS = 10 * 1000, ANSWER_MAX = 16 << 10 };

static const char media_type[] = "application/json";

/* --- what is stored ------------------------------------------------------------------
 */

tf_err tf_lists_domain(const struct tf_daemon *daemon, const char *hex,
                       struct tf_descriptor *out)
{
    int fd = -1;
    size_t size = 0;
    tf_err err = tf_store_get_domain(&daemon->store, hex, &fd);
    if (err != TF_OK) {
        return err;
    }
    char *text = malloc(TF_DESCRIPTOR_MAX);
    err = text == NULL ? TF_ENOMEM : tf_store_read(fd, text, TF_DESCRIPTOR_MAX, &size);
    if (err == TF_OK) {
        err = tf_descriptor_parse(text, size, out);
    }
    free(text);
    (void)close(fd);
    return err;
}

/* Everything that is stored for a domain, opened. */
struct shelf {
    struct tf_descriptor domain;
    struct tf_revocation_set set;
    struct tf_revocations lists[TF_GROUP_PUBLISHERS_MAX];
    struct tf_revocations spare;
    uint8_t scratch[TF_REVOCATIONS_SCRATCH];
    uint8_t text[TF_REVOCATIONS_ENVELOPE_MAX];
};

static tf_err read_list(const struct tf_daemon *daemon, const char *domain,
                        struct shelf *shelf, size_t i)
{
    const char *signer = shelf->domain.publishers[i].keyid;
    int fd = -1;
    size_t size = 0;
    size_t by = 0;
    tf_err err = tf_store_get_list(&daemon->store, domain, signer, &fd);
    if (err != TF_OK) {
        return err == TF_ENOTFOUND ? TF_OK : err;
    }
    err = tf_store_read(fd, shelf->text, sizeof(shelf->text), &size);
    (void)close(fd);
    if (err == TF_OK) {
        err = tf_revocations_open((const char *)shelf->text, size, &shelf->domain,
                                  shelf->scratch, &shelf->lists[i], &by);
    }
    if (err == TF_OK) {
        shelf->set.lists[i] = &shelf->lists[i];
    }
    return err;
}

/* @return owned by the caller: free; NULL after *err is set. A list that does not open is
 * logged and left out. */
static struct shelf *open_shelf(const struct tf_daemon *daemon, const char *domain,
                                tf_err *err)
{
    struct shelf *shelf = calloc(1, sizeof(*shelf));
    *err = shelf == NULL ? TF_ENOMEM : tf_lists_domain(daemon, domain, &shelf->domain);
    if (*err != TF_OK) {
        free(shelf);
        return NULL;
    }
    for (size_t i = 0; i < shelf->domain.publisher_count; i++) {
        tf_err read = read_list(daemon, domain, shelf, i);
        if (read != TF_OK) {
            tf_log("store-damaged", "signer=%s error=%s",
                   shelf->domain.publishers[i].keyid, tf_err_name(read));
        }
    }
    return shelf;
}

void tf_lists_get(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                  const char *domain)
{
    enum { CAP = 1024 + TF_GROUP_PUBLISHERS_MAX * (TF_REVOCATIONS_MAX + 128) };
    struct tf_json_writer w;
    tf_err err = TF_OK;
    struct shelf *shelf = open_shelf(daemon, domain, &err);
    char *text = malloc(CAP);
    if (shelf == NULL || text == NULL) {
        free(shelf);
        free(text);
        tf_admin_fail(conn, err == TF_ENOTFOUND ? 404 : 500, err);
        return;
    }
    tf_json_writer_init(&w, text, CAP);
    tf_json_open_object(&w, NULL);
    tf_json_open_array(&w, "revocations");
    for (size_t i = 0; i < shelf->domain.publisher_count; i++) {
        if (shelf->set.lists[i] != NULL) {
            tf_json_open_object(&w, NULL);
            tf_json_put_string(&w, "signer", shelf->domain.publishers[i].keyid);
            tf_revocations_put(&w, "list", shelf->set.lists[i]);
            tf_json_close_object(&w);
        }
    }
    tf_json_close_array(&w);
    tf_admin_reply_json(conn, &w, text);
    free(text);
    free(shelf);
}

/* Opens `size` bytes of a list into shelf->spare. @return TF_OK if its signer is this
 * one, and it may take the place of what there is of it. */
static tf_err judge(struct shelf *shelf, const uint8_t *text, size_t size,
                    const char *signer)
{
    size_t by = 0;
    tf_err err = tf_revocations_open((const char *)text, size, &shelf->domain,
                                     shelf->scratch, &shelf->spare, &by);
    if (err == TF_OK && strcmp(shelf->domain.publishers[by].keyid, signer) != 0) {
        err = TF_EREVOCATION_SIGNER;
    }
    return err != TF_OK
               ? err
               : tf_revocations_check(&shelf->set, &shelf->domain, by, &shelf->spare);
}

/* One list, if it is good there and newer than what there is. */
static tf_err carry_list(struct tf_daemon *daemon, const char *from, const char *to,
                         const char *signer, struct shelf *shelf)
{
    size_t size = 0;
    int fd = -1;
    tf_err err = tf_store_get_list(&daemon->store, from, signer, &fd);
    if (err != TF_OK) {
        return err == TF_ENOTFOUND ? TF_OK : err;
    }
    err = tf_store_read(fd, shelf->text, sizeof(shelf->text), &size);
    (void)close(fd);
    if (err != TF_OK) {
        return err;
    }
    err = judge(shelf, shelf->text, size, signer);
    if (err != TF_OK) {
        tf_log("revocations-left", "signer=%s error=%s", signer, tf_err_name(err));
        return TF_OK;
    }
    return tf_store_put_list(&daemon->store, to, signer, shelf->text, size);
}

tf_err tf_lists_carry(struct tf_daemon *daemon, const char *from, const char *to)
{
    struct tf_descriptor old;
    tf_err err = tf_lists_domain(daemon, from, &old);
    if (err != TF_OK) {
        return err;
    }
    struct shelf *shelf = open_shelf(daemon, to, &err);
    for (size_t i = 0; err == TF_OK && i < old.publisher_count; i++) {
        err = carry_list(daemon, from, to, old.publishers[i].keyid, shelf);
    }
    free(shelf);
    return err;
}

/* --- handing it to the enclaves -------------------------------------------------------
 */

struct handing {
    struct tf_daemon *daemon;
    struct tf_admin_conn *conn; /* NULL: nobody waits, or the client left */
    char signer[TF_STORE_HEX + 1];
    uint64_t serial;
    size_t open_count; /* calls under way, plus one while calling */
    tf_err err;        /* the first refusal */
    json_t *dropped;   /* owned: names */
};

struct hand {
    struct handing *handing;
    struct tf_worker *worker;
};

/* Notes that an enclave stopped these lambdas. */
static void note_dropped(const struct tf_worker *worker, const json_t *names)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        struct tf_lambda *lambda =
            name == NULL ? NULL : tf_registry_find(&worker->daemon->registry, name);
        struct tf_seat *seat = lambda == NULL ? NULL : tf_lambda_seat(lambda, worker);
        if (seat != NULL) {
            seat->is_granted = false;
            tf_log("revoked", "lambda=%s engine=%s pid=%d", name, worker->engine->name,
                   (int)worker->pid);
        }
    }
}

static void answer(const struct handing *h)
{
    char text[ANSWER_MAX];
    struct tf_json_writer w;
    size_t size = 0;
    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "signer", h->signer);
    tf_json_put_integer(&w, "serial", h->serial);
    tf_json_open_array(&w, "dropped");
    for (size_t i = 0; i < json_array_size(h->dropped); i++) {
        tf_json_put_string(&w, NULL, json_string_value(json_array_get(h->dropped, i)));
    }
    tf_json_close_array(&w);
    tf_json_close_object(&w);
    tf_err err = tf_json_take(&w, &size);
    if (err == TF_OK) {
        tf_admin_reply(h->conn, 200, media_type, text, size);
    } else {
        tf_admin_fail(h->conn, 500, err);
    }
}

static void one_less(struct handing *h)
{
    h->open_count--;
    if (h->open_count > 0) {
        return;
    }
    if (h->err == TF_OK) {
        answer(h);
    } else {
        tf_admin_fail(h->conn, 422, h->err);
    }
    json_decref(h->dropped);
    free(h);
}

static void on_handed(void *user, tf_err err, const char *json, size_t size)
{
    struct hand *hand = user;
    struct handing *h = hand->handing;
    json_t *document = NULL;
    if (err == TF_OK && tf_json_parse(json, size, &document) == TF_OK) {
        json_t *names = json_object_get(document, "dropped");
        note_dropped(hand->worker, names);
        (void)json_array_extend(h->dropped, names);
        json_decref(document);
    } else if (size == 0 && !h->daemon->is_stopping) {
        /* It died, or is silent. What it does not know it must not serve against; a new
         * one is given the lists first. */
        tf_supervise_restart(hand->worker);
    } else if (h->err == TF_OK && size > 0) {
        h->err = err;
    }
    one_less(h);
    free(hand);
}

static void hand_to(struct handing *h, struct tf_worker *worker)
{
    struct hand *hand = calloc(1, sizeof(*hand));
    struct tf_call call = {.type = TF_LINK_REVOCATIONS,
                           .fd = -1,
                           .timeout_ms = HAND_MS,
                           .done = on_handed,
                           .user = hand};
    if (hand == NULL || tf_store_get_list(&h->daemon->store, worker->domain, h->signer,
                                          &call.fd) != TF_OK) {
        free(hand);
        tf_supervise_restart(worker);
        return;
    }
    *hand = (struct hand){h, worker};
    h->open_count++;
    tf_supervise_call(worker, &call);
}

/* Hands a stored list to the domain's workers but for one; a worker that is starting
 * takes it from the store. Takes `h` over. */
static void hand_out(struct handing *h, const char *domain,
                     const struct tf_worker *except)
{
    struct tf_daemon *daemon = h->daemon;
    h->open_count = 1;
    for (size_t i = 0; i < daemon->worker_count; i++) {
        struct tf_worker *worker = daemon->workers[i];
        bool is_up =
            worker->state == TF_WORKER_LOADING || worker->state == TF_WORKER_SERVING;
        if (is_up && worker != except && strcmp(worker->domain, domain) == 0) {
            hand_to(h, worker);
        }
    }
    one_less(h);
}

static struct handing *make_handing(struct tf_daemon *daemon, const char *signer,
                                    uint64_t serial)
{
    struct handing *h = calloc(1, sizeof(*h));
    json_t *dropped = json_array();
    if (h == NULL || dropped == NULL) {
        free(h);
        json_decref(dropped);
        return NULL;
    }
    h->daemon = daemon;
    h->dropped = dropped;
    h->serial = serial;
    strncpy(h->signer, signer, TF_STORE_HEX);
    return h;
}

/* --- where lists come from ------------------------------------------------------------
 */

/* Checks a list against those that are stored. */
static tf_err check(const struct tf_daemon *daemon, const char *domain,
                    const struct tf_admin_request *request, char *signer,
                    uint64_t *serial)
{
    size_t by = 0;
    tf_err err = TF_OK;
    struct shelf *shelf = open_shelf(daemon, domain, &err);
    if (shelf == NULL) {
        return err;
    }
    err = tf_revocations_open((const char *)request->body, request->size, &shelf->domain,
                              shelf->scratch, &shelf->spare, &by);
    if (err == TF_OK) {
        err = tf_revocations_check(&shelf->set, &shelf->domain, by, &shelf->spare);
    }
    if (err == TF_OK) {
        memcpy(signer, shelf->domain.publishers[by].keyid, TF_STORE_HEX + 1);
        *serial = shelf->spare.serial;
    }
    free(shelf);
    return err;
}

void tf_lists_put(struct tf_daemon *daemon, struct tf_admin_conn *conn,
                  const char *domain, const struct tf_admin_request *request)
{
    char signer[TF_STORE_HEX + 1];
    uint64_t serial = 0;
    if (!tf_store_has_domain(&daemon->store, domain)) {
        tf_admin_fail(conn, 404, TF_ENOTFOUND);
        return;
    }
    tf_err err = check(daemon, domain, request, signer, &serial);
    if (err != TF_OK) {
        tf_admin_fail(conn, 422, err);
        return;
    }
    struct handing *h = make_handing(daemon, signer, serial);
    err = h == NULL ? TF_ENOMEM
                    : tf_store_put_list(&daemon->store, domain, signer, request->body,
                                        request->size);
    if (err != TF_OK) {
        if (h != NULL) {
            json_decref(h->dropped);
        }
        free(h);
        tf_admin_fail(conn, 500, err);
        return;
    }
    tf_log("revocations-kept", "signer=%s", signer);
    tf_admin_hold(conn, &h->conn);
    hand_out(h, domain, NULL);
}

/* What a REVOKED packet says. */
struct notice {
    json_t *document; /* owned */
    const char *signer;
    const uint8_t *list;
    size_t list_size;
};

static bool read_notice(const uint8_t *body, size_t size, struct notice *out)
{
    uint32_t answer_size = 0;
    const size_t head = 2 * sizeof(answer_size);
    if (size < head) {
        return false;
    }
    memcpy(&answer_size, body, sizeof(answer_size));
    if (answer_size > size - head ||
        tf_json_parse((const char *)body + head, answer_size, &out->document) != TF_OK) {
        return false;
    }
    out->signer = json_string_value(json_object_get(out->document, "signer"));
    out->list = body + head + answer_size;
    out->list_size = size - head - answer_size;
    return out->signer != NULL && tf_store_hex_is_valid(out->signer);
}

/* The enclave has checked it; whoever took the worker over would rather have another one
 * there when the enclave is started again, and many of strangers. */
static tf_err keep(const struct tf_worker *worker, const struct notice *notice)
{
    struct tf_daemon *daemon = worker->daemon;
    tf_err err = TF_OK;
    struct shelf *shelf = open_shelf(daemon, worker->domain, &err);
    if (shelf != NULL) {
        err = judge(shelf, notice->list, notice->list_size, notice->signer);
    }
    free(shelf);
    return err != TF_OK
               ? err
               : tf_store_put_list(&daemon->store, worker->domain, notice->signer,
                                   notice->list, notice->list_size);
}

void tf_lists_keep(struct tf_worker *worker, const uint8_t *body, size_t size)
{
    struct notice notice = {.document = NULL};
    if (!read_notice(body, size, &notice)) {
        tf_log("revocations-refused", "pid=%d", (int)worker->pid);
        json_decref(notice.document);
        return;
    }
    tf_err err = keep(worker, &notice);
    tf_log(err == TF_OK ? "revocations-kept" : "revocations-lost", "signer=%s error=%s",
           notice.signer, tf_err_name(err));
    note_dropped(worker, json_object_get(notice.document, "dropped"));
    struct handing *h =
        err == TF_OK ? make_handing(worker->daemon, notice.signer, 0) : NULL;
    if (h != NULL) {
        hand_out(h, worker->domain, worker);
    }
    json_decref(notice.document);
}
