# motorpool - build, run, test. `make run` and `make test` are all a newcomer needs; `make help` lists the rest.
#
# BUILD=dir    where everything generated goes (default build; tests use build/asan)
# SAN=1        with AddressSanitizer and UndefinedBehaviorSanitizer
# FAULTS=1     with the fault switches that tests/fault uses; included in SAN=1, never in a release
# V=1          shows each command
# PORT=, VAR=  the port and the state directory of `make run`

MAKEFLAGS += --no-print-directory
PORT  ?= 8080
VAR   ?= var
BUILD ?= build
SAN   ?=
FAULTS ?= $(SAN)

CC     ?= cc
V      ?=
Q      := $(if $(V),,@)
CFLAGS ?= -O2 -g
WARN   := -Wall -Wextra -Wshadow -Wswitch-enum -Wno-format-truncation -Werror
override CFLAGS += -I. -std=gnu11 $(WARN) -fno-omit-frame-pointer -D_GNU_SOURCE -D_FORTIFY_SOURCE=2
LDFLAGS += -Wl,-z,relro,-z,now
ifneq ($(SAN),)
override CFLAGS := $(filter-out -D_FORTIFY_SOURCE=2,$(CFLAGS)) -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=address,undefined
endif

ifneq ($(FAULTS),)
override CFLAGS += -DMOTORPOOL_FAULTS
endif

LIBS      := -lfcgi -lsqlite3 -lsodium -ljansson -lpthread -lm
CURL_LIBS := -lcurl

# --- programs and files ---------------------------------------------------------------------------------------------
# A context is a folder with a main.c; its rules are every file that is neither main.c nor pages*.c.
CONTEXTS := $(patsubst cgi-bin/%/main.c,%,$(wildcard cgi-bin/*/main.c))
rules     = $(filter-out cgi-bin/$(1)/main.c $(wildcard cgi-bin/$(1)/pages*.c),$(wildcard cgi-bin/$(1)/*.c))
obj       = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

LIB_OBJ     := $(call obj,$(wildcard lib/*/*.c) $(wildcard domain/*.c))
CLI         := $(wildcard cli/*.c cli/*/*.c)
LIB         := $(BUILD)/libmotorpool.a
PROGRAMS    := $(CONTEXTS:%=$(BUILD)/bin/%)
RULES       := $(foreach c,$(filter-out sandbox,$(CONTEXTS)),$(call rules,$(c)))
# the translations of a language: the header in motorpool.po, then one file per program
MO          := $(patsubst locale/%/motorpool.po,$(BUILD)/locale/%/LC_MESSAGES/motorpool.mo,$(wildcard locale/*/motorpool.po))

.PHONY: all
all: $(PROGRAMS) $(BUILD)/bin/fleet-photo $(BUILD)/bin/relay $(BUILD)/motorpool $(MO)
	@:

.PHONY: help
help:
	@echo "make            builds everything into $(BUILD)/"
	@echo "make run        installs missing packages, builds, starts all programs on port $(PORT) with their state in $(VAR)/; Ctrl-C stops them"
	@echo "make test       all tests (one kind: make test KINDS=\"unit page\"); make lint: only the rules of the source"
	@echo "make test-fault the fault experiments at full length, with their limits (docs/promises.md)"
	@echo "make bench      measures the speed, and that of bare SQLite and lighttpd (docs/speed.md)"
	@echo "make deps       installs the Debian packages that are missing (apt, as root or by sudo)"
	@echo "make install    installs a release (PREFIX=/usr/local, DESTDIR=, VERSION=); make uninstall removes it"
	@echo "make deb        builds a Debian package; deb-check: lintian; deb-try, deb-boot: test it in a minimal Debian (root)"
	@echo "make clean      removes $(BUILD)/"
	@echo
	@echo "PORT=8081 VAR=other  another port and state directory · BUILD=dir · SAN=1 with sanitizers · V=1 shows the commands"

.PHONY: clean
clean:
	rm -rf $(BUILD)

# --- packages, make run -------------------------------------------------------------------------------------------------
DEPS := gcc libc6-dev make libfcgi-dev libsqlite3-dev sqlite3 lighttpd lighttpd-mod-deflate libsodium-dev libcurl4-openssl-dev \
	libjansson-dev libgd-dev gettext tzdata

.PHONY: deps
deps:
	@sh deploy/deps.sh $(DEPS)

# separate calls of make, so that with -j the build does not start before the packages are installed
.PHONY: run
run:
	@$(MAKE) deps
	@$(MAKE) all
	@exec $(BUILD)/motorpool run --port $(PORT) --var $(VAR)

# --- build rules ----------------------------------------------------------------------------------------------------------

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(LIB): $(LIB_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

define program
$(BUILD)/bin/$(1): $(call obj,$(wildcard cgi-bin/$(1)/*.c)) $(LIB)
	@mkdir -p $$(@D)
	$(Q)$(CC) $(LDFLAGS) -o $$@ $$^ $(LIBS) $$(if $$(filter payment message,$(1)),$(CURL_LIBS))
endef
$(foreach c,$(CONTEXTS),$(eval $(call program,$(c))))

# decodes uploaded photos in a process of its own, which links only libgd
$(BUILD)/bin/fleet-photo: $(call obj,$(wildcard cgi-bin/fleet/photo/*.c))
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lgd

# the relay runs every context's policies
$(BUILD)/bin/relay: $(call obj,$(wildcard relay/*.c) $(RULES)) $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) $(CURL_LIBS)

# the command links the rules of all contexts for check, replay and the demo data; check also compares payment with the sandbox
$(BUILD)/motorpool: $(call obj,$(CLI) $(RULES) $(call rules,sandbox)) $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) $(CURL_LIBS)

# glibc loads translations only for a locale that exists; this is the smallest one that works (lib/base/lang.c)
KO_LOCALE := $(BUILD)/locale/ko_KR.UTF-8/LC_MESSAGES/SYS_LC_MESSAGES
$(KO_LOCALE): /usr/lib/locale/C.utf8/LC_MESSAGES/SYS_LC_MESSAGES
	@mkdir -p $(@D)
	$(Q)cp $< $@
all: $(KO_LOCALE)

.SECONDEXPANSION:
$(BUILD)/locale/%/LC_MESSAGES/motorpool.mo: locale/%/motorpool.po $$(filter-out locale/%/motorpool.po,$$(wildcard locale/$$*/*.po))
	@mkdir -p $(@D)
	$(Q)cat $^ | msgfmt --check-format -o $@ -

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# --- unit tests: tests/unit/test_NAME.c includes the .c it tests and links the rest ------------------------------------
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/librules.a $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIB) $(LIBS) $(CURL_LIBS) -lcmocka
# --- fault experiments in C: tests/fault/NAME.c with a main() of its own; the files without one are shared
FAULT_MAIN := $(shell grep -ls '^main\>' tests/fault/*.c)
FAULT      := $(patsubst tests/fault/%.c,$(BUILD)/fault/%,$(FAULT_MAIN))
FAULT_OBJ  := $(call obj,$(filter-out $(FAULT_MAIN),$(wildcard tests/fault/*.c)))
$(BUILD)/fault/%: $(BUILD)/obj/tests/fault/%.o $(FAULT_OBJ) $(BUILD)/librules.a $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(FAULT_OBJ) $(BUILD)/librules.a $(LIB) $(LIBS) $(CURL_LIBS)
$(BUILD)/librules.a: $(call obj,$(RULES) $(call rules,sandbox) $(filter-out cli/main.c,$(CLI)))
	@rm -f $@
	$(Q)ar rcs $@ $^
.PRECIOUS: $(BUILD)/obj/%.o

include deploy/install.mk
-include tests/test.mk
-include bench/bench.mk
