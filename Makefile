# switchproof -- every task a person runs. `make help` lists them.
BUILD    ?= build
PREFIX   ?= /usr/local
CC       ?= cc
WERROR   ?= $(if $(CI),1,0)
SANITIZE ?=
COVERAGE ?= 0
JOBS     ?= $(shell nproc 2>/dev/null || echo 1)

# Client libraries can be left out: make WITH_<KIND>=0. `switchproof list providers` says what was built in.
KINDS    := $(sort $(notdir $(patsubst %/,%,$(dir $(wildcard providers/*/provider.mk)))))
upper     = $(shell echo $(1) | tr a-z A-Z)
# WITH_HTTP=0 leaves out libcurl and with it every kind whose provider.mk says `NEEDS_HTTP := 1`.
WITH_HTTP ?= 1
HTTP_KINDS := $(if $(filter 0,$(WITH_HTTP)),$(notdir $(patsubst %/,%,$(dir $(shell grep -l '^NEEDS_HTTP' providers/*/provider.mk)))))
ENABLED  := $(foreach k,$(filter-out $(HTTP_KINDS),$(KINDS)),$(if $(filter 0,$(WITH_$(call upper,$(k)))),,$(k)))
LIBS     := lib lib/json lib/pg lib/sign $(if $(filter 0,$(WITH_HTTP)),,lib/http)

PKGS     := yaml-0.1 jansson libxxhash libcrypto sqlite3 libutf8proc $(if $(filter 0,$(WITH_HTTP)),,libcurl)
include $(foreach k,$(ENABLED),providers/$(k)/provider.mk)
PKGS     := $(sort $(PKGS))

WARN     := -Wall -Wextra -Wshadow -Wconversion -Wvla $(if $(filter 1,$(WERROR)),-Werror)
OPT      ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Iharness -I. \
            $(foreach k,$(KINDS),-DSP_WITH_$(call upper,$(k))=$(if $(filter $(k),$(ENABLED)),1,0))
CFLAGS   += -std=c11 $(OPT) $(WARN) -fno-strict-overflow -fstack-protector-strong -pthread
LDFLAGS  += -pthread
ifneq ($(SANITIZE),)
CFLAGS   += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all
LDFLAGS  += -fsanitize=$(SANITIZE)
endif
ifeq ($(COVERAGE),1)
CFLAGS   += --coverage
LDFLAGS  += --coverage
endif
# Warnings are for our own code: the libraries' headers are the system's.
PKG_CFLAGS = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS) 2>/dev/null))
# Only what a program uses: libmongoc, for one, writes to shared memory as soon as it is loaded.
PKG_LIBS   = -Wl,--as-needed $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm

# libcore.a: the harness without main and without the registries.
CORE_SRC := $(filter-out harness/main.c harness/registry.c,$(wildcard harness/*.c harness/*/*.c))
APP_SRC  := $(wildcard harness/registry.c) $(foreach k,$(ENABLED) $(LIBS),$(wildcard providers/$(k)/*.c)) \
            $(wildcard suites/*.c suites/*/*.c reports/*.c fixtures/*.c)
obj       = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

# Without its main file there is no program yet, only the libraries.
all: $(if $(wildcard harness/main.c),$(BUILD)/switchproof,$(BUILD)/libcore.a) ## build build/switchproof (default)

$(BUILD)/switchproof: $(call obj,harness/main.c) $(BUILD)/libapp.a $(BUILD)/libcore.a
	@echo "  LD    $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/libcore.a: $(call obj,$(CORE_SRC))
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/libapp.a: $(call obj,$(APP_SRC))
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(dir $@)
	@echo "  CC    $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) $(PKG_CFLAGS) -MMD -MP -c -o $@ $<

# Other flags, another build: objects depend on the text of the command.
FLAGS_TEXT := $(CC) $(CPPFLAGS) $(CFLAGS) $(ENABLED)
$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD)
	@echo '$(FLAGS_TEXT)' | cmp -s - $@ || echo '$(FLAGS_TEXT)' > $@
FORCE:

# --- tests: one cmocka program per file; ci/tests/unit links libcore alone, ci/tests/provider the whole program -------
UNIT_SRC  := $(wildcard ci/tests/unit/test_*.c)
PROV_SRC  := $(wildcard ci/tests/provider/test_*.c)
UNIT_BIN  := $(patsubst ci/tests/unit/%.c,$(BUILD)/tests/unit/%,$(UNIT_SRC))
PROV_BIN  := $(patsubst ci/tests/provider/%.c,$(BUILD)/tests/provider/%,$(PROV_SRC))

$(UNIT_BIN): $(BUILD)/tests/unit/%: $(BUILD)/obj/ci/tests/unit/%.o $(BUILD)/libcore.a
	@mkdir -p $(dir $@)
	@$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka

$(PROV_BIN): $(BUILD)/tests/provider/%: $(BUILD)/obj/ci/tests/provider/%.o $(BUILD)/libapp.a $(BUILD)/libcore.a
	@mkdir -p $(dir $@)
	@$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(BUILD)/libapp.a $(BUILD)/libcore.a -Wl,--end-group $(PKG_LIBS) -lcmocka -lssl

# Small programs that tests and benchmarks use.
TOOL_BIN  := $(patsubst ci/tests/tools/%.c,$(BUILD)/tools/%,$(wildcard ci/tests/tools/*.c))
$(TOOL_BIN): $(BUILD)/tools/%: $(BUILD)/obj/ci/tests/tools/%.o $(BUILD)/libapp.a $(BUILD)/libcore.a
	@mkdir -p $(dir $@)
	@$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(BUILD)/libapp.a $(BUILD)/libcore.a -Wl,--end-group $(PKG_LIBS) $(shell pkg-config --libs libxml-2.0 2>/dev/null)
$(BUILD)/obj/ci/tests/tools/%.o: PKGS += libxml-2.0

# The kill matrix links the whole program; a program's further parts stand in a folder of its name.
KILL_BIN  := $(patsubst ci/tests/kill/%.c,$(BUILD)/tools/%,$(wildcard ci/tests/kill/*.c))
$(BUILD)/tools/corruptions: $(call obj,$(wildcard ci/tests/kill/corruptions/*.c))
$(BUILD)/tools/pg_corruptions: $(call obj,$(wildcard ci/tests/kill/pg_corruptions/*.c) \
    ci/tests/kill/corruptions/judge.c ci/tests/kill/corruptions/plant.c)
$(BUILD)/tools/props $(BUILD)/tools/faults: $(call obj,$(wildcard ci/tests/kill/props/*.c))
$(KILL_BIN): $(BUILD)/tools/%: $(BUILD)/obj/ci/tests/kill/%.o $(BUILD)/libapp.a $(BUILD)/libcore.a
	@mkdir -p $(dir $@)
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(BUILD)/libapp.a $(BUILD)/libcore.a -Wl,--end-group $(PKG_LIBS)

tests: $(KILL_BIN) $(TOOL_BIN) $(UNIT_BIN) $(PROV_BIN)

# --- what people and pipelines run ----------------------------------------------------------------------------
deps: ## install what is missing to build and test (apt; says what and why first)
	@ci/deps build check servers

demo: ## set-up, build, then the main job on the embedded providers; ends by naming the report
	@ci/deps build
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@ci/demo $(BUILD)

check: ## set-up, build, all tests; ends in "N passed, N failed, N skipped"
	@ci/deps build check servers
	@$(MAKE) --no-print-directory -j$(JOBS) all tests
	@ci/check $(CHECK_FLAGS) $(BUILD)

coverage: ## line coverage of harness/ and providers/ (build/coverage/index.html)
	@ci/deps build check servers coverage
	@ci/coverage $(BUILD)

bench: ## the ratios of README's table, measured here and now
	@ci/deps build check servers bench
	@$(MAKE) --no-print-directory -j$(JOBS) all $(BUILD)/tools/bench $(BUILD)/tools/bench_pg $(BUILD)/tools/bench_rest $(BUILD)/tools/bench_peers
	@ci/bench $(BUILD)

asan: ## build with ASan and UBSan into build/asan
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan SANITIZE=address,undefined OPT="-O1 -g1" -j$(JOBS) all tests

lint: ## formatting, banned functions, shell scripts, clang without warnings
	@ci/deps build check lint
	@ci/lint
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/clang CC=clang OPT=-O0 WERROR=1 -j$(JOBS) all tests

fmt: ## format the tree
	clang-format -i $(shell git ls-files '*.c' '*.h')

up: ## a stack of real servers in containers, waits until healthy: make up PROFILE=postgres|mongo|supabase
	@ci/compose up $(PROFILE)

down: ## stop and remove the stacks of `make up`
	@ci/compose down

install: all ## install build/switchproof into PREFIX/bin (default /usr/local)
	install -D -m 0755 $(BUILD)/switchproof $(DESTDIR)$(PREFIX)/bin/switchproof

clean: ## remove everything that was built
	rm -rf $(BUILD)

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: all tests deps demo check coverage bench asan lint fmt up down install clean help FORCE
.SECONDARY:

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
