# bench - how fast it is, beside what the machine could do (docs/speed.md). Nothing here is a test: figures are printed, not asserted.
BENCH := $(BUILD)/bench
BENCH_TOOLS := $(BENCH)/fill $(BENCH)/memory $(BENCH)/bare $(BENCH)/slowsync.so $(BENCH)/payment

.PHONY: bench bench-quick bench-tools
bench-tools: $(BENCH_TOOLS)
bench: all bench-tools
	$(Q)BUILD=$(BUILD) sh bench/bench.sh full
bench-quick: all bench-tools
	$(Q)BUILD=$(BUILD) sh bench/bench.sh quick

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
# payment with the provider that answers at once
$(BENCH)/payment: $(call obj,$(wildcard cgi-bin/payment/*.c)) $(BUILD)/obj/bench/instant.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) $(CURL_LIBS)
