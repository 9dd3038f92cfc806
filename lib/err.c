/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/err.h"

#include <stddef.h>

struct row {
    const char *name; /* stable: scripts and clients compare it */
    const char *text; /* what happened */
    const char *hint; /* what to do next */
};

static const struct row rows[TF_ERR_COUNT] = {
    [TF_OK] = {"ok", "success", ""},
    [TF_AGAIN] = {"again", "nothing to do yet", "Call again later."},
    [TF_EHOST] = {"host", "the host broke the boundary protocol",
                  "The enclave has stopped; look at the worker's log and restart it."},
    [TF_EFORMAT] = {"format", "the bytes do not parse",
                    "Compare the input with doc/formats.md."},
    [TF_ELIMIT] = {"limit", "the input is over a fixed limit",
                   "The limits are in abi/limits.h; make the input smaller."},
    [TF_ENOMEM] = {"memory-full", "a fixed pool or heap is full",
                   "Remove lambdas or grants, or start the worker with a larger heap."},
    [TF_EINTERNAL] = {"internal", "something happened that should not be possible",
                      "This is a bug; please report it with the log."},
    [TF_EIO] = {"io", "a file, a socket or a system call failed",
                "Check that the path or address exists and may be used."},
    [TF_EUSAGE] = {"usage", "a command or an argument is wrong",
                   "Run the command with --help."},
    [TF_ENOTFOUND] = {"not-found", "there is no such lambda, grant, file or route",
                      "List what exists with `tfaas ls`."},
    [TF_EBUNDLE_TAR] =
        {"bundle-tar", "the bundle is not a plain ustar archive as tfaas writes it",
         "Build it again with `tfaas pack`; if it was copied, copy it again."},
    [TF_EBUNDLE_TYPE] =
        {"bundle-type", "an entry of the bundle is not a regular file",
         "Bundles hold no links and folders; build it with `tfaas pack`."},
    [TF_EBUNDLE_PATH] =
        {"bundle-path",
         "a path is absolute, has an odd part such as \"..\", or odd bytes",
         "Use relative paths of letters, digits, dot, underscore and dash."},
    [TF_EBUNDLE_DUPLICATE] = {"bundle-duplicate", "two files have the same path",
                              "Build the bundle again with `tfaas pack`."},
    [TF_EBUNDLE_EXTRA] = {"bundle-extra",
                          "the bundle has a file that its manifest does not list",
                          "Somebody added a file after signing; pack and sign again."},
    [TF_EBUNDLE_MISSING] =
        {"bundle-missing", "the manifest lists a file that the bundle does not have",
         "Somebody removed a file after signing; pack and sign again."},
    [TF_EBUNDLE_DIGEST] = {"bundle-digest",
                           "a file differs from its size or SHA-256 in the manifest",
                           "Somebody changed a file after signing; pack and sign again."},
    [TF_EDSSE_FORMAT] = {"dsse-format", "the signed envelope does not parse",
                         "Sign again with `tfaas sign`."},
    [TF_EDSSE_TYPE] =
        {"dsse-type", "the envelope was signed for another use",
         "A manifest and a grant cannot stand in for each other; pass the right one."},
    [TF_EDSSE_SIGNATURE] =
        {"dsse-signature", "no signature verifies",
         "The content changed after signing, or the key is wrong; sign again."},
    [TF_EDSSE_SIGNER] = {"dsse-signer", "signed by nobody whom the trust domain lists",
                         "Sign with a publisher's key, or deploy to the trust domain "
                         "that lists this one."},
    [TF_EMANIFEST_SIZE] = {"manifest-size", "the manifest is larger than 64 KiB",
                           "Use fewer files, or shorter paths and variables."},
    [TF_EMANIFEST_JSON] = {"manifest-json", "the manifest is not JSON",
                           "Build it with `tfaas pack`."},
    [TF_EMANIFEST_KEYS] = {"manifest-keys", "an object has the same key twice",
                           "Remove one of the two keys."},
    [TF_EMANIFEST_FIELD] = {"manifest-field",
                            "a field of the manifest is missing, unknown or out of range",
                            "The table of fields is in doc/formats.md."},
    [TF_EMANIFEST_ENGINE] = {"manifest-engine", "the manifest excludes this engine",
                             "Deploy with one of the engines that the manifest lists."},
    [TF_EVERSION_FLOOR] = {"version-floor", "the lambda is older than the version floor",
                           "Deploy a newer version; a floor never goes down."},
    [TF_EVERSION_REUSED] = {"version-reused", "this version is loaded with other content",
                            "Give the new content a higher version."},
    [TF_ELAMBDA_SOURCE] =
        {"lambda-source", "the engine cannot compile the lambda or run its top level",
         "Run the source in the same engine outside and fix what it reports."},
    [TF_EDOMAIN_FORMAT] = {"domain-format", "the trust domain descriptor does not parse",
                           "Compare it with doc/formats.md."},
    [TF_EDOMAIN_MISMATCH] =
        {"domain-mismatch",
         "the descriptor is not the one that the enclave was created for",
         "Start a worker for this descriptor, or use the descriptor of that worker."},
    [TF_EEVIDENCE_FORMAT] = {"evidence-format", "the evidence or its claims do not parse",
                             "The peer is no tfaas enclave, or another version of it."},
    [TF_EEVIDENCE_SIMULATED] =
        {"evidence-simulated",
         "the evidence is simulated: no hardware protects this enclave",
         "For tests only: pass --allow-sim and name the simulator's root in the policy."},
    [TF_EEVIDENCE_ROOT] =
        {"evidence-root", "the evidence is not signed by a root that the policy trusts",
         "Check that the policy is for this machine; otherwise do not trust it."},
    [TF_EEVIDENCE_BINDING] = {"evidence-binding",
                              "the evidence is for another connection, nonce or key",
                              "It is stale or relayed; connect again, and if it stays "
                              "so, do not trust the host."},
    [TF_EEVIDENCE_DEBUG] = {"evidence-debug",
                            "the enclave is a debug enclave: the host can read it",
                            "Use a worker with a production image."},
    [TF_EPOLICY_FORMAT] = {"policy-format", "the policy file does not parse",
                           "Compare it with doc/formats.md."},
    [TF_EPOLICY_MEASUREMENT] =
        {"policy-measurement", "the enclave's MRENCLAVE is not in the policy",
         "Add the measurement only if you built or reviewed that image."},
    [TF_EPOLICY_SIGNER] = {"policy-signer", "the enclave's MRSIGNER is not the policy's",
                           "Use an image signed by the signer that the policy names."},
    [TF_EPOLICY_VERSION] =
        {"policy-version", "the enclave's security version is below the policy's minimum",
         "Ask the operator to update the enclave image."},
    [TF_EPOLICY_DOMAIN] =
        {"policy-domain", "the enclave serves another trust domain",
         "Check the policy's domain, or connect to a worker of the right domain."},
    [TF_EPOLICY_LAMBDA] =
        {"policy-lambda",
         "the lambda's name, version, digest or signer is not what you expect",
         "Compare the deployed bundle with yours: `tfaas verify`."},
    [TF_EGRANT_FORMAT] = {"grant-format", "the grant or its certificate does not parse",
                          "Make the grant with `tfaas grant`."},
    [TF_EGRANT_SIGNER] = {"grant-signer",
                          "the grant is not signed by a publisher of this trust domain",
                          "Sign it with a publisher's key."},
    [TF_EGRANT_CHANNEL] = {"grant-channel", "the grant was made for another connection",
                           "It cannot be replayed; run `tfaas grant` again."},
    [TF_EGRANT_DOMAIN] =
        {"grant-domain", "the grant names a DNS name that the lambda's manifest does not",
         "Add the name to the manifest's domains, pack, sign and deploy."},
    [TF_EGRANT_KEY] = {"grant-key", "the certificate's key is not the grant's key",
                       "Use the certificate that was issued for this key or CSR."},
    [TF_EGRANT_EXPIRED] = {"grant-expired",
                           "now is outside the validity of the grant or certificate",
                           "Make a new grant; check the clock of the host."},
    [TF_EGRANT_LAMBDA] =
        {"grant-lambda",
         "no such lambda is loaded, or it is older than the grant's floor",
         "Deploy the lambda, or a newer version of it, first."},
    [TF_ESEAL] = {"seal", "a sealed blob does not open in this enclave",
                  "It was sealed by another image, domain or machine; grant again."},
    [TF_EIMAGE_FORMAT] = {"image-format",
                          "this is not an enclave image that the loader accepts",
                          "Build it with `make`."},
    [TF_EIMAGE_MEASUREMENT] =
        {"image-measurement", "the image's measurement differs from its signature's",
         "The image changed after signing; build or sign it again."},
    [TF_EIMAGE_SIGNATURE] = {"image-signature",
                             "the SIGSTRUCT's signature or structure is wrong",
                             "Sign the image again with `tfaas image sign`."},
    [TF_EIMAGE_ATTRIBUTES] = {"image-attributes",
                              "ATTRIBUTES or MISCSELECT do not match the SIGSTRUCT's",
                              "Sign the image for this kind of enclave."},
    [TF_EIMAGE_KEY] = {"image-key", "the image key is not RSA-3072 with exponent 3",
                       "Make an RSA-3072 key with exponent 3 for images."},
    [TF_ESTEPS] = {"steps", "the lambda reached its step limit",
                   "Make it faster, or raise limits.steps in the manifest."},
    [TF_EMEMORY] = {"memory", "the lambda reached its memory limit",
                    "Make it smaller, or raise limits.memory in the manifest."},
    [TF_ESTACK] = {"stack", "the lambda recursed too deep", "Use a loop instead."},
    [TF_EEXCEPTION] = {"exception", "the lambda threw an exception",
                       "The exception is in the report; fix the lambda."},
    [TF_ERESPONSE] = {"response", "what the lambda returned is no response",
                      "Return a Response, or an object with status, headers and body."},
    [TF_EPENDING] = {"pending", "the lambda's promise can never settle",
                     "Await only what the lambda itself resolves."},
    [TF_EHTTP_SYNTAX] = {"http-syntax", "the request is not HTTP/1.1, or is ambiguous",
                         "Send one well-formed HTTP/1.1 request."},
    [TF_EHTTP_TOOLARGE] = {"http-too-large", "the body is over the limit",
                           "Send less, or raise limits.body in the manifest."},
    [TF_EHTTP_HEADERS] = {"http-headers", "the header fields are over the limit",
                          "Send fewer or shorter header fields."},
    [TF_EHTTP_VERSION] = {"http-version", "the HTTP version is not served",
                          "Use HTTP/1.1."},
    [TF_EHTTP_METHOD] = {"http-method", "the method or transfer coding is not served",
                         "Use another method, or only the chunked coding."},
    [TF_EPLATFORM] = {"platform", "this machine cannot run enclaves on SGX hardware",
                      "`tfaas doctor` says what is missing and how to fix it."},
    [TF_EQUOTE] = {"quote", "no quoting enclave signs for this worker: no evidence",
                   "Quotes by AESM are not there yet; use --backend sim for tests."},
};

static const struct row unknown = {"unknown", "no such error code", ""};

static const struct row *row_of(tf_err err)
{
    size_t i = (size_t)err;
    return i < TF_ERR_COUNT && rows[i].name != NULL ? &rows[i] : &unknown;
}

const char *tf_err_name(tf_err err)
{
    return row_of(err)->name;
}

const char *tf_err_text(tf_err err)
{
    return row_of(err)->text;
}

const char *tf_err_hint(tf_err err)
{
    return row_of(err)->hint;
}
