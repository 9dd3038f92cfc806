# SPDX-License-Identifier: Apache-2.0
# The worker and the core of one engine as one static program for callgrind (bench/profile.sh):
# the objects of the image, the image's C library, no enclave. Included by the Makefile.
PROFILE_FLAGS := $(filter-out -ffreestanding,$(TRUST)) -D_GNU_SOURCE
profiled = $(patsubst %,$(O)/profile/%.o,$(basename $(1)))
# Of the core, what speaks to the CPU and what stands in for parts of a C library is left out.
PROFILE_CORE := $(filter-out $(call trust,enclave/gate.S enclave/enclu.c \
    $(addprefix enclave/libc/,errno.c stdio.c stop.c text.c)),$(CORE)) \
    $(call profiled,bench/profile/place.c test/native/enclu.c)
PROFILE_HOST := $(call profiled,bench/profile/worker.c host/link.c host/log.c host/sni.c $(addprefix host/worker_, \
    loop.c conn.c link.c listen.c poll.c quote.c ring.c) lib/bytes.c lib/err.c lib/map.c)
MUSL_LIB := $(dir $(LIBC))
PROFILES := $(ENGINES:%=$(O)/profile/%)

$(foreach e,$(ENGINES),$(eval $(O)/profile/$(e).core.o: $(call trust,$(call engine,$(e)))))
# The core keeps its names to itself, malloc among them: the host's is the C library's.
$(O)/profile/%.core.o: $(PROFILE_CORE) $(BUILT)
	@ld -r -o $@.all $(filter %.o,$^) --start-group $(DEP)/$*/lib/lib$*.a \
	    $(DEP)/wolfssl/lib/libwolfssl.a $(DEP)/jansson/lib/libjansson.a \
	    $(DEP)/picohttpparser/lib/traced/libpicohttpparser.a --end-group
	@objcopy -G profile_place_open -G profile_place_enter $@.all $@; rm -f $@.all
$(PROFILES): $(O)/profile/%: $(O)/profile/%.core.o $(PROFILE_HOST)
	@$(SAY) "LINK $@"; $(CC) -static -no-pie -nostdlib -Wl,--wrap=epoll_wait,--wrap=clock_gettime,--gc-sections \
	    -o $@ /usr/lib/x86_64-linux-musl/crt1.o $(filter %.o,$^) $(LIBC)
$(O)/profile/%.o: %.c Makefile bench/profile/profile.mk $(BUILT)
	@mkdir -p $(@D); $(CC) $(BASE) $(PROFILE_FLAGS) $(TRUST_INC) -idirafter /usr/include -c $< -o $@
$(O)/profile/drive: $(call san,bench/profile/drive.c host/link.c) $(call san,$(wildcard test/fake/js.c)) \
    $(call A,enclave) $(call A,lib)
	$(TLINK) $(DEP)/wolfssl/lib/native/libwolfssl.a $(call A,enclave) $(call A,lib) \
	    $(DEP)/picohttpparser/lib/asan/libpicohttpparser.a -ljansson -lssl -lcrypto -lm
profile-programs: $(PROFILES) $(O)/profile/drive
.PHONY: profile-programs
