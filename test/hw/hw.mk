# SPDX-License-Identifier: Apache-2.0
# Tests of the hardware backend that run the toy image. Included by the Makefile after toy.mk.
HW_TESTS := $(O)/test/attack/driver_test $(O)/test/hw/hwtest
$(O)/test/hw/hwtest: $(call host,test/hw/sim_port.c) $(VERIFY)
$(HW_TESTS): $(O)/test/%: $(TOY_HOST) $(LIB) $(O)/host/test/%.o
	@mkdir -p $(@D); $(LINK) $(HOST_LIBS) -lpthread
