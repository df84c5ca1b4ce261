# install.mk - `make install`: installs motorpool on this machine, or below DESTDIR for a package. docs/operate.md describes the next steps.
#
#	PREFIX/lib/motorpool/releases/VERSION/     a whole release: bin/, templates/, static/, locale/, db/, motorpool.conf …
#	PREFIX/lib/motorpool/current               a link to the active release; the programs find all files through it
#	PREFIX/bin/motorpool, PREFIX/share/man     the command and its manual page
#	/etc/motorpool/motorpool.conf, cron.d, logrotate.d, lighttpd/conf-available, systemd units
#	/var/lib/motorpool, /var/log/motorpool     the state and the logs, owned by the user motorpool (created only as root without DESTDIR)

VERSION    ?= 1.0.0
PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
STATEDIR   ?= /var/lib/motorpool
LOGDIR     ?= /var/log/motorpool
UNITDIR    ?= $(PREFIX)/lib/systemd/system
DESTDIR    ?=

HOUSE    := $(PREFIX)/lib/motorpool
RELEASE  := $(DESTDIR)$(HOUSE)/releases/$(VERSION)
ETC      := $(DESTDIR)$(SYSCONFDIR)
IN_PLACE := sed -e 's|@ROOT@|$(HOUSE)/current|g' -e 's|@VAR@|$(STATEDIR)|g' -e 's|@LOG@|$(LOGDIR)|g' -e 's|@ETC@|$(SYSCONFDIR)|g' \
	-e 's|@HOUSE@|$(HOUSE)|g' -e 's|@VERSION@|$(VERSION)|g' -e 's|@UNITS@|$(CONTEXTS:%=motorpool@%.service)|g'
ON_NETWORK := payment sandbox

.PHONY: install
install: install-release install-system
	$(Q)ln -sfn releases/$(VERSION) $(DESTDIR)$(HOUSE)/current.new && mv -T $(DESTDIR)$(HOUSE)/current.new $(DESTDIR)$(HOUSE)/current
ifeq ($(DESTDIR),)
	$(Q)if [ "$$(id -u)" = 0 ]; then sh $(RELEASE)/deploy/state.sh; else echo "not root: run $(HOUSE)/current/deploy/state.sh as root to create the user and the directories"; fi
	@echo "motorpool $(VERSION) is installed in $(HOUSE)/current; docs/operate.md describes the next steps"
endif

# A release is assembled next to its final directory and then moved there.
.PHONY: install-release
install-release: all $(BUILD)/motorpool.8
	@rm -rf $(RELEASE).new
	$(Q)install -d $(RELEASE).new/bin $(RELEASE).new/deploy
	$(Q)install -m 755 $(PROGRAMS) $(BUILD)/bin/fleet-photo $(BUILD)/bin/relay $(RELEASE).new/bin
	$(Q)install -m 755 $(BUILD)/motorpool $(RELEASE).new
	$(Q)install -m 644 motorpool.conf lighttpd.conf $(RELEASE).new
	$(Q)cp -R templates static db $(BUILD)/locale $(RELEASE).new
	$(Q)cp -R deploy/lighttpd $(RELEASE).new/deploy
	$(Q)rm $(RELEASE).new/deploy/lighttpd/motorpool.conf
	$(Q)[ ! -d deploy/prometheus ] || cp -R deploy/prometheus $(RELEASE).new/deploy
	$(Q)$(IN_PLACE) deploy/state.sh >$(RELEASE).new/deploy/state.sh
	$(Q)chmod -R u=rwX,go=rX $(RELEASE).new && chmod 755 $(RELEASE).new/deploy/state.sh
	$(Q)ln -s $(STATEDIR) $(RELEASE).new/var
	$(Q)rm -rf $(RELEASE).old; [ ! -e $(RELEASE) ] || mv $(RELEASE) $(RELEASE).old
	$(Q)mv $(RELEASE).new $(RELEASE) && rm -rf $(RELEASE).old

.PHONY: install-system
install-system: $(BUILD)/motorpool.8
	$(Q)install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/doc/motorpool
	$(Q)ln -sfn ../lib/motorpool/current/motorpool $(DESTDIR)$(PREFIX)/bin/motorpool
	$(Q)install -m 644 $(BUILD)/motorpool.8 $(DESTDIR)$(PREFIX)/share/man/man8
	$(Q)install -m 644 docs/*.md $(DESTDIR)$(PREFIX)/share/doc/motorpool
	$(Q)install -d $(ETC)/motorpool $(ETC)/cron.d $(ETC)/logrotate.d $(ETC)/lighttpd/conf-available
	$(Q)[ -e $(ETC)/motorpool/motorpool.conf ] || $(IN_PLACE) deploy/settings.conf >$(ETC)/motorpool/motorpool.conf
	$(Q)$(IN_PLACE) deploy/cron.d/motorpool >$(ETC)/cron.d/motorpool
	$(Q)$(IN_PLACE) deploy/logrotate/motorpool >$(ETC)/logrotate.d/motorpool
	$(Q)$(IN_PLACE) deploy/lighttpd/motorpool.conf >$(ETC)/lighttpd/conf-available/60-motorpool.conf
	$(Q)install -d $(DESTDIR)$(UNITDIR) $(ON_NETWORK:%=$(DESTDIR)$(UNITDIR)/motorpool@%.service.d)
	$(Q)$(IN_PLACE) deploy/systemd/motorpool@.service >$(DESTDIR)$(UNITDIR)/motorpool@.service
	$(Q)$(IN_PLACE) deploy/systemd/motorpool.target >$(DESTDIR)$(UNITDIR)/motorpool.target
	$(Q)for program in $(ON_NETWORK); do install -m 644 deploy/systemd/network.conf "$(DESTDIR)$(UNITDIR)/motorpool@$$program.service.d"; done
	$(Q)$(IN_PLACE) deploy/systemd/sandbox.conf >"$(DESTDIR)$(UNITDIR)/motorpool@sandbox.service.d/sandbox.conf"

# The state, the settings and the user are kept: operate.md describes how to remove them.
.PHONY: uninstall
uninstall:
	$(Q)rm -rf $(DESTDIR)$(HOUSE) $(DESTDIR)$(PREFIX)/bin/motorpool $(DESTDIR)$(PREFIX)/share/man/man8/motorpool.8 $(DESTDIR)$(PREFIX)/share/doc/motorpool
	$(Q)rm -f $(ETC)/cron.d/motorpool $(ETC)/logrotate.d/motorpool $(ETC)/lighttpd/conf-enabled/60-motorpool.conf $(ETC)/lighttpd/conf-available/60-motorpool.conf
	$(Q)rm -rf $(DESTDIR)$(UNITDIR)/motorpool@.service $(DESTDIR)$(UNITDIR)/motorpool.target $(ON_NETWORK:%=$(DESTDIR)$(UNITDIR)/motorpool@%.service.d)

# The manual page is generated from the --help texts.
$(BUILD)/motorpool.8: $(BUILD)/motorpool deploy/man.sh
	$(Q)sh deploy/man.sh $< $(VERSION) >$@.new && mv $@.new $@

# --- a Debian package, built from a clean tree below BUILD
VERSION_NEXT := 1.0.1
DEB := $(BUILD)/motorpool_$(VERSION)_$(shell dpkg --print-architecture 2>/dev/null).deb
.PHONY: deb deb-check
deb: all
	$(Q)command -v dpkg-shlibdeps >/dev/null || sh deploy/deps.sh dpkg-dev
	@rm -rf $(BUILD)/deb
	$(Q)$(MAKE) --no-print-directory install DESTDIR=$(abspath $(BUILD)/deb) PREFIX=/usr UNITDIR=/lib/systemd/system VERSION=$(VERSION)
	$(Q)sh deploy/deb/build.sh $(abspath $(BUILD)/deb) $(VERSION) /usr/lib/motorpool $(abspath $(DEB))

# lintian must report no error
deb-check: deb
	$(Q)command -v lintian >/dev/null || sh deploy/deps.sh lintian
	$(Q)lintian --fail-on error --allow-root --tag-display-limit 0 $(DEB)

# install into and purge from a minimal Debian (root, debootstrap, a minute or two)
.PHONY: deb-try
deb-try: deb
	$(Q)command -v debootstrap >/dev/null || sh deploy/deps.sh debootstrap
	$(Q)$(MAKE) --no-print-directory deb VERSION=$(VERSION_NEXT)
	$(Q)CHROOT=$(CHROOT) bash deploy/deb/try.sh $(DEB) $(subst _$(VERSION)_,_$(VERSION_NEXT)_,$(DEB))

# … and with systemd in a container: make deb-try deb-boot CHROOT=dir
.PHONY: deb-boot
deb-boot: deb-try
	$(Q)command -v systemd-nspawn >/dev/null || sh deploy/deps.sh systemd-container
	$(Q)bash deploy/deb/boot.sh $(CHROOT)
