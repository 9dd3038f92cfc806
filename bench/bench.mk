# SPDX-License-Identifier: Apache-2.0
# The programs of `make bench`: the floor, a client that counts handshakes, and engines alone,
# ours (as in the image, but native) and stock (bench/stock).
BENCH_TOOLS := $(addprefix $(O)/bench/,floor handshake)
BENCH := $(BENCH_TOOLS) $(addprefix $(O)/bench/,$(foreach e,quickjs duktape,bare-$(e) bare-$(e)-stock))
$(O)/bench/floor: $(O)/host/bench/floor.o
	@mkdir -p $(@D); $(LINK) -lssl -lcrypto
# Upstream's wolfSSL but for one patch, for nothing else is fast enough to keep a server busy.
$(DEP)/.wolfssl-client: deps/lock deps/recipes/wolfssl-client.sh deps/wolfssl-client/user_settings.h \
    deps/patches/wolfssl-client/0001-one-key-share.patch deps/fetch deps/build
	@O=$(O) deps/build wolfssl-client; touch $@
$(O)/host/bench/handshake.o: $(DEP)/.wolfssl-client
$(O)/host/bench/handshake.o: private BASE += -isystem $(DEP)/wolfssl-client/include -DWOLFSSL_USER_SETTINGS
$(O)/bench/handshake: $(O)/host/bench/handshake.o
	@mkdir -p $(@D); $(LINK) $(DEP)/wolfssl-client/lib/native/libwolfssl-client.a
define bare
$(O)/host/bench/bare_$(1).o: private BASE += $$($(1)_INC)
$(O)/bench/bare-$(1): $(O)/host/bench/bare.o $(O)/host/bench/bare_$(1).o $(BUILT)
	@mkdir -p $$(@D); $$(LINK) $(DEP)/$(1)/lib/native/lib$(1).a -lm
$(O)/bench/bare-$(1)-stock: $(O)/host/bench/bare.o $(O)/host/bench/bare_$(1).o bench/stock deps/lock
	@mkdir -p $$(@D); O=$(O) bench/stock $(1) $$(filter %.o,$$^)
endef
$(foreach e,quickjs duktape,$(eval $(call bare,$(e))))
# What cannot be built here is left out of the run, which says so.
bench-programs:
	@$(MAKE) -s -k $(BENCH) || echo "bench: not all of its programs build here"
	@$(MAKE) -s v8 || echo "bench: V8 does not build here"
.PHONY: bench-programs
