# SPDX-License-Identifier: Apache-2.0
# The fake world with DCAP (test/dcap/world.h). Included by the Makefile after toy.mk.
FAKE_DCAP := $(O)/test/dcap/fake_dcap
$(FAKE_DCAP): $(call host,$(wildcard test/dcap/*.c)) $(filter-out %/toy_host.o,$(TOY_HOST)) $(VERIFY) $(LIB)
	@mkdir -p $(@D); $(LINK) $(HOST_LIBS) -lpthread
