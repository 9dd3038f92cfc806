# SPDX-License-Identifier: Apache-2.0
# The toy image and the tests that run it. Included by the Makefile; uses its rules.
TOY_TESTS := $(patsubst %,$(O)/test/attack/%_test,\
             accept driver_sim enclave entry keys launch lives misuse misuse_launch)

TOY := $(call trust,enclave/gate.S enclave/entry.c enclave/boundary.c enclave/ring.c \
       enclave/heap.c enclave/shared.c enclave/panic.c enclave/clock.c enclave/enclu.c \
       enclave/libc/stop.c lib/arena.c lib/plan.c test/toy/core.c) $(O)/trust/enclave/layout-toy.o

$(O)/toy.img: $(TOY) $(call trust,test/toy/blind.c) enclave/image.lds
	@$(SAY) "LINK $@"; $(CC) $(IMAGE_LD) -o $@ $(filter %.o,$^) $(LIBC)
# The same, and it keeps the registers that C was called with.
$(O)/watch.img: $(TOY) $(call trust,test/toy/snapshot.S) enclave/image.lds
	@$(SAY) "LINK $@"; $(CC) $(IMAGE_LD) -Wl,--wrap=tf_entry_work -o $@ $(filter %.o,$^) $(LIBC)

# The loader with all its backends, as the worker has it.
TOY_HOST := $(call host,test/toy/toy_host.c host/load.c host/evidence.c host/aesm.c \
            host/helper.c host/link.c host/log.c host/sandbox.c \
            $(wildcard host/enclave_*.c host/sgx_*.[cS] host/sim_*.[cS]))
$(TOY_TESTS): $(O)/test/attack/%: $(TOY_HOST) $(LIB) $(O)/host/test/attack/%.o | $(O)/watch.img
	@mkdir -p $(@D); $(LINK) $(HOST_LIBS) -lpthread
$(O)/test/attack/driver_sim_test: $(call host,test/toy/sim_vdso.S)

$(O)/bench/transitions: $(TOY_HOST) $(LIB) $(O)/host/bench/transitions.o
	@mkdir -p $(@D); $(LINK) $(HOST_LIBS) -lpthread
transitions: all $(O)/bench/transitions $(O)/toy.img ## cycles of a transition; EENTERs a request
	@$(O)/bench/transitions $(O)/toy.img
	@TFAAS_BIN=$(O) bench/entries.sh
deaths: $(TOY_TESTS) $(O)/toy.img all ## 1000 first-entry races; 100 deaths beside a neighbour
	@TF_RACES=1000 $(O)/test/attack/lives_test $(O)/toy.img
	@TF_DEATHS=100 TFAAS_BIN=$(O) test/e2e/crash.sh
.PHONY: transitions deaths
