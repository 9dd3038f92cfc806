/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/tcb.h"

#include <stdio.h>
#include <string.h>

#include "abi/sgx.h"
#include "lib/bytes.h"
#include "lib/json.h"
#include "verify/dates.h"

enum { LEVELS_MAX = 256, IDENTITIES_MAX = 16 };

/* --- statuses ----------------------------------------------------------------------- */

static const struct {
    const char *name;
    tf_tcb_status status;
} STATUSES[] = {{"UpToDate", TF_TCB_UP_TO_DATE},
                {"SWHardeningNeeded", TF_TCB_SW_HARDENING},
                {"ConfigurationNeeded", TF_TCB_CONFIGURATION},
                {"ConfigurationAndSWHardeningNeeded", TF_TCB_CONFIGURATION_AND_SW},
                {"OutOfDate", TF_TCB_OUT_OF_DATE},
                {"OutOfDateConfigurationNeeded", TF_TCB_OUT_OF_DATE_CONFIGURATION},
                {"Revoked", TF_TCB_REVOKED}};
enum { STATUS_COUNT = sizeof(STATUSES) / sizeof(STATUSES[0]) };

const char *tf_tcb_status_name(tf_tcb_status status)
{
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        if (STATUSES[i].status == status) {
            return STATUSES[i].name;
        }
    }
    return "unknown";
}

tf_err tf_tcb_status_parse(const char *name, tf_tcb_status *out)
{
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        if (strcmp(STATUSES[i].name, name) == 0) {
            *out = STATUSES[i].status;
            return TF_OK;
        }
    }
    return TF_EFORMAT;
}

tf_tcb_status tf_tcb_merge(tf_tcb_status a, tf_tcb_status b)
{
    unsigned bits = (unsigned)a | (unsigned)b;

    if ((bits & TF_TCB_REVOKED) != 0) {
        return TF_TCB_REVOKED;
    }
    if ((bits & TF_TCB_OUT_OF_DATE) != 0) {
        bits &= ~(unsigned)TF_TCB_SW_HARDENING; /* there is no name for both */
    }
    return (tf_tcb_status)bits;
}

bool tf_advisories_have(const struct tf_advisories *set, const char *id)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->ids[i], id) == 0) {
            return true;
        }
    }
    return false;
}

/* --- fields ------------------------------------------------------------------------- */

/* Intel writes hex in both cases. */
static void read_hex(struct tf_json_fields *f, const char *key, uint8_t *out, size_t size)
{
    char lower[2 * 64 + 1];
    const char *text = tf_json_string(f, key, 2 * size, 2 * size);

    if (text == NULL || 2 * size >= sizeof(lower)) {
        f->bad = true;
        return;
    }
    for (size_t i = 0; i < 2 * size; i++) {
        char c = text[i];
        lower[i] = (char)(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    }
    if (tf_hex_parse(lower, 2 * size, out, size) != TF_OK) {
        f->bad = true;
    }
}

static void read_head(struct tf_json_fields *f, struct tf_signed_head *head)
{
    tf_json_copy(f, "id", head->id, sizeof(head->id));
    head->version = (unsigned)tf_json_integer(f, "version", 0, UINT16_MAX);
    head->issued = tf_date_read(f, "issueDate");
    head->expires = tf_date_read(f, "nextUpdate");
    head->evaluation =
        (uint32_t)tf_json_integer(f, "tcbEvaluationDataNumber", 0, UINT32_MAX);
}

static tf_err parse(const char *text, size_t size, json_t **out)
{
    return size <= TF_SIGNED_JSON_MAX && tf_json_parse(text, size, out) == TF_OK
               ? TF_OK
               : TF_ECOLLATERAL_FORMAT;
}

/* --- levels ------------------------------------------------------------------------- */

static bool add_advisories(const json_t *level, struct tf_advisories *set)
{
    const json_t *list = json_object_get(level, "advisoryIDs");

    if (list != NULL && !json_is_array(list)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *id = tf_json_string_at(list, i, 1, TF_ADVISORY_SIZE - 1);
        if (id == NULL) {
            return false;
        }
        if (tf_advisories_have(set, id)) {
            continue;
        }
        if (set->count == TF_ADVISORIES_MAX) {
            return false;
        }
        memcpy(set->ids[set->count++], id, strlen(id) + 1);
    }
    return true;
}

/* What a level that matched says. */
static tf_err read_level(const json_t *object, struct tf_tcb_level *level,
                         struct tf_advisories *advisories)
{
    struct tf_json_fields f;
    struct tf_tcb_level found = {0};

    tf_json_fields_init(&f, object);
    found.date = tf_date_read(&f, "tcbDate");
    const char *status = tf_json_string(&f, "tcbStatus", 1, 64);
    if (f.bad || tf_tcb_status_parse(status, &found.status) != TF_OK ||
        !add_advisories(object, advisories)) {
        return TF_ECOLLATERAL_FORMAT;
    }
    *level = found;
    return TF_OK;
}

/* The levels' `tcb`, one after the other. @return NULL at the end or when malformed. */
static const json_t *tcb_of(const json_t *level, struct tf_json_fields *f)
{
    struct tf_json_fields outer;

    tf_json_fields_init(&outer, level);
    const json_t *tcb = tf_json_object(&outer, "tcb");
    tf_json_fields_init(f, tcb);
    return tcb;
}

/* The first level with isvsvn <= svn. `none` is the error if there is none. */
static tf_err match_svn(const json_t *levels, uint16_t svn, tf_err none,
                        struct tf_tcb_level *level, struct tf_advisories *advisories)
{
    struct tf_json_fields f;

    for (size_t i = 0; i < json_array_size(levels); i++) {
        const json_t *object = json_array_get(levels, i);
        (void)tcb_of(object, &f);
        uint64_t wanted = tf_json_integer(&f, "isvsvn", 0, UINT16_MAX);
        if (f.bad) {
            return TF_ECOLLATERAL_FORMAT;
        }
        if (wanted <= svn) {
            return read_level(object, level, advisories);
        }
    }
    return none;
}

/* Whether each component from `first` on is at least the level's. */
static bool reaches(struct tf_json_fields *f, const char *key, size_t first,
                    const uint8_t *svn)
{
    const json_t *list = tf_json_array(f, key, TF_TCB_COMPONENTS, TF_TCB_COMPONENTS);
    bool is_reached = list != NULL;

    for (size_t i = 0; i < json_array_size(list); i++) {
        struct tf_json_fields component;
        tf_json_fields_init(&component, json_array_get(list, i));
        uint64_t wanted = tf_json_integer(&component, "svn", 0, UINT8_MAX);
        f->bad = f->bad || component.bad;
        is_reached = is_reached && (i < first || wanted <= svn[i]);
    }
    return is_reached;
}

tf_err tf_tcb_match(const struct tf_tcb_info *info, const struct tf_tcb_state *state,
                    struct tf_tcb_level *level, struct tf_advisories *advisories)
{
    const json_t *levels = json_object_get(info->document, "tcbLevels");
    struct tf_json_fields f;

    for (size_t i = 0; i < json_array_size(levels); i++) {
        const json_t *object = json_array_get(levels, i);
        (void)tcb_of(object, &f);
        bool is_reached = reaches(&f, "sgxtcbcomponents", 0, state->component_svn);
        is_reached =
            tf_json_integer(&f, "pcesvn", 0, UINT16_MAX) <= state->pce_svn && is_reached;
        if (state->td != NULL) {
            const uint8_t *svn = state->td->tee_tcb_svn;
            is_reached =
                reaches(&f, "tdxtcbcomponents", svn[1] > 0 ? 2 : 0, svn) && is_reached;
        }
        if (f.bad) {
            return TF_ECOLLATERAL_FORMAT;
        }
        if (is_reached) {
            return read_level(object, level, advisories);
        }
    }
    return TF_ETCB_LEVEL;
}

/* --- TCB info ----------------------------------------------------------------------- */

tf_err tf_tcb_info_parse(const char *text, size_t size, struct tf_tcb_info *out)
{
    struct tf_tcb_info info = {0};
    struct tf_json_fields f;
    tf_err err = parse(text, size, &info.document);

    if (err != TF_OK) {
        return err;
    }
    tf_json_fields_init(&f, info.document);
    read_head(&f, &info.head);
    read_hex(&f, "fmspc", info.fmspc, sizeof(info.fmspc));
    read_hex(&f, "pceId", info.pce_id, sizeof(info.pce_id));
    /* 0: components are compared one by one, the only type there is. */
    (void)tf_json_integer(&f, "tcbType", 0, 0);
    (void)tf_json_array(&f, "tcbLevels", 1, LEVELS_MAX);
    if (f.bad) {
        json_decref(info.document);
        return TF_ECOLLATERAL_FORMAT;
    }
    *out = info;
    return TF_OK;
}

void tf_tcb_info_wipe(struct tf_tcb_info *info)
{
    json_decref(info->document);
    info->document = NULL;
}

/* Signer and attributes of the module in `object`. */
static tf_err compare_module(const json_t *object, const struct tf_td_body *td)
{
    struct tf_json_fields f;
    uint8_t signer[48] = {0};
    uint8_t wanted[8] = {0};
    uint8_t mask[8] = {0};

    tf_json_fields_init(&f, object);
    read_hex(&f, "mrsigner", signer, sizeof(signer));
    read_hex(&f, "attributes", wanted, sizeof(wanted));
    read_hex(&f, "attributesMask", mask, sizeof(mask));
    if (f.bad) {
        return TF_ECOLLATERAL_FORMAT;
    }
    bool is_same = memcmp(signer, td->mrsignerseam, sizeof(signer)) == 0;
    for (size_t i = 0; i < sizeof(mask); i++) {
        is_same = is_same && (td->seam_attributes[i] & mask[i]) == wanted[i];
    }
    return is_same ? TF_OK : TF_ETCB_MODULE;
}

static const json_t *find_module(const struct tf_tcb_info *info, uint8_t version)
{
    const json_t *list = json_object_get(info->document, "tdxModuleIdentities");
    char wanted[8];

    (void)snprintf(wanted, sizeof(wanted), "TDX_%02X", (unsigned)version);
    for (size_t i = 0; i < json_array_size(list) && i < IDENTITIES_MAX; i++) {
        const json_t *object = json_array_get(list, i);
        const char *id = json_string_value(json_object_get(object, "id"));
        if (id != NULL && strcmp(id, wanted) == 0) {
            return object;
        }
    }
    return NULL;
}

tf_err tf_tcb_match_module(const struct tf_tcb_info *info, const struct tf_td_body *td,
                           bool *has_level, struct tf_tcb_level *level,
                           struct tf_advisories *advisories)
{
    if (td->tee_tcb_svn[1] == 0) {
        *has_level = false;
        return compare_module(json_object_get(info->document, "tdxModule"), td);
    }
    const json_t *module = find_module(info, td->tee_tcb_svn[1]);
    if (module == NULL) {
        return TF_ETCB_MODULE;
    }
    tf_err err = compare_module(module, td);
    if (err != TF_OK) {
        return err;
    }
    err = match_svn(json_object_get(module, "tcbLevels"), td->tee_tcb_svn[0],
                    TF_ETCB_MODULE, level, advisories);
    *has_level = err == TF_OK;
    return err;
}

/* --- enclave identity --------------------------------------------------------------- */

tf_err tf_identity_parse(const char *text, size_t size, struct tf_identity *out)
{
    struct tf_identity id = {0};
    struct tf_json_fields f;
    tf_err err = parse(text, size, &id.document);

    if (err != TF_OK) {
        return err;
    }
    tf_json_fields_init(&f, id.document);
    read_head(&f, &id.head);
    read_hex(&f, "miscselect", id.miscselect, sizeof(id.miscselect));
    read_hex(&f, "miscselectMask", id.miscselect_mask, sizeof(id.miscselect_mask));
    read_hex(&f, "attributes", id.attributes, sizeof(id.attributes));
    read_hex(&f, "attributesMask", id.attributes_mask, sizeof(id.attributes_mask));
    read_hex(&f, "mrsigner", id.mrsigner, sizeof(id.mrsigner));
    id.product = (uint16_t)tf_json_integer(&f, "isvprodid", 0, UINT16_MAX);
    (void)tf_json_array(&f, "tcbLevels", 1, LEVELS_MAX);
    if (f.bad) {
        json_decref(id.document);
        return TF_ECOLLATERAL_FORMAT;
    }
    *out = id;
    return TF_OK;
}

void tf_identity_wipe(struct tf_identity *identity)
{
    json_decref(identity->document);
    identity->document = NULL;
}

static bool equals_masked(const uint8_t *value, const uint8_t *mask,
                          const uint8_t *wanted, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((value[i] & mask[i]) != wanted[i]) {
            return false;
        }
    }
    return true;
}

tf_err tf_identity_match(const struct tf_identity *identity,
                         const uint8_t report[static TF_QE_REPORT_SIZE],
                         struct tf_tcb_level *level, struct tf_advisories *advisories)
{
    struct sgx_report r = {0};
    uint8_t miscselect[4];

    memcpy(&r, report, TF_QE_REPORT_SIZE);
    for (size_t i = 0; i < sizeof(miscselect); i++) {
        miscselect[i] = (uint8_t)(r.miscselect >> (24 - 8 * i));
    }
    if (memcmp(r.mrsigner, identity->mrsigner, sizeof(identity->mrsigner)) != 0 ||
        r.isv_prod_id != identity->product ||
        !equals_masked(miscselect, identity->miscselect_mask, identity->miscselect, 4) ||
        !equals_masked((const uint8_t *)&r.attributes, identity->attributes_mask,
                       identity->attributes, sizeof(identity->attributes)) ||
        (r.attributes.flags & SGX_FLAGS_DEBUG) != 0) {
        return TF_ETCB_QE;
    }
    return match_svn(json_object_get(identity->document, "tcbLevels"), r.isv_svn,
                     TF_ETCB_QE, level, advisories);
}
