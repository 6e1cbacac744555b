# Everything is built here, by one file. `make help` lists the commands.
# SAN=1 builds with AddressSanitizer and UndefinedBehaviorSanitizer into a folder of its own.
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

CC := gcc
B := build/$(if $(SAN),check,release)
SERVICES := portal intake vault residence intermediate records certificates legacy_sync staff audit
DOUBLES := $(basename $(notdir $(filter-out tests/doubles/double.c tests/doubles/double_call.c,$(wildcard tests/doubles/*.c))))
KIT_PROGRAMS := $(basename $(notdir $(wildcard tests/kit/programs/*.c)))

PACKAGES := libpq libevent libevent_pthreads libevent_openssl libprotobuf-c jansson cjose libcbor libargon2 icu-uc icu-i18n libqrencode \
            pangocairo libcurl libzip expat openssl libseccomp
CFLAGS := -std=c11 -D_GNU_SOURCE -g -O2 -fno-omit-frame-pointer -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
          -Wmissing-prototypes -Wvla -Wno-missing-field-initializers -Wno-unused-parameter -pthread \
          -Iservices -Iproto -Itests -I$(B)/proto $(shell pkg-config --cflags $(PACKAGES) p11-kit-1 2>/dev/null)
LDFLAGS := -pthread -Wl,--as-needed
LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lnng -lxlsxwriter -ldl -lm
ifdef SAN
CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=address,undefined
endif

PROTOS := $(wildcard proto/*.proto)
PROTO_OBJS := $(PROTOS:proto/%.proto=$(B)/proto/%.pb-c.o)
CHASSIS_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard services/chassis/*.c))
KIT_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard tests/kit/*.c))
LEAKS_OBJS := $(patsubst %.c,$(B)/%.o,$(filter-out tests/leaks/leaks.c,$(wildcard tests/leaks/*.c)))
BINS := $(SERVICES:%=$(B)/bin/shikaku-%) $(B)/bin/shikaku-keyhelper $(B)/bin/shikakuctl $(B)/bin/shikaku-audit-verify
TEST_BINS := $(DOUBLES:%=$(B)/bin/double-%) $(KIT_PROGRAMS:%=$(B)/bin/kit-%)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/*.c))
STORE_TESTS := $(patsubst tests/store/%.c,$(B)/tests/store/%,$(wildcard tests/store/*.c))
BENCHES := $(patsubst %.c,$(B)/%,$(wildcard tests/bench/*.c))
FLOW_TESTS := $(patsubst tests/flow/%.c,$(B)/tests/flow/%,$(wildcard tests/flow/*.c))

service_objs = $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,$(wildcard services/$(1)/*.c)))
SERVICE_LIBS := $(SERVICES:%=$(B)/lib/lib%.a) $(B)/lib/libshikakuctl.a $(B)/lib/libaudit_verify.a

build: $(BINS) $(TEST_BINS) ## build every service, the operator's command, the stand-ins and the test kit

$(B)/proto/%.pb-c.c $(B)/proto/%.pb-c.h: proto/%.proto
	@mkdir -p $(@D)
	protoc-c -Iproto --c_out=$(B)/proto $<
.PRECIOUS: $(B)/proto/%.pb-c.c $(B)/proto/%.pb-c.h
PROTO_HEADERS := $(PROTOS:proto/%.proto=$(B)/proto/%.pb-c.h)

$(B)/proto/%.pb-c.o: $(B)/proto/%.pb-c.c | $(PROTO_HEADERS)
	$(CC) $(CFLAGS) -w -c -o $@ $<
$(B)/%.o: %.c | $(PROTO_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<
-include $(shell find $(B) -name '*.d' 2>/dev/null)

$(B)/lib/libproto.a: $(PROTO_OBJS)
$(B)/lib/libchassis.a: $(CHASSIS_OBJS)
$(B)/lib/libkit.a: $(KIT_OBJS)
$(B)/lib/libleaks.a: $(LEAKS_OBJS)
define service_rules
$(B)/lib/lib$(1).a: $(call service_objs,$(1))
$(B)/bin/shikaku-$(1): $(B)/services/$(1)/main.o $(B)/lib/lib$(1).a $(B)/lib/libchassis.a $(B)/lib/libproto.a
endef
$(foreach s,$(SERVICES),$(eval $(call service_rules,$(s))))
$(B)/lib/libshikakuctl.a: $(call service_objs,shikakuctl)
$(B)/bin/shikakuctl: $(B)/services/shikakuctl/main.o $(B)/lib/libshikakuctl.a $(B)/lib/libchassis.a $(B)/lib/libproto.a
$(B)/lib/libaudit_verify.a: $(call service_objs,audit_verify)
$(B)/bin/shikaku-audit-verify: $(B)/services/audit_verify/main.o $(B)/lib/libaudit_verify.a
$(B)/bin/shikaku-keyhelper: $(patsubst %.c,$(B)/%.o,$(wildcard services/keyhelper/*.c)) $(B)/lib/libchassis.a $(B)/lib/libproto.a
$(DOUBLES:%=$(B)/bin/double-%): $(B)/bin/double-%: $(B)/tests/doubles/%.o $(B)/tests/doubles/double.o $(B)/tests/doubles/double_call.o $(B)/lib/libkit.a $(B)/lib/libchassis.a $(B)/lib/libproto.a
$(KIT_PROGRAMS:%=$(B)/bin/kit-%): $(B)/bin/kit-%: $(B)/tests/kit/programs/%.o $(B)/lib/libkit.a $(B)/lib/libchassis.a $(B)/lib/libproto.a
$(B)/lib/libtrap.so: tests/kit/preload/trap.c tests/kit/preload/trap.h # by LD_PRELOAD; without sanitizers, whatever it meets
	@mkdir -p $(@D)
	$(CC) $(filter-out -fsanitize=% -fno-sanitize%,$(CFLAGS)) -shared -fPIC -o $@ $< -ldl
TEST_LIBS := $(B)/lib/libleaks.a $(B)/lib/libkit.a $(SERVICE_LIBS) $(B)/lib/libchassis.a $(B)/lib/libproto.a
$(B)/tests/store/vault_killed: | $(B)/lib/libtrap.so
$(UNIT_TESTS) $(STORE_TESTS) $(FLOW_TESTS): $(B)/%: $(B)/%.o $(TEST_LIBS)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(TEST_LIBS) -Wl,--end-group $(LIBS) -lcheck -lsubunit -lrt -lz -lm

$(BENCHES): $(B)/%: $(B)/%.o $(B)/lib/libkit.a $(B)/lib/libvault.a $(B)/lib/libaudit.a $(B)/lib/libchassis.a $(B)/lib/libproto.a
	$(CC) $(LDFLAGS) -o $@ -Wl,--start-group $^ -Wl,--end-group $(LIBS)

$(B)/lib/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	ar rcs $@ $^
$(B)/bin/%:
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ -Wl,--start-group $^ -Wl,--end-group $(LIBS)

# These install what is missing and then read this file again, so that what it asks of the machine is answered.
demo: ## install, build, start all, send one application of each programme the whole way, stop
	@deploy/setup
	@$(MAKE) --no-print-directory -j$(shell nproc) build
	@deploy/demo

run: ## the same stack, staying up until Ctrl-C
	@deploy/setup
	@$(MAKE) --no-print-directory -j$(shell nproc) build
	@deploy/stack run

check-programs: $(BINS) $(TEST_BINS) $(UNIT_TESTS) $(STORE_TESTS) $(FLOW_TESTS)

test: ## build all with sanitizers and run every test; the last line is `N passed, N failed`
	@deploy/setup
	@$(MAKE) --no-print-directory -j$(shell nproc) SAN=1 check-programs || { echo '0 passed, 1 failed (it does not build)'; exit 1; }
	@tests/run

lint: ## hold the sources against the rules of tests/rules
	@tests/rules/run

# gcc's own analysis, a file at a time; what was found clean is not looked at again.
ANALYZED := $(patsubst %.c,build/analyzer/%.ok,$(wildcard services/*/*.c))
build/analyzer/%.ok: %.c | $(PROTO_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(filter-out -O2,$(CFLAGS)) -O1 -fanalyzer $(ANALYZER_FLAGS) -MMD -MP -MF $(@:.ok=.d) -MT $@ -c -o /dev/null $<
	@touch $@
-include $(shell find build/analyzer -name '*.d' 2>/dev/null)
# It does not know that pthread_setspecific keeps what it is given.
build/analyzer/services/chassis/outside.ok: ANALYZER_FLAGS := -Wno-analyzer-malloc-leak
analyze: $(ANALYZED)

# What is planted is looked for wherever it may lie (tests/leaks/README.md). SHIKAKU_LEAK_PEOPLE=60 for a quick run.
$(B)/tests/leaks/leaks: $(B)/tests/leaks/leaks.o $(B)/lib/libleaks.a $(B)/lib/libkit.a $(B)/lib/libchassis.a $(B)/lib/libproto.a
	$(CC) $(LDFLAGS) -o $@ -Wl,--start-group $^ -Wl,--end-group $(LIBS) -lz
leaks-programs: $(BINS) $(TEST_BINS) $(B)/tests/leaks/leaks

leaks: ## look for planted numbers, names and addresses wherever they may lie
	@deploy/setup
	@$(MAKE) --no-print-directory -s -j$(shell nproc) leaks-programs
	@$(B)/tests/leaks/leaks

# libFuzzer needs clang, and code that it can see into: services, protocol and target are built for it. FUZZ_SECONDS each.
FUZZ_SECONDS := 20
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*.c))
FUZZ_CFLAGS := $(filter-out -O2,$(CFLAGS)) -O1 -Ibuild/release/proto -fsanitize=fuzzer-no-link,address,undefined \
               -fno-sanitize-recover=undefined -Wno-error -Wno-unknown-warning-option
FUZZ_OBJS := $(patsubst %.c,build/fuzz/%.o,$(filter-out %/main.c,$(wildcard services/*/*.c)) $(wildcard tests/kit/*.c)) \
             $(PROTOS:proto/%.proto=build/fuzz/proto/%.pb-c.o)
build/fuzz/%.o: %.c | $(PROTO_HEADERS)
	@mkdir -p $(@D)
	clang-14 $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<
build/fuzz/proto/%.pb-c.o: $(B)/proto/%.pb-c.c | $(PROTO_HEADERS)
	@mkdir -p $(@D)
	clang-14 $(FUZZ_CFLAGS) -w -c -o $@ $<
build/fuzz/libfuzzed.a: $(FUZZ_OBJS)
	@rm -f $@
	ar rcs $@ $^
$(FUZZ_TARGETS): build/fuzz/%: build/fuzz/tests/fuzz/%.o build/fuzz/libfuzzed.a
	clang-14 $(LDFLAGS) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS)
-include $(shell find build/fuzz -name '*.d' 2>/dev/null)
fuzz-programs: $(FUZZ_TARGETS)

fuzz: ## feed each decoder with junk for FUZZ_SECONDS=20
	@$(MAKE) --no-print-directory -s -j$(shell nproc) fuzz-programs
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run

# A failing run prints its seed: SHIKAKU_HISTORY_SEED=… plays it again.
histories: ## random histories of persons in the vault against a model, HISTORY_STEPS=20000
	@$(MAKE) --no-print-directory -s -j$(shell nproc) SAN=1 build build/check/tests/store/vault_histories
	@SHIKAKU_HISTORY_STEPS=$(or $(HISTORY_STEPS),20000) LSAN_OPTIONS=suppressions=$(CURDIR)/tests/leaks.txt:print_suppressions=0 \
	    build/check/tests/store/vault_histories

storm: ## 200 kills while 500 applications travel: STORM_KILLS, STORM_APPLICATIONS, STORM_TRAVELLERS=5
	@$(MAKE) --no-print-directory -s -j$(shell nproc) build $(B)/tests/flow/crash
	@FLOW_SECONDS=10800 STORM_TRAVELLERS=$(STORM_TRAVELLERS) STORM_KILLS=$(or $(STORM_KILLS),200) STORM_APPLICATIONS=$(or $(STORM_APPLICATIONS),500) tests/run --release flow/crash

test-containers: ## the stack in containers: networks, replicas, restarts, partitions (needs a container engine)
	@deploy/setup containers
	@$(MAKE) --no-print-directory -j$(shell nproc) build
	@tests/containers/run

bench: ## every figure beside its bound, all in one run, as one table
	@deploy/setup
	@$(MAKE) --no-print-directory -j$(shell nproc) build bench-programs
	@tests/bench/run

bench-programs: $(BENCHES)

clean: ## stop what runs and remove everything that was built or made
	deploy/stack stop
	deploy/cluster remove
	SHIKAKU_VAR=$(CURDIR)/build/store deploy/cluster remove
	rm -rf build var

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: storm test-containers build demo run check-programs test histories leaks leaks-programs bench bench-programs lint analyze fuzz fuzz-programs clean help
