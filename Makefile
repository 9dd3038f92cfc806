# The folder decides the flags: abi/ lib/ enclave/ are built as trusted code for the image;
# lib/ host/ verify/ cli/ as ordinary code; the same sources once more with sanitizers for
# test/. `make help` lists the targets. Dependencies come from deps/build (see deps/lock).
O       ?= build
CC      := gcc
CLANG   := clang
ENGINES := quickjs duktape
DEP     := $(O)/deps
MUSL    := /usr/include/x86_64-linux-musl
# libgcc: 128-bit division, for QuickJS.
LIBC    := /usr/lib/x86_64-linux-musl/libc.a $(shell $(CC) -print-libgcc-file-name)
GCCINC  := $(shell $(CC) -print-file-name=include)

WARN   := -Wall -Wextra -Werror -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wvla \
          -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wcast-align -Wwrite-strings \
          -Wundef -Wformat=2 -Wswitch-enum -Wnull-dereference -Wimplicit-fallthrough
BASE   := -std=c11 -g -I. -MMD -MP -ffile-prefix-map=$(CURDIR)=. $(WARN)
TRUST  := -O2 -fPIE -ffreestanding -fvisibility=hidden -fno-plt -fstack-protector-strong \
          -fstack-clash-protection -fcf-protection=full -ffunction-sections -fdata-sections \
          -fno-asynchronous-unwind-tables -march=x86-64-v2 -nostdinc -isystem $(GCCINC) \
          -isystem $(MUSL)
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
jansson_INC        := -isystem $(DEP)/jansson/include
picohttpparser_INC := -isystem $(DEP)/picohttpparser/include
TRUST_INC := $(wolfssl_INC) $(jansson_INC) $(picohttpparser_INC) $(quickjs_INC) $(duktape_INC)
HOST_LIBS := -ljansson -lcrypto
BUILT     := $(DEP)/.built

all: images programs ## build the enclave images and the programs

$(BUILT): deps/lock deps/fetch deps/build $(wildcard deps/*.sh deps/recipes/* deps/patches/*/* deps/*/*.[ch])
	@O=$(O) deps/build
	@touch $@

# --- the enclave images, one per engine -------------------------------------------------
trust = $(patsubst %,$(O)/trust/%.o,$(basename $(1)))
CORE  := $(call trust,$(filter-out lib/%_openssl.c,$(wildcard lib/*.c)) \
         $(filter-out enclave/layout.c,$(wildcard enclave/*.c enclave/*.S)) \
         $(wildcard enclave/libc/*.c) enclave/js/slot.c enclave/js/text.c \
         enclave/js/prelude.S)
IMAGES := $(ENGINES:%=$(O)/%.img)
IMAGE_LD := -nostdlib -static-pie -Wl,-T,enclave/image.lds -z norelro -z noexecstack \
            -z separate-code -Wl,--build-id=none -Wl,--gc-sections -Wl,-z,max-page-size=4096
images: $(IMAGES)
$(O)/%.img: $(CORE) $(O)/trust/enclave/js/%.o $(O)/trust/enclave/layout-%.o \
            enclave/image.lds tools/check-image $(BUILT)
	@echo "LINK $@"; $(CC) $(IMAGE_LD) -Wl,-Map=$(O)/$*.map -o $@ $(filter %.o,$^) \
	    -Wl,--start-group $(DEP)/$*/lib/lib$*.a $(DEP)/wolfssl/lib/libwolfssl.a \
	    $(DEP)/jansson/lib/libjansson.a $(DEP)/picohttpparser/lib/libpicohttpparser.a \
	    $(LIBC) -Wl,--end-group
	@tools/check-image $@
$(O)/trust/enclave/layout-%.o: enclave/layout.c $(BUILT)
	@mkdir -p $(@D); $(CC) $(BASE) $(TRUST) -DTF_ENGINE='"$*"' -c $< -o $@
$(O)/trust/%.o: %.c $(BUILT)
	@mkdir -p $(@D); echo "CC(trust) $<"; $(CC) $(BASE) $(TRUST) $(TRUST_INC) -c $< -o $@
$(O)/trust/%.o: %.S $(wildcard enclave/js/prelude/*.js)
	@mkdir -p $(@D); $(CC) -g -I. $(TRUST) -MMD -MP -c $< -o $@

# --- programs of the untrusted host and of the relying party ----------------------------
host = $(patsubst %.c,$(O)/host/%.o,$(filter %.c,$(1))) \
       $(patsubst %.S,$(O)/host/%.o,$(filter %.S,$(1)))
LIB     := $(call host,$(wildcard lib/*.c))
WORKER  := $(call host,host/link.c host/ring.c $(wildcard host/worker_*.c host/load*.c \
           host/enclave_*.c host/sim_*.c host/sim_*.S))
DAEMON  := $(filter-out $(filter-out %/link.o,$(WORKER)),$(call host,$(wildcard host/*.c)))
VERIFY  := $(call host,$(wildcard verify/*.c))
PROGRAMS := $(O)/tfaasd $(O)/tfaas-worker $(O)/tfaas
programs: $(PROGRAMS)
LINK = echo "LINK $@"; $(CC) -pie -Wl,-z,relro,-z,now -o $@ $(filter %.o,$^)
$(O)/tfaasd: $(DAEMON) $(LIB) $(BUILT)
	@$(LINK) $(DEP)/picohttpparser/lib/native/libpicohttpparser.a $(HOST_LIBS)
$(O)/tfaas-worker: $(WORKER) $(LIB)
	@$(LINK) $(HOST_LIBS) -lpthread
$(O)/tfaas: $(call host,$(wildcard cli/*.c)) $(VERIFY) $(LIB)
	@$(LINK) $(HOST_LIBS) -lssl -lcurl
$(O)/host/%.o: %.c | $(BUILT)
	@mkdir -p $(@D); echo "CC(host) $<"; $(CC) $(BASE) $(HARDEN) $(picohttpparser_INC) -c $< -o $@
$(O)/host/%.o: %.S
	@mkdir -p $(@D); $(CC) -g -I. -MMD -MP -c $< -o $@
