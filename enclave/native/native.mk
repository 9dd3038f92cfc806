# SPDX-License-Identifier: Apache-2.0
# The native runtime with V8: node and an addon (doc/adr/0008-v8.md), in $(O)/v8. Not part of
# `all`: it needs npm once, and 60 MB from its registry.
#
# The addon has two halves that are linked apart and then stripped of all names but those of
# abi/native.h, so that the core's cryptography, heap and tables are its own, and the host's
# (node's OpenSSL, the C library's heap) are the host's.
CXX      := g++
V8       := $(O)/v8
NODE     := $(DEP)/node
NATFLAGS := -O2 -fPIC -fvisibility=hidden -fno-plt -fstack-protector-strong -D_GNU_SOURCE \
            -fcf-protection=full -fstack-clash-protection -march=x86-64-v2 -D_FORTIFY_SOURCE=2 \
            -ffunction-sections -fdata-sections
CXXWARN  := -Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wvla -Wcast-qual \
            -Wcast-align -Wwrite-strings -Wundef -Wformat=2 -Wimplicit-fallthrough
CXXFLAGS := -std=c++20 -g -I. -MMD -MP "-ffile-prefix-map=$(CURDIR)=." $(CXXWARN) -fno-exceptions \
            -fno-rtti -isystem $(NODE)/include/node

$(O)/native/enclave/layout.o: private BASE += -DTF_ENGINE='"v8"' -DTF_LVI=TF_LVI_OFF
nat = $(patsubst %,$(O)/native/%.o,$(basename $(1)))
# All of the core but what an enclave has and a process has otherwise, or V8 does without:
# stacks to switch.
NAT_CORE := $(call nat,$(filter-out lib/%_openssl.c,$(wildcard lib/*.c)) \
            $(filter-out $(addprefix enclave/,boundary.c enclu.c panic.c fiber.c),$(wildcard enclave/*.c)) \
            $(wildcard enclave/native/*.c) enclave/native/globals.S enclave/libc/heap.c \
            enclave/libc/tls_time.c enclave/js/native.c enclave/js/text.c enclave/js/path.c \
            $(wildcard enclave/js/v8*.cc enclave/js/v8*.S))
NAT_HOST := $(call nat,$(wildcard lib/*.c host/native_*.c host/worker_*.c) host/link.c host/log.c host/quoter.c host/sni.c \
            host/number.c host/tsm.c host/tsm_table.c host/evidence.c host/aesm.c host/helper.c host/sandbox.c host/sim_evidence.c host/sim_machine.c)
NAT_HOST := $(filter-out %/worker_main.o,$(NAT_HOST))
NAT_LIBS := $(DEP)/wolfssl/lib/native/libwolfssl.a $(DEP)/jansson/lib/native/libjansson.a \
            $(DEP)/picohttpparser/lib/native/libpicohttpparser.a

v8: $(V8)/node $(V8)/start.js $(V8)/tfaas.node ## the V8 runtime, which is not part of `all`
$(DEP)/.node: deps/lock deps/recipes/node.sh deps/fetch deps/build
	@O=$(O) deps/build node
	@touch $@
$(V8)/node: $(DEP)/.node
	@mkdir -p $(@D); ln -sfn "$$(realpath $(NODE))/bin/node" $@
$(V8)/start.js: enclave/native/start.js
	@mkdir -p $(@D); cp $< $@
$(O)/native/core.o: $(NAT_CORE) $(BUILT)
	@ld -r -Map=$(O)/v8.map -o $@.all $(NAT_CORE) --start-group $(NAT_LIBS) --end-group
	@objcopy -G tf_native_open -G tf_native_thread_init -G tf_native_enter $@.all $@; rm -f $@.all
$(O)/native/host.o: $(NAT_HOST)
	@ld -r -o $@.all $^; objcopy -G tf_native_main $@.all $@; rm -f $@.all
$(V8)/tfaas.node: $(O)/native/core.o $(O)/native/host.o
	@mkdir -p $(@D); $(SAY) "LINK $@"; $(CXX) -shared -Wl,--gc-sections,-z,relro,-z,now,-z,noexecstack \
	    -Wl,--build-id=none -s -o $@ $^ -ljansson -lm -lpthread
	@if nm -D -u $@ | grep ' tf_'; then echo "$@ lacks that"; rm -f $@; exit 1; fi
$(O)/native/%.o: %.c enclave/native/native.mk $(BUILT)
	@mkdir -p $(@D); $(SAY) "CC(native) $<"; $(CC) $(BASE) $(NATFLAGS) $(TRUST_INC) -c $< -o $@
$(O)/native/%.o: %.cc enclave/native/native.mk $(BUILT) $(DEP)/.node
	@mkdir -p $(@D); $(SAY) "CXX(native) $<"; $(CXX) $(CXXFLAGS) $(NATFLAGS) -c $< -o $@
$(O)/native/%.o: %.S $(PRELUDE) enclave/native/globals.js
	@mkdir -p $(@D); $(CC) -g -I. -MMD -MP $(NATFLAGS) -c $< -o $@
.PHONY: v8

# The tests of engines, on V8: what is left of them where steps and arenas do not exist.
UNIT_V8 := $(patsubst %,$(O)/test/unit/js/%-v8.node,engine_test limits_test web_test isolate)
NAT_JS  := $(call nat,lib/arena.c lib/bytes.c lib/err.c lib/plan.c enclave/native/slot.c \
           enclave/native/watch.c enclave/native/panic.c enclave/native/globals.S enclave/js/native.c \
           enclave/js/text.c enclave/js/path.c enclave/http_text.c $(wildcard enclave/js/v8*.cc enclave/js/v8*.S) \
           test/unit/js/fixture.c test/unit/js/v8_main.c)
v8-unit: $(UNIT_V8) $(V8)/node
$(UNIT_V8): $(O)/test/unit/js/%-v8.node: $(O)/native/test/unit/js/%.o $(NAT_JS)
	@mkdir -p $(@D); $(SAY) "LINK $@"; $(CXX) -shared -o $@ $^ -lm -lpthread
# For `check`: where it cannot be had, its tests say so.
try-v8: $(BUILT)
	@$(MAKE) -s v8 v8-unit >$(O)/v8.log 2>&1 || \
	    echo "V8 does not build here ($(O)/v8.log): its tests are skipped"
.PHONY: v8-unit try-v8
