# bench - measures the speed and compares it with what this machine can do (docs/speed.md). It prints figures and asserts nothing.
BENCH := $(BUILD)/bench
BENCH_TOOLS := $(BENCH)/fill $(BENCH)/memory $(BENCH)/bare $(BENCH)/slowsync.so $(BENCH)/payment

BENCH_PACKAGES := wrk curl

.PHONY: bench bench-quick bench-deps bench-build bench-tools
bench: bench-build
	$(Q)BUILD=$(BUILD) sh bench/bench.sh full
bench-quick: bench-build
	$(Q)BUILD=$(BUILD) sh bench/bench.sh quick

bench-tools: $(BENCH_TOOLS)
bench-build: bench-deps
	$(Q)$(MAKE) all bench-tools
bench-deps: | deps
	$(Q)sh deploy/deps.sh $(BENCH_PACKAGES)

$(BENCH)/fill: $(BUILD)/obj/bench/fill.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BENCH)/bare: $(BUILD)/obj/bench/bare.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BENCH)/memory: $(BUILD)/obj/bench/memory.o
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lfcgi
$(BENCH)/slowsync.so: bench/slowsync.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -U_GNU_SOURCE -shared -fPIC -o $@ $< -ldl
# payment with a provider that answers at once, in process
$(BENCH)/payment: $(call obj,$(wildcard cgi-bin/payment/*.c)) $(BUILD)/obj/bench/instant.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) $(CURL_LIBS)
