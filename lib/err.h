/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h - the one error type.
 *
 * Every function that can fail returns tf_err; 0 is success. Codes are append-only: they
 * cross the boundary, appear in logs, in metrics, and in what the CLI prints. The table
 * in err.c gives each its stable name; err_text.h says what it means, and what to do
 * next.
 */
#pragma once

#define TF_MUST_USE __attribute__((warn_unused_result))

typedef enum tf_err {
    TF_OK = 0,
    TF_AGAIN,     /* no input or no room yet; call again later */
    TF_EHOST,     /* the host broke the protocol; the enclave stops */
    TF_EFORMAT,   /* bytes do not parse */
    TF_ELIMIT,    /* well formed, over a limit in abi/limits.h */
    TF_ENOMEM,    /* a fixed pool or arena is full */
    TF_EINTERNAL, /* a bug: should not happen */
    TF_EIO,       /* the host's file, socket or system call failed */
    TF_EUSAGE,    /* a command or an argument is wrong */
    TF_ENOTFOUND, /* no such lambda, grant, file or route */

    /* Bundle, in the order in which the enclave checks it. */
    TF_EBUNDLE_TAR,       /* not a plain ustar archive, or a header is damaged */
    TF_EBUNDLE_TYPE,      /* an entry is not a regular file */
    TF_EBUNDLE_PATH,      /* an entry's path is absolute, has "..", or odd bytes */
    TF_EBUNDLE_DUPLICATE, /* two entries have one path */
    TF_EBUNDLE_EXTRA,     /* an entry that the manifest does not list */
    TF_EBUNDLE_MISSING,   /* the manifest lists a file that is not there */
    TF_EBUNDLE_DIGEST,    /* a file's size or SHA-256 differs from the manifest */
    TF_EDSSE_FORMAT,      /* the envelope does not parse */
    TF_EDSSE_TYPE,        /* the envelope's payload type is another one */
    TF_EDSSE_SIGNATURE,   /* no signature verifies under the key that it names */
    TF_EDSSE_SIGNER,      /* signed, but by nobody that this trust domain lists */
    TF_EMANIFEST_SIZE,    /* the manifest is larger than TF_MANIFEST_MAX */
    TF_EMANIFEST_JSON,    /* the manifest is not JSON */
    TF_EMANIFEST_KEYS,    /* an object of the manifest has a key twice */
    TF_EMANIFEST_FIELD,   /* a field is missing, unknown, or has a bad value */
    TF_EMANIFEST_ENGINE,  /* the manifest excludes the engine of this enclave */
    TF_EVERSION_FLOOR,    /* older than the version floor */
    TF_EVERSION_REUSED,   /* same version as the one loaded, other content */
    TF_ELAMBDA_SOURCE,    /* the engine cannot compile or run the top level */

    /* Trust domain, evidence, grants. */
    TF_EDOMAIN_FORMAT,      /* the descriptor does not parse */
    TF_EDOMAIN_MISMATCH,    /* the descriptor is not the one bound into CONFIGID */
    TF_EEVIDENCE_FORMAT,    /* evidence or claims do not parse */
    TF_EEVIDENCE_SIMULATED, /* simulated evidence, and simulation is not allowed */
    TF_EEVIDENCE_ROOT,      /* not signed by a root that the policy trusts */
    TF_EEVIDENCE_BINDING,   /* REPORTDATA is not the hash of the claims */
    TF_EEVIDENCE_DEBUG,     /* a debug enclave */
    TF_EPOLICY_FORMAT,      /* the policy file does not parse */
    TF_EPOLICY_MEASUREMENT, /* MRENCLAVE is not in the policy */
    TF_EPOLICY_SIGNER,      /* MRSIGNER is not in the policy */
    TF_EPOLICY_VERSION,     /* ISVSVN is below the policy's minimum */
    TF_EPOLICY_DOMAIN,      /* the enclave serves another trust domain */
    TF_EPOLICY_LAMBDA,      /* lambda name, version, digest or signer differ */
    TF_EGRANT_FORMAT,       /* the grant or its certificate does not parse */
    TF_EGRANT_SIGNER,       /* not signed by a publisher of this trust domain */
    TF_EGRANT_CHANNEL,      /* made for another connection: replayed */
    TF_EGRANT_DOMAIN,       /* names a DNS name that the lambda's manifest does not */
    TF_EGRANT_KEY,          /* the certificate's key is not the grant's key */
    TF_EGRANT_EXPIRED,      /* outside its validity */
    TF_EGRANT_LAMBDA,       /* no such lambda is loaded, or it is below the floor */
    TF_ESEAL,               /* a sealed blob does not open in this enclave */

    /* Image and launch. */
    TF_EIMAGE_FORMAT,      /* not an enclave image that this loader accepts */
    TF_EIMAGE_MEASUREMENT, /* MRENCLAVE differs from the SIGSTRUCT's */
    TF_EIMAGE_SIGNATURE,   /* the SIGSTRUCT's signature or structure is wrong */
    TF_EIMAGE_ATTRIBUTES,  /* ATTRIBUTES or MISCSELECT do not match */
    TF_EIMAGE_KEY,         /* not RSA-3072 with e = 3 */

    /* An invocation. */
    TF_ESTEPS,     /* the step limit hit */
    TF_EMEMORY,    /* the memory limit hit */
    TF_ESTACK,     /* recursion too deep */
    TF_EEXCEPTION, /* the lambda threw */
    TF_ERESPONSE,  /* what the lambda returned is no response */
    TF_EPENDING,   /* the lambda's promise can never settle */

    /* A client's HTTP. */
    TF_EHTTP_SYNTAX,   /* 400: not HTTP/1.1, or ambiguous */
    TF_EHTTP_TOOLARGE, /* 413: body over the limit */
    TF_EHTTP_HEADERS,  /* 431: header fields over the limit */
    TF_EHTTP_VERSION,  /* 505 */
    TF_EHTTP_METHOD,   /* 501: transfer coding or method that is not served */

    /* SGX hardware. */
    TF_EPLATFORM, /* this machine cannot run enclaves on SGX hardware */
    TF_EQUOTE,    /* nobody here can turn a REPORT into evidence */

    /* Quotes of the CPU's vendor and what judges them (verify/dcap.h, verify/snp.h). */
    TF_EQUOTE_FORMAT,         /* the quote's bytes do not parse */
    TF_EQUOTE_KIND,           /* a version, key type or TEE that is not accepted */
    TF_EQUOTE_QE,             /* the quoting enclave's report is not the platform's */
    TF_EQUOTE_SIGNATURE,      /* the quote is not signed by its attestation key */
    TF_ECHAIN_FORMAT,         /* a certificate or its extension does not parse */
    TF_ECHAIN_ROOT,           /* the chain does not end at a pinned root */
    TF_ECHAIN_LINK,           /* a certificate's name, use or signature is wrong */
    TF_ECHAIN_VALIDITY,       /* a certificate is not valid at that time */
    TF_ECHAIN_REVOKED,        /* a certificate is on its issuer's CRL */
    TF_ECOLLATERAL_FORMAT,    /* the collateral does not parse */
    TF_ECOLLATERAL_CRL,       /* a CRL is not its issuer's */
    TF_ECOLLATERAL_SIGNATURE, /* TCB info or identity is not signed by the vendor */
    TF_ECOLLATERAL_KIND,      /* TCB info or identity for another TEE or version */
    TF_ECOLLATERAL_EXPIRED,   /* not within the collateral's dates */
    TF_ECOLLATERAL_PLATFORM,  /* TCB info of another FMSPC or PCE */
    TF_ECOLLATERAL_OLD,       /* evaluation data number below the policy's minimum */
    TF_ETCB_QE,               /* the quoting enclave is not the one of the identity */
    TF_ETCB_MODULE,           /* the TDX module is not one of the TCB info */
    TF_ETCB_LEVEL,            /* no TCB level matches */
    TF_ETCB_REVOKED,          /* the TCB level is revoked */
    TF_ETCB_STATUS,           /* the policy does not accept this TCB status */
    TF_ETCB_ADVISORY,         /* an advisory that the policy does not accept */
    TF_ETCB_GRACE,            /* accepted by the policy until a date that has passed */
    TF_ETCB_DATE,             /* the TCB level is older than the policy's minimum */
    TF_ESNP_FORMAT,           /* the SEV-SNP report does not parse */
    TF_ESNP_KEY,              /* the certificate is not for the key that signed */
    TF_ESNP_PRODUCT,          /* report, certificate and root are of other products */
    TF_ESNP_CHIP,             /* the certificate is another chip's */
    TF_ESNP_TCB,              /* the certificate's TCB is not the report's */
    TF_ESNP_SIGNATURE,        /* the report's signature does not verify */
    TF_ESNP_OLD,              /* TCB below the policy's minimum, or none is named */
    TF_ESNP_GUEST,            /* VMPL or guest policy is not accepted */
    TF_EPOLICY_PLATFORM,      /* the platform is not on the policy's list */
    TF_EPOLICY_DENIED,        /* signed with a key that everybody has */
    TF_EPOLICY_ATTRIBUTES,    /* ATTRIBUTES, XFRM or MISCSELECT differ */

    /* Binding, leases, revocation, the attester. */
    TF_EEVIDENCE_NONCE,    /* evidence for another nonce: replayed from another session */
    TF_EEVIDENCE_CHANNEL,  /* evidence for another TLS connection: relayed */
    TF_EEVIDENCE_KEY,      /* the certificate seen is not the attested instance's */
    TF_EPOLICY_DIGEST,     /* the lambda's digest or version is not in the policy */
    TF_EGRANT_LEASE,       /* the grant needs a lease and none is in force */
    TF_EGRANT_OLD,         /* older than the highest grant that was confirmed */
    TF_ELEASE_FORMAT,      /* the lease does not parse */
    TF_ELEASE_SIGNER,      /* not signed by an attester of this trust domain */
    TF_ELEASE_INSTANCE,    /* for another instance or connection */
    TF_ELEASE_OLD,         /* time or counter behind what was confirmed */
    TF_EREVOKED,           /* revoked by the publisher */
    TF_EREVOCATION_FORMAT, /* the revocation list does not parse */
    TF_EREVOCATION_SIGNER, /* not signed by one who may revoke that */
    TF_EREVOCATION_OLD,   /* older than the list in force or than the attester confirms */
    TF_ECOLLATERAL_FETCH, /* collateral could not be fetched and is not in the cache */
    TF_ELOG_FORMAT,       /* a line of the transparency log does not parse */
    TF_ELOG_CHAIN,        /* a line of the log does not follow from the one before */
    TF_ELOG_SIGNATURE,    /* a line of the log is not signed by its key */
    TF_EISSUER,           /* the certificate authority did not issue */
    TF_ECONFIG,           /* a configuration file does not parse */
    TF_ELOG_SERIAL,       /* a serial is used twice, or has an outcome and no intent */
    TF_ESEAL_NONE,        /* this machine has no key to seal with */
    TF_EBUSY,             /* too many requests of the lambda wait already */

    /* Receipts and statements of usage. */
    TF_ERECEIPT_FORMAT,    /* does not parse */
    TF_ERECEIPT_KEY,       /* of another key or instance than was attested */
    TF_ERECEIPT_SIGNATURE, /* does not verify */
    TF_ERECEIPT_TWICE,     /* two with the same serial */
    TF_ENAME_TAKEN,        /* another domain of this enclave has the name */

    /* Bundles on demand. */
    TF_EBUNDLE_GONE,  /* the host has no bundle of the digest that was asked for */
    TF_EBUNDLE_LATE,  /* the host did not bring it in time */
    TF_EBUNDLE_OTHER, /* the host brought another one */

    /* Building a project. */
    TF_ETOOL,  /* a tool of the build is not there */
    TF_EBUILD, /* a tool of the build failed */

    TF_EPOLICY_RTMR, /* a register of the TDX guest is not the policy's */

    TF_EVERSION, /* tfaasd, its worker and the image are not of one version */
    TF_ESPACE,   /* the disk, or the user's share of it, is full */

    TF_ERR_COUNT
} tf_err;

/** The stable name of a code, such as "bundle-digest", or "unknown"; never NULL. */
const char *tf_err_name(tf_err err);
