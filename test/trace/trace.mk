# SPDX-License-Identifier: Apache-2.0
# The core with its own boundary.c in an ordinary process, to be watched by valgrind
# (test/attack/boundary_test.sh), and its cryptography likewise (secret_paths_test.sh).
# Included by the Makefile; uses its lists.
TRACE := -O1 -fno-pie -D_GNU_SOURCE
trace = $(patsubst %,$(O)/traced/%.o,$(basename $(1)))
TRACED := $(patsubst $(O)/san/%,$(O)/traced/%,$(filter-out %/test/native/boundary.o \
          %/test/native/channel.o %/test/native/fiber.o,$(SAN_ENCLAVE) $(SAN_LIB))) \
          $(call trace,enclave/boundary.c enclave/fiber.c)

$(O)/boundary_trace: $(call trace,test/trace/boundary_trace.c test/fake/js.c) $(O)/traced/core.a
	@echo "LINK $@"; $(CC) -no-pie -Wl,-z,lazy -Wl,--wrap=tf_host_write -Wl,--wrap=tf_core_enter,--wrap=tf_fiber_wipe -o $@ \
	    -Wl,--start-group $^ $(DEP)/wolfssl/lib/native/libwolfssl.a -Wl,--end-group \
	    $(DEP)/picohttpparser/lib/traced/libpicohttpparser.a -ljansson -lssl -lcrypto -lm
$(O)/secret_paths: $(call trace,test/trace/secret_paths.c) $(O)/traced/core.a
	@echo "LINK $@"; $(CC) -no-pie -o $@ -Wl,--start-group $^ $(DEP)/wolfssl/lib/native/libwolfssl.a -Wl,--end-group \
	    $(DEP)/picohttpparser/lib/traced/libpicohttpparser.a -ljansson -lssl -lcrypto -lm
$(O)/traced/core.a: $(TRACED)
	@rm -f $@; ar rcs $@ $^
$(O)/traced/%.o: %.c $(BUILT)
	@mkdir -p $(@D); $(CC) $(BASE) $(TRACE) $(TRUST_INC) -c $< -o $@
$(O)/traced/%.o: %.S $(PRELUDE)
	@mkdir -p $(@D); $(CC) -g -I. -MMD -MP -c $< -o $@
