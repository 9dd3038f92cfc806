/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/err_text.h"

#include <stddef.h>
#include <string.h>

struct row {
    const char *text; /* what happened */
    const char *hint; /* what to do next */
};

static const struct row rows[TF_ERR_COUNT] = {
    [TF_OK] = {"success", ""},
    [TF_AGAIN] = {"nothing to do yet", "Call again later."},
    [TF_EHOST] = {"the host broke the boundary protocol",
                  "The enclave has stopped; look at the worker's log and restart it."},
    [TF_EFORMAT] = {"the bytes do not parse", "Compare the input with doc/formats.md."},
    [TF_ELIMIT] = {"the input is over a fixed limit",
                   "The limits are in abi/limits.h; make the input smaller."},
    [TF_ENOMEM] = {"a fixed pool or heap is full",
                   "Remove lambdas or grants, or start the worker with a larger heap."},
    [TF_EINTERNAL] = {"something happened that should not be possible",
                      "This is a bug; please report it with the log."},
    [TF_EIO] = {"a file, a socket or a system call failed",
                "Check that the path or address exists and may be used."},
    [TF_EUSAGE] = {"a command or an argument is wrong",
                   "Run it with --help: that shows what it takes."},
    [TF_ENOTFOUND] = {"there is no such lambda, grant, file or route",
                      "List what exists with `tfaas ls`."},
    [TF_EBUNDLE_TAR] =
        {"the bundle is not a plain ustar archive as tfaas writes it",
         "Build it again with `tfaas pack`; if it was copied, copy it again."},
    [TF_EBUNDLE_TYPE] =
        {"an entry of the bundle is not a regular file",
         "Bundles hold no links and folders; build it with `tfaas pack`."},
    [TF_EBUNDLE_PATH] =
        {"a path is absolute, has an odd part such as \"..\", or odd bytes",
         "Use relative paths of letters, digits, dot, underscore and dash."},
    [TF_EBUNDLE_DUPLICATE] = {"two files have the same path",
                              "Build the bundle again with `tfaas pack`."},
    [TF_EBUNDLE_EXTRA] = {"the bundle has a file that its manifest does not list",
                          "Somebody added a file after signing; pack and sign again."},
    [TF_EBUNDLE_MISSING] =
        {"the manifest lists a file that the bundle does not have",
         "Somebody removed a file after signing; pack and sign again."},
    [TF_EBUNDLE_DIGEST] = {"a file differs from its size or SHA-256 in the manifest",
                           "Somebody changed a file after signing; pack and sign again."},
    [TF_EDSSE_FORMAT] = {"there is no signed envelope, or it does not parse",
                         "Sign with `tfaas sign`."},
    [TF_EDSSE_TYPE] =
        {"the envelope was signed for another use",
         "A manifest and a grant cannot stand in for each other; pass the right one."},
    [TF_EDSSE_SIGNATURE] =
        {"no signature verifies",
         "The content changed after signing, or the key is wrong; sign again."},
    [TF_EDSSE_SIGNER] = {"signed by nobody whom the trust domain lists",
                         "Use a key that it lists (`tfaas key show` says its id), or a "
                         "trust domain that lists this one."},
    [TF_EMANIFEST_SIZE] = {"the manifest is larger than 64 KiB",
                           "Use fewer files, or shorter paths and variables."},
    [TF_EMANIFEST_JSON] = {"the manifest is not JSON", "Build it with `tfaas pack`."},
    [TF_EMANIFEST_KEYS] = {"an object has the same key twice",
                           "Remove one of the two keys."},
    [TF_EMANIFEST_FIELD] = {"a field of the manifest is missing, unknown or out of range",
                            "The table of fields is in doc/formats.md."},
    [TF_EMANIFEST_ENGINE] = {"the manifest excludes this engine",
                             "Deploy with one of the engines that the manifest lists."},
    [TF_EVERSION_FLOOR] = {"the lambda is older than the version floor",
                           "Deploy a newer version; a floor never goes down."},
    [TF_EVERSION_REUSED] = {"this version is loaded with other content",
                            "Give the new content a higher `version` in tfaas.json."},
    [TF_ELAMBDA_SOURCE] = {"the engine cannot compile the lambda or run its top level",
                           "Fix what the engine says; where it says nothing, run the "
                           "source in it outside."},
    [TF_EDOMAIN_FORMAT] = {"the trust domain descriptor does not parse",
                           "Compare it with doc/formats.md."},
    [TF_EDOMAIN_MISMATCH] =
        {"the descriptor is not the one that the enclave was created for",
         "Start a worker for this descriptor, or use the descriptor of that worker."},
    [TF_EEVIDENCE_FORMAT] = {"the evidence or its claims do not parse",
                             "The peer is no tfaas enclave, or another version of it."},
    [TF_EEVIDENCE_SIMULATED] =
        {"the evidence is simulated: no hardware protects this enclave",
         "For tests only: pass --allow-sim and name the simulator's root in the policy."},
    [TF_EEVIDENCE_ROOT] =
        {"the evidence is not signed by a root that the policy trusts",
         "Check that the policy is for this machine; otherwise do not trust it."},
    [TF_EEVIDENCE_BINDING] = {"the evidence is not about the claims that came with it",
                              "Somebody put two answers together; connect again, and if "
                              "it stays so, do not trust the host."},
    [TF_EEVIDENCE_DEBUG] = {"the enclave is a debug enclave: the host can read it",
                            "Use a worker with a production image."},
    [TF_EPOLICY_FORMAT] = {"the policy file does not parse",
                           "Compare it with doc/formats.md."},
    [TF_EPOLICY_MEASUREMENT] =
        {"the enclave's MRENCLAVE is not in the policy",
         "Add the measurement only if you built or reviewed that image."},
    [TF_EPOLICY_SIGNER] = {"the enclave's MRSIGNER is not the policy's",
                           "Use an image signed by the signer that the policy names."},
    [TF_EPOLICY_VERSION] =
        {"the enclave's security version is below the policy's minimum",
         "Ask the operator to update the enclave image."},
    [TF_EPOLICY_DOMAIN] =
        {"the enclave serves another trust domain",
         "Check the policy's domain, or connect to a worker of the right domain."},
    [TF_EPOLICY_LAMBDA] =
        {"the lambda's name, version, digest or signer is not what you expect",
         "Compare the deployed bundle with yours: `tfaas verify`."},
    [TF_EGRANT_FORMAT] = {"the grant or its certificate does not parse",
                          "Make the grant with `tfaas grant`."},
    [TF_EGRANT_SIGNER] = {"the grant is not signed by a publisher of this trust domain",
                          "Sign it with a publisher's key."},
    [TF_EGRANT_CHANNEL] = {"the grant was made for another connection",
                           "It cannot be replayed; run `tfaas grant` again."},
    [TF_EGRANT_DOMAIN] =
        {"the grant names a DNS name that the lambda's manifest does not",
         "Add the name to the manifest's domains, pack, sign and deploy."},
    [TF_EGRANT_KEY] = {"the certificate's key is not the grant's key",
                       "Use the certificate that was issued for this key or CSR."},
    [TF_EGRANT_EXPIRED] = {"now is outside the validity of the grant or certificate",
                           "Make a new grant; check the clock of the host."},
    [TF_EGRANT_LAMBDA] =
        {"no such lambda is loaded, or it is older than the grant's floor",
         "Deploy the lambda, or a newer version of it, first."},
    [TF_ESEAL] = {"a sealed blob does not open in this enclave",
                  "It was sealed by another image, domain or machine; grant again."},
    [TF_EIMAGE_FORMAT] = {"this is not an enclave image that the loader accepts",
                          "Build it with `make`."},
    [TF_EIMAGE_MEASUREMENT] =
        {"the image's measurement differs from its signature's",
         "The image changed after signing; build or sign it again."},
    [TF_EIMAGE_SIGNATURE] = {"the SIGSTRUCT's signature or structure is wrong",
                             "Sign the image again with `tfaas image sign`."},
    [TF_EIMAGE_ATTRIBUTES] = {"ATTRIBUTES or MISCSELECT do not match the SIGSTRUCT's",
                              "Sign the image for this kind of enclave."},
    [TF_EIMAGE_KEY] = {"the image key is not RSA-3072 with exponent 3",
                       "Make an RSA-3072 key with exponent 3 for images."},
    [TF_ESTEPS] = {"the lambda reached its step limit",
                   "Make it faster, or raise limits.steps in the manifest."},
    [TF_EMEMORY] = {"the lambda reached its memory limit",
                    "Make it smaller, or raise limits.memory in the manifest."},
    [TF_ESTACK] = {"the lambda recursed too deep", "Use a loop instead."},
    [TF_EEXCEPTION] = {"the lambda threw an exception",
                       "The exception is in the report; fix the lambda."},
    [TF_ERESPONSE] = {"what the lambda returned is no response",
                      "Return a Response, or an object with status, headers and body."},
    [TF_EPENDING] = {"the lambda's promise can never settle",
                     "Await only what the lambda itself resolves."},
    [TF_EHTTP_SYNTAX] = {"the request is not HTTP/1.1, or is ambiguous",
                         "Send one well-formed HTTP/1.1 request."},
    [TF_EHTTP_TOOLARGE] = {"the body is over the limit",
                           "Send less, or raise limits.body in the manifest."},
    [TF_EHTTP_HEADERS] = {"the header fields are over the limit",
                          "Send fewer or shorter header fields."},
    [TF_EHTTP_VERSION] = {"the HTTP version is not served", "Use HTTP/1.1."},
    [TF_EHTTP_METHOD] = {"the method or transfer coding is not served",
                         "Use another method, or only the chunked coding."},
    [TF_EPLATFORM] = {"this machine cannot run enclaves on SGX hardware",
                      "`tfaas doctor` says what is missing and how to fix it."},
    [TF_EQUOTE] =
        {"no quoting enclave signs for this worker: no evidence",
         "Look in tfaasd's log why AESM does not quote; `tfaas doctor` checks it."},
    [TF_EQUOTE_FORMAT] = {"the quote does not parse",
                          "Fetch it again from the platform; it may be cut short."},
    [TF_EQUOTE_KIND] = {"the quote is of a version, key type or TEE that is not accepted",
                        "Accepted are DCAP quotes v3, v4 and v5 with ECDSA P-256, and "
                        "SEV-SNP reports v2, v3 and v5."},
    [TF_EQUOTE_QE] =
        {"the quoting enclave's report is not certified by the platform",
         "The quote was changed or put together from parts; do not trust it."},
    [TF_EQUOTE_SIGNATURE] = {"the quote's signature does not verify",
                             "The quote was changed after it was made; do not trust it."},
    [TF_ECHAIN_FORMAT] =
        {"a certificate of the chain does not parse",
         "Fetch the chain again; PEM with lines of 64 or less, and no text between."},
    [TF_ECHAIN_ROOT] = {"the chain does not end at the CPU vendor's root",
                        "Do not trust it: the vendor's roots are built in."},
    [TF_ECHAIN_LINK] = {"a certificate was not issued by the next one of its chain",
                        "Fetch the chain again; if it stays so, do not trust it."},
    [TF_ECHAIN_VALIDITY] = {"a certificate is not valid at the time of verification",
                            "Check the clock, then fetch newer certificates."},
    [TF_ECHAIN_REVOKED] =
        {"a certificate of the chain is revoked",
         "The vendor has withdrawn this platform or key; do not use it."},
    [TF_ECOLLATERAL_FORMAT] = {"the collateral does not parse",
                               "Fetch it again, or compare it with doc/formats.md."},
    [TF_ECOLLATERAL_CRL] = {"a revocation list is not signed by its issuer",
                            "Fetch the list of this platform's certificate authority."},
    [TF_ECOLLATERAL_SIGNATURE] =
        {"TCB info or QE identity is not signed by the vendor",
         "Keep the bytes exactly as they were fetched, or fetch them again."},
    [TF_ECOLLATERAL_KIND] =
        {"TCB info or QE identity is for another kind of evidence",
         "Fetch the collateral for SGX or for TDX, whichever the quote is."},
    [TF_ECOLLATERAL_EXPIRED] = {"the time is outside of the collateral's dates",
                                "Fetch newer collateral."},
    [TF_ECOLLATERAL_PLATFORM] = {"the TCB info is for another family of platforms",
                                 "Fetch the TCB info for the FMSPC of this platform."},
    [TF_ECOLLATERAL_OLD] =
        {"the collateral is of an older TCB evaluation than the policy wants",
         "Fetch newer collateral."},
    [TF_ETCB_QE] = {"the quoting enclave is not the vendor's",
                    "Update the platform's quoting enclave."},
    [TF_ETCB_MODULE] = {"the TDX module is not one that the vendor lists",
                        "Update the platform's TDX module."},
    [TF_ETCB_LEVEL] = {"the platform is below every TCB level",
                       "Update the platform's firmware and microcode."},
    [TF_ETCB_REVOKED] = {"the platform's TCB level is revoked",
                         "Do not use this platform until it is updated."},
    [TF_ETCB_STATUS] =
        {"the policy does not accept this TCB status",
         "Update the platform, or accept the status in the policy's `tcb`."},
    [TF_ETCB_ADVISORY] =
        {"an open advisory is not one the policy accepts",
         "Read the advisory; update the platform, or list it in the policy's `tcb`."},
    [TF_ETCB_GRACE] = {"the policy accepted this TCB status until a date that has passed",
                       "Update the platform."},
    [TF_ETCB_DATE] = {"the TCB level is older than the policy's minimum",
                      "Update the platform."},
    [TF_ESNP_FORMAT] = {"the SEV-SNP report does not parse",
                        "Fetch it again from the guest; it has 1184 bytes."},
    [TF_ESNP_KEY] = {"the certificate is not for the kind of key that signed",
                     "Fetch the VCEK or the VLEK, whichever the report names."},
    [TF_ESNP_PRODUCT] = {"report, certificate and root are for different processors",
                         "Fetch the chain for this processor."},
    [TF_ESNP_CHIP] = {"the certificate is another chip's",
                      "Fetch the VCEK for the report's chip id."},
    [TF_ESNP_TCB] = {"the certificate is for another TCB than the report's",
                     "Fetch the certificate for the report's reported TCB."},
    [TF_ESNP_SIGNATURE] = {"the report's signature does not verify",
                           "It was changed after it was made; do not trust it."},
    [TF_ESNP_OLD] =
        {"the processor's TCB is below the policy's minimum, or the policy names none",
         "Update the platform, or name a minimum in the policy's `snp`."},
    [TF_ESNP_GUEST] = {"the guest's privilege level or policy is not accepted",
                       "Launch the guest without migration, at the level in the policy."},
    [TF_EPOLICY_PLATFORM] = {"the platform is not on the policy's list",
                             "Add its platform id to `platforms` if it is yours."},
    [TF_EPOLICY_DENIED] = {"the enclave is signed with a sample key that everybody has",
                           "Sign the enclave with a key of your own."},
    [TF_EPOLICY_ATTRIBUTES] = {"ATTRIBUTES, XFRM or MISCSELECT are not the policy's",
                               "Build and load the enclave as the policy says."},
    [TF_EEVIDENCE_NONCE] =
        {"the evidence was made for another nonce",
         "Somebody replays old evidence; connect again, and suspect the host."},
    [TF_EEVIDENCE_CHANNEL] = {"the evidence was made for another TLS connection",
                              "Somebody sits between you and the enclave; nothing was "
                              "sent. Try from another network."},
    [TF_EEVIDENCE_KEY] =
        {"the certificate of this connection is not the one of the attested instance",
         "Somebody shows another instance's certificate; connect again, and suspect the "
         "host."},
    [TF_EPOLICY_DIGEST] =
        {"the lambda's digest or version is not one that the policy accepts",
         "Deploy the bundle that the policy names, or add the new digest to the policy "
         "after review."},
    [TF_EGRANT_LEASE] = {"the grant serves only under a lease, and none is in force",
                         "Start tfaas-attester, or look in its log why it stopped."},
    [TF_EGRANT_OLD] = {"the grant is older than one that was confirmed for its lambda",
                       "The host put back an old grant; grant again."},
    [TF_ELEASE_FORMAT] =
        {"the lease does not parse or is out of its bounds",
         "The attester and the enclave are of different versions; update the older one."},
    [TF_ELEASE_SIGNER] =
        {"the lease is signed by nobody whom the trust domain lets attest",
         "Use the key that the descriptor names under attesters."},
    [TF_ELEASE_INSTANCE] =
        {"the lease was made for another instance or another connection",
         "Attest again on this connection and make a new lease."},
    [TF_ELEASE_OLD] =
        {"the lease is older than what this instance was told already",
         "The attester's clock or state went back, or an earlier one was ahead: "
         "connect again; `tfaas roll --engine E` starts afresh."},
    [TF_EREVOKED] =
        {"the publisher revoked this lambda, version or key",
         "Deploy a newer version that is signed with a key in good standing."},
    [TF_EREVOCATION_FORMAT] = {"the revocation list does not parse",
                               "Make it with `tfaas revoke`."},
    [TF_EREVOCATION_SIGNER] =
        {"the revocation list is not signed by a publisher who may revoke what it names",
         "Sign with a publisher's key that stands before the revoked ones in the "
         "descriptor."},
    [TF_EREVOCATION_OLD] = {"the revocation list is older than one that is known",
                            "Deploy the publisher's newest list."},
    [TF_ECOLLATERAL_FETCH] =
        {"the collateral could not be fetched, and the cache has none that is valid",
         "Check the collateral service, or give the collateral as a file."},
    [TF_ELOG_FORMAT] = {"a line of the transparency log does not parse",
                        "The log was changed or cut by hand; restore it from a copy and "
                        "find out who did it."},
    [TF_ELOG_CHAIN] =
        {"a line of the transparency log does not follow from the one before it",
         "The log was changed; restore it from a copy and find out who did it."},
    [TF_ELOG_SIGNATURE] =
        {"a line of the transparency log is not signed by the attester's key",
         "The log was changed, or it is checked with another attester's key."},
    [TF_EISSUER] = {"the certificate authority did not issue a certificate",
                    "The line above says what it answered; check its settings in the "
                    "attester's file."},
    [TF_ECONFIG] = {"the configuration file is wrong",
                    "The fields are in the manual page of the program."},
    [TF_ELOG_SERIAL] = {"the log uses a serial twice, or says what became of none",
                        "The attester broke its promise: ask whoever runs it why."},
    [TF_ESEAL_NONE] = {"this machine has no key to seal a grant with",
                       "Grant under a lease, which is never sealed (tfaas-attester)."},
    [TF_EBUSY] = {"too many requests of the lambda wait already",
                  "Ask again after a second; or have the lambda compute less."},
    [TF_ERECEIPT_FORMAT] = {"the receipt does not parse",
                            "One line is the value of one tfaas-receipt field, whole."},
    [TF_ERECEIPT_KEY] =
        {"the receipt is not of the instance that was attested",
         "Each start of an enclave has another key: use the attestation of that one."},
    [TF_ERECEIPT_SIGNATURE] = {"the receipt's signature does not verify",
                               "It was changed after the enclave signed it."},
    [TF_ERECEIPT_TWICE] = {"the same receipt is there twice",
                           "Count it once: a serial is given to one invocation only."},
    [TF_ENAME_TAKEN] = {"the name is not free in this enclave",
                        "Domains that share an enclave share its names: take another."},
    [TF_EBUNDLE_GONE] = {"the store has no bundle of this digest",
                         "Deploy the lambda again; see the log of tfaasd."},
    [TF_EBUNDLE_LATE] = {"the store did not bring the bundle in time",
                         "Ask again; see the log of tfaasd and the load of the machine."},
    [TF_EBUNDLE_OTHER] =
        {"the store brought another bundle",
         "The machine's store is damaged or lies: deploy again, or leave that machine."},
    [TF_ETOOL] = {"a tool of the build is missing",
                  "In the project's folder: npm install --save-dev esbuild @swc/core"},
    [TF_EBUILD] = {"the project does not build",
                   "Change what the tool named above, or its version."},
    [TF_EPOLICY_RTMR] = {"a register (RTMR) of the TDX guest is not in the policy",
                         "It started other firmware, kernel or command line: add its "
                         "values only if you know them to be good."},
    [TF_EVERSION] =
        {"tfaasd, its worker and the image or runtime are of different versions",
         "Build all from the same sources: `make`, and `make v8` for V8; sign the "
         "image, start tfaasd again."},
    [TF_ESPACE] = {"the disk has no room for a file",
                   "Make room where it lies, which of a host is tfaasd's --state, then "
                   "try again; `df` says how much there is."},
};

static const struct row unknown = {"an error that this version does not know", ""};

static const struct row *row_of(tf_err err)
{
    size_t i = (size_t)err;
    return i < TF_ERR_COUNT && rows[i].text != NULL ? &rows[i] : &unknown;
}

const char *tf_err_text(tf_err err)
{
    return row_of(err)->text;
}

const char *tf_err_hint(tf_err err)
{
    return row_of(err)->hint;
}

tf_err tf_err_find(const char *name)
{
    tf_err err = TF_OK;

    while (err != TF_ERR_COUNT && strcmp(tf_err_name(err), name) != 0) {
        err++;
    }
    return err;
}
