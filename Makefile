# SPDX-License-Identifier: Apache-2.0
#
# The folder decides the flags: abi/ lib/ enclave/ are built as trusted code for the image;
# lib/ host/ verify/ cli/ as ordinary code; the same sources once more with sanitizers for
# test/. `make help` lists the targets. Dependencies come from deps/build (see deps/lock).
# make LVI=cf or full: images hardened against load value injection (deps/lvi).
LVI     ?= off
O       ?= build$(if $(filter-out off,$(LVI)),/lvi-$(LVI))
$(if $(filter off cf full,$(LVI)),,$(error LVI is off, cf or full))
MAKEFLAGS += -r
CC      := gcc
CLANG   := clang
ENGINES := quickjs duktape mujs
# One line a command, none with -s.
SAY     := $(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,echo)
DEP     := $(O)/deps
MUSL    := /usr/include/x86_64-linux-musl
LIBC    := $(if $(filter off,$(LVI)),/usr/lib/x86_64-linux-musl/libc.a,$(DEP)/musl/lib/libc.a)
GCCINC  := $(shell $(CC) -print-file-name=include)

WARN   := -Wall -Wextra -Werror -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wvla \
          -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wcast-align -Wwrite-strings \
          -Wundef -Wformat=2 -Wswitch-enum -Wnull-dereference -Wimplicit-fallthrough
BASE   := -std=c11 -g -I. -MMD -MP "-ffile-prefix-map=$(CURDIR)=." $(WARN)
TRUST  := -O2 -fPIE -ffreestanding -fvisibility=hidden -fno-plt -fstack-protector-strong \
          -fstack-clash-protection -fcf-protection=full -ffunction-sections -fdata-sections \
          -fno-asynchronous-unwind-tables -march=x86-64-v2 -nostdinc -isystem $(GCCINC) \
          -isystem $(MUSL) $(shell deps/lvi $(LVI))
FLAVOUR := -DTF_LVI=$(if $(filter full,$(LVI)),TF_LVI_FULL,$(if $(filter cf,$(LVI)),TF_LVI_CF,TF_LVI_OFF))
HARDEN := -O2 -fPIE -fstack-protector-strong -fcf-protection=full -D_FORTIFY_SOURCE=2 \
          -D_GNU_SOURCE
SAN    := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
          -D_GNU_SOURCE
FUZZ   := -g -O1 -I. -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all \
          -D_GNU_SOURCE -std=c11

# --- dependencies: include paths and archives, by who includes them ---------------------
wolfssl_INC        := -isystem $(DEP)/wolfssl/include -DWOLFSSL_USER_SETTINGS
quickjs_INC        := -isystem $(DEP)/quickjs/include
duktape_INC        := -isystem $(DEP)/duktape/include
mujs_INC           := -isystem $(DEP)/mujs/include
jansson_INC        := -isystem $(DEP)/jansson/include
picohttpparser_INC := -isystem $(DEP)/picohttpparser/include
TRUST_INC := $(wolfssl_INC) $(jansson_INC) $(picohttpparser_INC) $(quickjs_INC) $(duktape_INC) $(mujs_INC)
HOST_LIBS := -ljansson -lcrypto
BUILT     := $(DEP)/.built

all: images programs ## build the enclave images and the programs

$(BUILT): deps/lock deps/lines deps/lvi deps/fetch deps/build $(wildcard deps/*.sh deps/*.awk deps/patches/*/*) \
    $(filter-out deps/patches/%,$(wildcard deps/*/*))
	@O=$(O) LVI=$(LVI) deps/build
	@touch $@

# --- the enclave images, one per engine -------------------------------------------------
# What the engines share; an engine itself is NAME.c, NAME_*.c and its part of the prelude.
JS_SHARED := enclave/js/slot.c enclave/js/native.c enclave/js/text.c enclave/js/path.c enclave/http_text.c
engine = $(wildcard enclave/js/$(1).c enclave/js/$(1)_*.[cS])
PRELUDE := $(wildcard enclave/js/prelude.S enclave/js/prelude/*.js)
trust = $(patsubst %,$(O)/trust/%.o,$(basename $(1)))
CORE  := $(call trust,$(filter-out lib/%_openssl.c,$(wildcard lib/*.c)) \
         $(filter-out enclave/layout.c,$(wildcard enclave/*.c enclave/*.S)) \
         $(wildcard enclave/libc/*.c) $(JS_SHARED))
IMAGES := $(ENGINES:%=$(O)/%.img)
IMAGE_LD := -nostdlib -static-pie -Wl,-T,enclave/image.lds -z norelro -z noexecstack \
            -z separate-code -Wl,--build-id=none -Wl,--gc-sections -Wl,-z,max-page-size=4096
images: $(IMAGES)
$(foreach e,$(ENGINES),$(eval $(O)/$(e).elf: $(call trust,$(call engine,$(e)))))
$(O)/%.elf: $(CORE) $(O)/trust/enclave/layout-%.o enclave/image.lds $(BUILT)
	@$(SAY) "LINK $@"; $(CC) $(IMAGE_LD) -Wl,-Map=$(O)/$*.map -o $@ $(filter %.o,$^) \
	    -Wl,--start-group $(DEP)/$*/lib/lib$*.a $(DEP)/wolfssl/lib/libwolfssl.a \
	    $(DEP)/jansson/lib/libjansson.a $(DEP)/picohttpparser/lib/libpicohttpparser.a \
	    $(LIBC) -Wl,--end-group
# Without symbols: the ELF header is measured, and tells where what is behind them begins.
$(O)/%.img: $(O)/%.elf tools/check-image
	@strip --strip-all -o $@ $<; tools/check-image $@
$(O)/trust/enclave/layout-%.o: enclave/layout.c Makefile $(BUILT)
	@mkdir -p $(@D); $(CC) $(BASE) $(TRUST) $(FLAVOUR) -DTF_ENGINE='"$*"' -c $< -o $@
# On the Makefile too: other flags are another measurement.
$(O)/trust/%.o: %.c Makefile $(BUILT)
	@mkdir -p $(@D); $(SAY) "CC(trust) $<"; $(CC) $(BASE) $(TRUST) $(TRUST_INC) -c $< -o $@
$(O)/trust/enclave/libc/copy.o: private TRUST += -fno-tree-loop-distribute-patterns
$(O)/trust/%.o: %.S Makefile $(PRELUDE)
	@mkdir -p $(@D); $(CC) -g -I. "-ffile-prefix-map=$(CURDIR)=." $(TRUST) -MMD -MP -c $< -o $@

# --- programs of the untrusted host and of the relying party ----------------------------
host = $(patsubst %.c,$(O)/host/%.o,$(filter %.c,$(1))) \
       $(patsubst %.S,$(O)/host/%.o,$(filter %.S,$(1)))
LIB     := $(call host,$(wildcard lib/*.c))
NATIVE  := $(call host,$(wildcard host/native_*.c))
WORKER  := $(filter-out %/sim_root.o,$(call host,host/link.c host/log.c host/number.c host/sni.c \
           host/aesm.c host/evidence.c host/quoter.c host/helper.c host/sandbox.c $(wildcard host/worker_*.c host/load*.c \
           host/enclave_*.c host/sgx_*.c host/sgx_*.S host/sim_*.c host/sim_*.S)))
DAEMON  := $(filter-out %/tsm.o %/tsm_table.o $(filter-out %/link.o %/log.o %/number.o %/sni.o %/sim_machine.o,$(WORKER)), \
           $(filter-out $(NATIVE) %/sim_evidence.o,$(call host,$(wildcard host/*.c))) \
           $(call host,host/native_measure.c))
VERIFY  := $(call host,$(wildcard verify/*.c))
CLIENT  := $(call host,$(wildcard client/*.c))
PROGRAMS := $(O)/tfaasd $(O)/tfaas-worker $(O)/tfaas $(O)/tfaas-attester
programs: $(PROGRAMS)
LINK = $(SAY) "LINK $@"; $(CC) -pie -Wl,-z,relro,-z,now -o $@ $(filter %.o,$^)
$(O)/tfaasd: $(DAEMON) $(LIB) $(BUILT)
	@$(LINK) $(DEP)/picohttpparser/lib/native/libpicohttpparser.a $(HOST_LIBS)
$(O)/tfaas-worker: $(WORKER) $(LIB)
	@$(LINK) $(HOST_LIBS) -lpthread
$(O)/tfaas: $(call host,$(wildcard cli/*.c)) $(CLIENT) $(VERIFY) $(LIB)
	@$(LINK) $(HOST_LIBS) -lssl -lcurl
$(O)/tfaas-attester: $(call host,$(wildcard attester/*.c)) $(CLIENT) $(VERIFY) $(LIB)
	@$(LINK) $(HOST_LIBS) -lssl -lcurl -lpthread
$(O)/host/%.o: %.c | $(BUILT)
	@mkdir -p $(@D); $(SAY) "CC(host) $<"; $(CC) $(BASE) $(HARDEN) $(picohttpparser_INC) -c $< -o $@
$(O)/host/%.o: %.S
	@mkdir -p $(@D); $(CC) -g -I. -MMD -MP -c $< -o $@

include enclave/native/native.mk
include test/toy/toy.mk
include verify/library.mk
include test/dcap/dcap.mk
include test/hw/hw.mk
include bench/bench.mk

# --- tests: the same sources once more, with sanitizers -----------------------------------
# Archives by side, so that a test links only what it uses. Names that exist on both sides
# (lib/crypto.h) are in an archive of their own.
san = $(patsubst %,$(O)/san/%.o,$(basename $(1)))
SAN_LIB     := $(call san,$(filter-out %_openssl.c,$(wildcard lib/*.c)))
SAN_OPENSSL := $(call san,$(wildcard lib/*_openssl.c))
SAN_VERIFY  := $(call san,$(wildcard verify/*.c))
SAN_CLIENT  := $(call san,$(wildcard client/*.c))
SAN_ATTESTER := $(call san,$(filter-out attester/main.c,$(wildcard attester/*.c)))
SAN_HOST    := $(call san,$(filter-out host/main.c host/worker_main.c host/native_main.c \
               host/native_enclave.c,$(wildcard host/*.c)) \
               $(wildcard host/*.S))
# Natively the core has stand-ins by file for what only the CPU or the loader gives.
SAN_ENCLAVE := $(call san,$(filter-out $(patsubst test/native/%,enclave/%,$(wildcard test/native/*.c)) \
               enclave/entry.c enclave/enclu.c enclave/layout.c enclave/heap.c \
               enclave/panic.c,$(wildcard enclave/*.c)) $(JS_SHARED) \
               enclave/fiber_switch.S enclave/libc/tls_time.c enclave/libc/divide.c \
               $(wildcard test/native/*.c))
A = $(O)/san/lib$(1).a
$(call A,lib): $(SAN_LIB)
$(call A,openssl): $(SAN_OPENSSL)
$(call A,verify): $(SAN_VERIFY)
$(call A,client): $(SAN_CLIENT)
$(call A,attester): $(SAN_ATTESTER)
$(call A,host): $(SAN_HOST)
$(call A,enclave): $(SAN_ENCLAVE)
$(O)/san/%.a:
	@rm -f $@; ar rcs $@ $^
# On the dependencies: their headers say how large what they keep is.
$(O)/san/%.o: %.c $(BUILT)
	@mkdir -p $(@D); $(CC) $(BASE) $(SAN) $(TRUST_INC) -c $< -o $@
$(O)/san/%.o: %.S $(PRELUDE)
	@mkdir -p $(@D); $(CC) -g -I. -MMD -MP -c $< -o $@

comma := ,
tests = $(patsubst %.c,$(O)/%,$(wildcard test/unit/$(1)/*_test.c))
UNIT_LIB     := $(call tests,lib)
UNIT_VERIFY  := $(call tests,verify)
UNIT_CLIENT  := $(call tests,client)
UNIT_ATTESTER := $(call tests,attester)
UNIT_HOST    := $(call tests,host)
UNIT_ENCLAVE := $(call tests,enclave)
UNIT_JS      := $(foreach e,$(ENGINES),$(patsubst %.c,$(O)/%-$(e),$(wildcard test/unit/js/*_test.c)))
TLINK = @mkdir -p $(@D); $(SAY) "LINK $@"; $(CC) $(SAN) -pthread -o $@ -Wl,--start-group $^ -Wl,--end-group
$(UNIT_LIB): $(O)/test/unit/lib/%: $(O)/san/test/unit/lib/%.o $(call A,lib) $(call A,openssl)
	$(TLINK) $(HOST_LIBS)
$(UNIT_VERIFY): $(O)/test/unit/verify/%: $(O)/san/test/unit/verify/%.o $(call A,verify) \
    $(call A,lib) $(call A,openssl)
	$(TLINK) $(HOST_LIBS)
$(O)/test/unit/client/channel_test: private SAN += -Wl,--wrap=clock_gettime
$(UNIT_CLIENT): $(O)/test/unit/client/%: $(O)/san/test/unit/client/%.o $(call A,client) \
    $(call A,verify) $(call A,lib) $(call A,openssl)
	$(TLINK) $(HOST_LIBS) -lssl -lcurl
$(UNIT_ATTESTER): $(O)/test/unit/attester/%: $(O)/san/test/unit/attester/%.o $(call A,attester) \
    $(call A,client) $(call A,verify) $(call A,lib) $(call A,openssl)
	$(TLINK) $(HOST_LIBS) -lssl -lcurl
$(UNIT_HOST): $(O)/test/unit/host/%: $(O)/san/test/unit/host/%.o \
    $(call san,$(wildcard test/fake/enclave.c)) $(call A,host) $(call A,lib) $(call A,openssl)
	$(TLINK) $(DEP)/picohttpparser/lib/asan/libpicohttpparser.a $(HOST_LIBS)
$(O)/test/unit/enclave/receipt_test: $(call san,verify/receipt.c)
# The image's own memcpy and the like, beside those that the sanitizers watch.
$(O)/test/unit/enclave/copy_test: $(O)/san/copy.o
$(O)/san/copy.o: $(O)/trust/enclave/libc/copy.o
	@objcopy --redefine-sym memcpy=own_memcpy --redefine-sym memmove=own_memmove \
	    --redefine-sym memcmp=own_memcmp $< $@
$(O)/test/unit/enclave/fmod_test: $(O)/san/fmod.o
$(O)/san/fmod.o: $(O)/trust/enclave/libc/fmod.o
	@objcopy --redefine-sym fmod=own_fmod $< $@
$(O)/test/unit/enclave/oom_test: private SAN += \
    -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=tf_core_enter
$(UNIT_ENCLAVE): $(O)/test/unit/enclave/%: $(O)/san/test/unit/enclave/%.o \
    $(call san,$(wildcard test/fake/js.c)) $(call A,enclave) $(call A,lib)
	$(TLINK) $(DEP)/wolfssl/lib/native/libwolfssl.a $(call A,enclave) $(call A,lib) \
	    $(DEP)/picohttpparser/lib/asan/libpicohttpparser.a -ljansson -lssl -lcrypto -lm
$(patsubst %,$(O)/test/unit/js/slot_test-%,$(ENGINES)): private SAN += -Wl,--wrap=tf_js_call
$(patsubst %,$(O)/test/unit/js/memory_test-%,$(ENGINES)): private SAN += $(patsubst %,-Wl$(comma)--wrap=tf_arena_%, \
    alloc realloc resize zero_ahead wipe free usable tidy failed)
define js_tests
$(patsubst %.c,$(O)/%-$(1),$(wildcard test/unit/js/*_test.c)): $(O)/test/unit/js/%-$(1): \
    $(O)/san/test/unit/js/%.o $(call san,test/unit/js/fixture.c $(call engine,$(1)) \
    $(JS_SHARED)) $(call A,lib)
	$$(TLINK) $(DEP)/$(1)/lib/asan/lib$(1).a -ljansson -lm
endef
$(foreach e,$(ENGINES),$(eval $(call js_tests,$(e))))
# How long a lambda holds its thread, counted by basic blocks (gcc calls us at each of them).
COUNT := -O1 -D_GNU_SOURCE -fno-omit-frame-pointer
COUNTED := -fsanitize-coverage=trace-pc
counted = $(patsubst %,$(O)/counted/%.o,$(basename $(1)))
UNIT_TURNS := $(ENGINES:%=$(O)/test/unit/turns/turns_test-%)
$(foreach e,$(ENGINES),$(eval $(O)/test/unit/turns/turns_test-$(e): $(call counted,$(call engine,$(e)))))
$(UNIT_TURNS): $(O)/test/unit/turns/turns_test-%: $(call counted,test/unit/turns/turns_test.c test/unit/js/fixture.c \
    $(JS_SHARED) lib/arena.c lib/arena_tidy.c lib/plan.c lib/bytes.c lib/err.c)
	@mkdir -p $(@D); $(SAY) "LINK $@"; $(CC) -o $@ $^ $(DEP)/$*/lib/counted/lib$*.a -ljansson -lm \
	    -Wl,--wrap=memcpy,--wrap=memmove,--wrap=memset,--wrap=memcmp,--wrap=vsnprintf
$(O)/counted/test/%.o: private COUNTED :=
$(O)/counted/%.o: %.c $(BUILT)
	@mkdir -p $(@D); $(CC) $(BASE) $(COUNT) $(COUNTED) $(TRUST_INC) -c $< -o $@
$(O)/counted/%.o: %.S $(PRELUDE)
	@mkdir -p $(@D); $(CC) -g -I. -MMD -MP -c $< -o $@

include test/trace/trace.mk
include test/races/races.mk
include bench/profile/profile.mk

TOOLS := $(patsubst %.c,$(O)/%,$(wildcard test/tools/*.c))
$(TOOLS): $(O)/test/tools/%: $(O)/host/test/tools/%.o $(LIB)
	@mkdir -p $(@D); $(CC) -pie -o $@ $^ $(HOST_LIBS) -lssl -lm
UNIT := $(UNIT_LIB) $(UNIT_VERIFY) $(UNIT_CLIENT) $(UNIT_ATTESTER) $(UNIT_HOST) $(UNIT_ENCLAVE) $(UNIT_JS) $(UNIT_TURNS)

# --- fuzzing: one target a parser of untrusted bytes --------------------------------------
# make fuzz [T=name] [S=seconds each]; corpus and findings stay in $(O)/fuzz/corpus/NAME.
T ?= $(patsubst test/fuzz/%_fuzz.c,%,$(wildcard test/fuzz/*_fuzz.c))
S ?= 60
fuzz_obj     = $(patsubst %.c,$(O)/fuzz/%.o,$(filter %.c,$(1)))
FUZZ_LIB     := $(call fuzz_obj,$(filter-out %_openssl.c,$(wildcard lib/*.c)))
FUZZ_OPENSSL := $(call fuzz_obj,$(wildcard lib/*_openssl.c))
FUZZ_HTTP    := $(call fuzz_obj,$(wildcard enclave/http*.c))
FUZZ_ENCLAVE := $(patsubst $(O)/san/%,$(O)/fuzz/%,$(SAN_ENCLAVE))
F = $(O)/fuzz/lib$(1).a
$(call F,lib): $(FUZZ_LIB) $(FUZZ_OPENSSL) $(FUZZ_HTTP) $(call fuzz_obj,$(wildcard verify/*.c) client/pcs.c host/sni.c host/aesm.c host/helper.c host/link.c host/tsm_table.c)
$(call F,enclave): $(FUZZ_ENCLAVE) $(FUZZ_LIB)
$(O)/fuzz/%.a:
	@rm -f $@; ar rcs $@ $^
$(O)/fuzz/%.o: %.c $(BUILT)
	@mkdir -p $(@D); $(CLANG) $(FUZZ) -MMD -MP $(TRUST_INC) -c $< -o $@
$(O)/fuzz/%.o: %.S
	@mkdir -p $(@D); $(CLANG) -g -I. -MMD -MP -c $< -o $@
FUZZERS := $(patsubst test/fuzz/%.c,$(O)/fuzz/%,$(wildcard test/fuzz/*_fuzz.c))
FLINK = @$(SAY) "LINK $@"; $(CLANG) -fsanitize=address,undefined,fuzzer -o $@ -Wl,--start-group $^ -Wl,--end-group \
        $(DEP)/picohttpparser/lib/asan/libpicohttpparser.a -ljansson -lcrypto
CORE_FUZZERS := $(filter %/core_fuzz %/ring_fuzz,$(FUZZERS))
$(filter-out $(CORE_FUZZERS),$(FUZZERS)): $(O)/fuzz/%_fuzz: $(O)/fuzz/test/fuzz/%_fuzz.o $(call F,lib)
	$(FLINK)
$(CORE_FUZZERS): $(O)/fuzz/%_fuzz: $(O)/fuzz/test/fuzz/%_fuzz.o $(call F,enclave) \
    $(call fuzz_obj,$(wildcard test/fake/js.c))
	$(FLINK) $(DEP)/wolfssl/lib/native/libwolfssl.a $(call F,enclave) -lssl
$(O)/fuzz/seeds: $(O)/fuzz/test/fuzz/seeds.o $(call F,lib)
	$(FLINK:fuzzer=address)
fuzz: $(T:%=$(O)/fuzz/%_fuzz) $(O)/fuzz/seeds ## fuzz every parser: S=seconds each, T=name for one
	@mkdir -p $(O)/fuzz/corpus; $(O)/fuzz/seeds $(O)/fuzz/corpus
	@tools/run-fuzz $(O)/fuzz $(S) $(T)

# The longest come first, so that the end is not one long test.
LONG_UNIT    := $(addprefix $(O)/test/unit/,verify/tlog_test verify/vectors_test enclave/oom_test \
                js/limits_test-duktape lib/sigstruct_test js/steps_test-quickjs)
LONG_STORIES := $(patsubst %,test/e2e/%.sh,attester many attester_kill attester_platform cli) \
                test/attack/spin_test.sh test/attack/boundary_test.sh
STORIES      := $(filter-out test/e2e/lib.sh,$(wildcard test/attack/*.sh test/e2e/*.sh))
check: all try-v8 unit-programs profile-programs $(BENCH_TOOLS) $(TOY_TESTS) $(HW_TESTS) $(RACES) $(O)/toy.img $(O)/boundary_trace $(O)/secret_paths ## every test; the last line is `N passed, N failed`
	@tools/run-tests tools/check-layers 'make -s fuzz S=3' '$(O)/test/attack/driver_test $(O)/toy.img' \
	    $(LONG_UNIT) $(LONG_STORIES) $(TOY_TESTS:%='% $(O)/toy.img') \
	    'TFAAS_BIN=$(O) HWTEST_BACKEND=sim test/hw/hwtest.sh' \
	    'TFAAS_BIN=$(O) HWTEST_BACKEND=port test/hw/hwtest.sh' \
	    $(RACES) 'make -s boundary' 'make -s format-check' 'TFAAS_BIN=$(O) bench/profile.sh check' 'test/unit/js/v8.sh $(O)' $(filter-out $(LONG_STORIES),$(STORIES)) \
	    $(filter-out $(LONG_UNIT),$(UNIT))
unit-programs: $(UNIT) $(TOOLS) $(FAKE_DCAP)
unit: unit-programs ## unit tests only
	@tools/run-tests $(UNIT)
boundary: $(BUILT) ## host memory is reached through boundary.c alone (sparse, clang)
	@TF_TRUST_FLAGS='-std=c11 -I. $(TRUST) $(TRUST_INC)' tools/check-boundary
layers: ## includes stay inside their trust domain, documents name what is there
	@tools/check-layers
	@tools/check-docs
lvi-check: ## both hardened flavours of the images, each through tools/check-image
	@for f in cf full; do $(MAKE) -s LVI=$$f O=$(O)/lvi-$$f measure || exit 1; done
measure: images $(O)/tfaas ## MRENCLAVE of each image
	@for i in $(IMAGES); do $(O)/tfaas image measure $$i; done
# With V8 where `make v8` was.
tcb: images ## lines one has to trust, by engine
	@TF_TRUST_CC='$(CC) -std=c11 -I. $(TRUST) $(TRUST_INC)' TF_NATIVE_CXX='$(CXX) $(filter-out -MMD -MP,$(subst ",,$(CXXFLAGS))) $(NATFLAGS)' \
	    O=$(O) tools/tcb $(TCB_FLAGS) $(ENGINES) $(if $(wildcard $(O)/v8.map),v8)
hwtest: all $(O)/toy.img $(HW_TESTS) $(FAKE_DCAP) ## what a machine with SGX must show (HWTEST_BACKEND=sim: on the simulator)
	@TFAAS_BIN=$(O) test/hw/hwtest.sh
bench: all bench-programs ## beside the alternatives: tables and plots in build/bench/out (BENCH_QUICK=1: shorter)
	@tools/setup bench; bench/run
profile: profile-programs ## where the instructions of an echo request go (callgrind)
	@tools/setup test; TFAAS_BIN=$(O) bench/profile.sh report
check-speed: profile-programs ## instructions of an echo request against bench/history.csv
	@tools/setup test; TFAAS_BIN=$(O) bench/profile.sh check
show-bench: all bench-programs ## the goals of doc/performance.md, each with its figure, by a quick run
	@tools/setup bench; tools/show-bench
libraries: all v8 ## libraries of npm as lambdas, against node (doc/engines.md)
	@TFAAS_LIBRARIES=all test/e2e/libraries.sh
show-spine: all ## what the first lambda through the whole path must show, with figures
	@tools/setup bench; tools/show-spine
show-enclave: all $(TOY_TESTS) $(O)/toy.img unit-programs $(O)/boundary_trace ## what the enclave and its boundary must show, with figures
	@tools/setup bench; tools/show-enclave
show-engines: all v8 unit-programs ## what the engines must show, with figures, the long ones shortened
	@tools/setup bench; tools/show-engines
show-trust: all unit-programs ## what attestation and grants must show, with figures
	@tools/setup test; tools/show-trust
tidy: $(BUILT) ## clang-format, clang-tidy, shellcheck on our code; warnings are errors, five exceptions in the tree
	@tools/setup tidy
	@$(MAKE) -s format-check
	@shellcheck -S warning $$(git ls-files | xargs grep -lE '^#!.*(bash|/sh)')
	@TF_TRUST_FLAGS='-std=c11 -I. $(TRUST) $(TRUST_INC)' \
	    TF_HOST_FLAGS='-std=c11 -I. -D_GNU_SOURCE $(TRUST_INC)' tools/check-tidy
FORMATTED = $$(git ls-files '*.[ch]' | grep -v ^deps/)
format-check: ## whether `make format` would change anything
	@clang-format --dry-run -Werror $(FORMATTED)
format: ## rewrite our sources with clang-format
	@clang-format -i $(FORMATTED)
compile_commands.json: ## for editors (bear)
	@bear -- $(MAKE) -B all
clean: ## remove build output (the dependency cache stays)
	rm -rf $(O)
help: ## this list
	@sed -n 's/^\([a-z0-9_.-]*\):[^#]*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 26
.PHONY: all images programs check libraries profile check-speed unit unit-programs boundary lvi-check layers measure tcb hwtest bench show-spine \
        show-enclave show-engines show-trust tidy \
        format format-check clean help fuzz
.SECONDARY:
-include $(shell find $(O) -name '*.d' 2>/dev/null)
