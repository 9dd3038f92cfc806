# SPDX-License-Identifier: Apache-2.0
# Two threads of the core under the thread sanitizer. Included by the Makefile; uses its lists.
TSAN := -O1 -fno-omit-frame-pointer -fsanitize=thread -D_GNU_SOURCE
tsan = $(patsubst $(O)/san/%,$(O)/tsan/%,$(1))
RACES := $(O)/test/races/races_test

$(RACES): $(call tsan,$(call san,test/races/races_test.c test/races/shared.c test/fake/js.c)) \
    $(O)/tsan/core.a
	@mkdir -p $(@D); $(SAY) "LINK $@"; $(CC) $(TSAN) -pthread -o $@ $^ \
	    $(DEP)/wolfssl/lib/native/libwolfssl.a $(O)/tsan/core.a \
	    $(DEP)/picohttpparser/lib/native/libpicohttpparser.a -ljansson -lssl -lcrypto -lm
$(O)/tsan/core.a: $(call tsan,$(filter-out %/test/native/shared.o %/test/native/fiber.o,$(SAN_ENCLAVE)) $(SAN_LIB))
	@rm -f $@; ar rcs $@ $^
$(O)/tsan/%.o: %.c $(BUILT)
	@mkdir -p $(@D); $(CC) $(BASE) $(TSAN) $(TRUST_INC) -c $< -o $@
$(O)/tsan/%.o: %.S
	@mkdir -p $(@D); $(CC) -g -I. -MMD -MP -c $< -o $@
races: $(RACES) ## two threads of the core at once, under the thread sanitizer (TFAAS_RACES: turns)
	@tools/run-tests $(RACES)
.PHONY: races
