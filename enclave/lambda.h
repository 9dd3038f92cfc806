/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lambda.h - how verified bundles get into the table that the threads share, and out of
 * it. No code of a lambda runs here.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "enclave/instance.h"
#include "lib/bundle.h"
#include "lib/err.h"
#include "lib/json.h"

struct tf_thread;

/**
 * Makes a lambda of a checked bundle, which is not kept: in no table, and on no shelf.
 *
 * @param out  with a reference that is the caller's: tf_lambda_release.
 * @return TF_OK if it could be put in the table now; TF_EREVOKED; TF_ENAME_TAKEN;
 * TF_EVERSION_FLOOR (older than one accepted before, or than the grant's floor),
 * TF_EVERSION_REUSED, TF_EGRANT_LAMBDA (the grant pins another digest), TF_EGRANT_DOMAIN
 * (the grant has names that the bundle does not), TF_ELIMIT (the table is full),
 * TF_ENOMEM.
 */
TF_MUST_USE tf_err tf_lambda_make(struct tf_instance *instance,
                                  const struct tf_bundle *bundle, struct tf_lambda **out);

/**
 * Checks that a grant, or NULL, may go over to the lambda.
 * @return TF_OK; TF_EVERSION_FLOOR, TF_EGRANT_LAMBDA, TF_EGRANT_DOMAIN, as above.
 */
TF_MUST_USE tf_err tf_lambda_check_grant(const struct tf_lambda *lambda,
                                         const struct tf_grant *grant);

/**
 * Puts it in the table, with a reference, in the place of an older version, and raises
 * the floor. The same version with the same digest and signer again changes nothing.
 * @return as tf_lambda_make: much may have happened since.
 */
TF_MUST_USE tf_err tf_lambda_put(struct tf_instance *instance, struct tf_lambda *lambda);

/** Writes the fields of an object that say which lambda it is. */
void tf_lambda_write(const struct tf_lambda *lambda, struct tf_json_writer *w);

/** Writes what a host is told of a lambda that is in the table now. */
void tf_lambda_describe(const struct tf_lambda *lambda, struct tf_json_writer *w);

/**
 * Opens bytes, untrusted and kept by `out`, that should be the bundle of a lambda in the
 * table: the digest is the one whose signature was verified when the lambda came in, and
 * all files are as the manifest says.
 * @param out  of malloc, the caller's: tf_bundle_wipe, then free.
 * @return TF_OK; TF_EBUNDLE_OTHER; TF_ENOMEM; else as tf_bundle_check.
 */
TF_MUST_USE tf_err tf_lambda_open(const struct tf_lambda *lambda, const uint8_t *bytes,
                                  size_t size, struct tf_bundle **out);

/** Takes a lambda and its grant out. @return TF_OK or TF_ENOTFOUND. */
TF_MUST_USE tf_err tf_lambda_drop(struct tf_instance *instance, const char *name);
