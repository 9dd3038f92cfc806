# SPDX-License-Identifier: Apache-2.0
# Tests of the hardware backend that run the toy image. Included by the Makefile after toy.mk.
HW_TESTS := $(O)/test/attack/driver_test $(O)/test/hw/hwtest $(O)/test/hw/fake_aesm
$(O)/test/hw/hwtest: $(call host,test/hw/sim_port.c host/aesm.c) $(VERIFY)
$(O)/test/hw/fake_aesm: $(VERIFY)
$(HW_TESTS): $(O)/test/%: $(call host,test/toy/toy_host.c host/load.c \
             $(wildcard host/enclave_*.c host/sgx_*.[cS] host/sim_*.[cS])) $(LIB) \
             $(O)/host/test/%.o
	@mkdir -p $(@D); $(LINK) $(HOST_LIBS) -lpthread
