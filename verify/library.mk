# SPDX-License-Identifier: Apache-2.0
# libtfaas-verify as a library of its own: make install-verify DESTDIR=... PREFIX=/usr/local;
# and how long its verifications take: make bench-verify.
PREFIX         ?= /usr/local
VERIFY_VERSION := $(shell sed -n 's/.*TF_VERSION "\(.*\)"/\1/p' lib/version.h)
VERIFY_LIB     := $(O)/libtfaas-verify.a
# What verify.h, dcap.h, snp.h and ratls.h include, and nothing else.
VERIFY_HEADERS := $(addprefix verify/,verify.h dcap.h snp.h ratls.h receipt.h appraisal.h collateral.h \
                  chain.h policy.h tcb.h pck.h quote.h roots.h dates.h) \
                  lib/err.h lib/err_text.h lib/crypto.h abi/limits.h abi/sgx.h
VERIFY_DEST     = $(DESTDIR)$(PREFIX)

libtfaas-verify: $(VERIFY_LIB) ## the verifier as a static library
$(VERIFY_LIB): $(VERIFY) $(LIB)
	@echo "AR $@"; rm -f $@; ar rcs $@ $^
install-verify: $(VERIFY_LIB) ## install that library, its headers, pkg-config file and page
	@install -d $(VERIFY_DEST)/lib/pkgconfig $(VERIFY_DEST)/include/tfaas/verify \
	    $(VERIFY_DEST)/include/tfaas/lib $(VERIFY_DEST)/include/tfaas/abi
	@install -m 644 $(VERIFY_LIB) $(VERIFY_DEST)/lib/
	@for h in $(VERIFY_HEADERS); do install -m 644 $$h $(VERIFY_DEST)/include/tfaas/$$h; done
	@sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERIFY_VERSION)|' verify/libtfaas-verify.pc.in \
	    >$(VERIFY_DEST)/lib/pkgconfig/libtfaas-verify.pc
	@if command -v scdoc >/dev/null; then install -d $(VERIFY_DEST)/share/man/man3; \
	    scdoc <doc/man/libtfaas-verify.3.scd >$(VERIFY_DEST)/share/man/man3/libtfaas-verify.3; \
	    else echo "install-verify: no scdoc here, so no manual page"; fi

$(O)/verify-bench: $(call host,bench/verify.c) $(VERIFY) $(LIB)
	@$(LINK) $(HOST_LIBS)
bench-verify: $(O)/verify-bench ## time and instructions of one verification, by kind of evidence
	@bench/verify.sh $(O)/verify-bench
.PHONY: libtfaas-verify install-verify bench-verify

VECTORS ?= $(or $(TFAAS_VECTORS),../shared/vectors)
MUTATIONS ?= 100000
vectors: $(O)/test/unit/verify/vectors_test ## genuine quotes: every bit flipped, MUTATIONS=100000 of each and of its collateral (an hour)
	@TFAAS_TEST_SECONDS=14400 tools/run-tests $(foreach v,$(notdir $(wildcard $(VECTORS)/dcap/*)), \
	    'TFAAS_EXHAUSTIVE=1 TFAAS_MUTATIONS=$(MUTATIONS) TFAAS_VECTOR=$(v) $<')
.PHONY: vectors
