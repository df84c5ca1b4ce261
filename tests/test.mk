# test.mk - `make test`: installs what the tests need, builds everything with the sanitizers, runs all tests and counts.
#
#	make test                    all of it; the last line is "N passed, N failed"
#	make lint                    only the rules of the source
#	make lint-pg                 checks that PostgreSQL accepts every SQL statement (part of lint if the package postgresql is installed)
#	make unit-test page-test story-test browser-test      one kind of tests
#	make test-fault              the fault experiments at full length (about 40 minutes, on a quiet machine), with their limits;
#	                             one: make test-fault ONLY=fault/poison SEED=7
#	make test-looks              every page in all eight combinations of size, colour scheme and language, with screenshots in build/shots
#	make test KINDS="unit page"  some kinds
#
# tests/run runs the suites and counts the results; logs are in build/asan/test-logs. How to debug each kind: docs/testing.md.

TEST_BUILD := build/asan
PLAIN      := build
KINDS      := lint unit page story fault browser

# Root on Debian: missing packages are installed; otherwise they are only listed. An existing node is used, wherever it is from.
TEST_PACKAGES := siege clang-format libcmocka-dev chromium fonts-noto-cjk jq curl default-jre-headless sqlite3 gettext \
	dpkg-dev lighttpd-mod-openssl logrotate openssl systemd

.PHONY: test-fault test-looks test lint lint-pg test-deps test-build demo-command unit-test page-test story-test browser-test units
test: test-deps test-build
	$(Q)BUILD=$(TEST_BUILD) tests/run $(KINDS)

lint: lint-pg
	$(Q)tools/lint --self-test >/dev/null && tools/lint

lint-pg:
	$(Q)tools/lint-pg

units: $(UNIT) $(FAULT)

test-looks: test-deps test-build
	$(Q)BUILD=$(TEST_BUILD) LOOKS=all tests/run browser/pages

# At full length the experiments run the programs as released, plus the fault switches.
ONLY ?= fault
test-fault: test-deps
	$(Q)$(MAKE) --no-print-directory -j$(or $(TEST_JOBS),$(shell nproc)) BUILD=build/fault FAULTS=1 all faults
	$(Q)BUILD=build/fault LONG=1 tests/run $(ONLY)
faults: $(FAULT)

# Two at a time: the smallest supported machine has two cores.
test-build: | deps
	$(Q)$(MAKE) --no-print-directory -j$(or $(TEST_JOBS),$(shell nproc)) BUILD=$(TEST_BUILD) SAN=1 all units
	$(Q)$(MAKE) --no-print-directory -j$(or $(TEST_JOBS),$(shell nproc)) BUILD=$(PLAIN) demo-command

# Makes the demo data (tests/demo).
demo-command: $(BUILD)/motorpool $(MO) $(KO_LOCALE)

unit-test page-test story-test browser-test: test-deps test-build
	$(Q)BUILD=$(TEST_BUILD) tests/run $(@:-test=)

test-deps: | deps
	$(Q)tests/install $(TEST_PACKAGES)
