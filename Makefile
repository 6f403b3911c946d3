# make build      bin/etcd-node, one static binary (GOARCH=arm64 make build for the other architecture)
# make run        one member on loopback, data in bin/run; no root, nothing installed
# make install    after make build; DESTDIR= and PREFIX= as usual (PREFIX=/usr/local)
# make install-as-etcd  only the binary, also under the name etcd, for a unit that you already have; docs/dropin.md
# make uninstall  removes what install put there, but no data, and no /etc/default/etcd that you changed
# make package    deb, rpm and tarball for amd64 and arm64, with checksums and bills of materials, in dist/
# make check      format, vet, staticcheck, vulnerabilities, links, generated files, unit file
# make test       all tests with -race; lists those that it skipped, and why
# make lab-test   only the tests that boot three hosts with a real systemd (root)
# make faults     every fault for real, written to docs/FAULTS.md (root, 20 to 30 minutes)
# make adopt-older  stock etcd 3.6 on three hosts taken over and given back (root; fetches and builds it)
# make automation-test  the files for Ansible, cloud-init and Puppet on hosts that have them (root; needs ansible-core)
# make simulate   2,000 simulated clusters under the rules of elections; a minute and a half
# make soak       random faults on three hosts, every answer checked; DURATION=60m (root)
# make bench      the numbers, side by side with stock etcd of the same build, written to docs/BENCHMARKS.md (root, a night)
# make bench-patroni  those of Patroni and PostgreSQL, which need hosts with more packages (root, 40 minutes)

GO          ?= go
PREFIX      ?= /usr/local
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null)

# -trimpath and no cgo: every builder makes the same bytes, and the binary needs no libc.
# -s -w: a third less to copy to each host; stack traces do not need what is left out.
BUILD = CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)'

.PHONY: build build-all package package-of run install install-as-etcd uninstall check test lab-test adopt-older automation-test simulate faults soak bench bench-patroni help
build:
	$(BUILD) -o bin/etcd-node ./cmd/etcd-node

build-all:
	GOARCH=amd64 $(BUILD) -o bin/etcd-node-linux-amd64 ./cmd/etcd-node
	GOARCH=arm64 $(BUILD) -o bin/etcd-node-linux-arm64 ./cmd/etcd-node

# The packages say their own version, so that `etcd-node version` is that of the package.
PACKAGE_VERSION ?= $(shell deploy/package/version)
ARCHS ?= amd64 arm64
package package-of: VERSION = $(PACKAGE_VERSION)
package:
	rm -rf dist
	@for arch in $(ARCHS); do $(MAKE) --no-print-directory package-of ARCH=$$arch || exit 1; done
	cd dist && sha256sum * >SHA256SUMS && cat SHA256SUMS

KINDS = deb rpm tar bill
package-of:
	GOARCH=$(ARCH) $(BUILD) -o bin/etcd-node-linux-$(ARCH) ./cmd/etcd-node
	deploy/package/build $(ARCH) $(PACKAGE_VERSION) "$(KINDS)"

# The env file of a cluster on this machine must not reach a trial run.
run: build
	mkdir -p -m 0700 bin/run
	ETCD_NODE_ENV_FILE=/dev/null ETCD_DATA_DIR=bin/run/data exec bin/etcd-node

# systemd reads units and users below /usr and /usr/local (/usr/local wins, so a distribution's
# etcd.service stays untouched), firewalld only below /usr; both read /etc.
SYSTEMD   = $(DESTDIR)$(if $(filter /usr /usr/local,$(PREFIX)),$(PREFIX)/lib,/etc)
FIREWALLD = $(DESTDIR)$(if $(filter /usr,$(PREFIX)),/usr/lib,/etc)/firewalld/services
DEFAULTS  = $(DESTDIR)/etc/default/etcd
# Where the commented settings are also found on a machine that got the files from another one,
# whose /etc/default/etcd must not overwrite any. Not in share/doc, which small images leave out.
DATA      = $(PREFIX)/share/etcd-node
SHARE     = $(DESTDIR)$(PREFIX)/share

# etcdctl and etcdutl are in the binary, which goes by its name. Those of a package stay.
TOOLS = $(DESTDIR)$(PREFIX)/bin/etcdctl $(DESTDIR)$(PREFIX)/bin/etcdutl

BINARY = bin/etcd-node

install:
	@test -x $(BINARY) || { echo '$(BINARY) is not there: first `make build`' >&2; exit 1; }
	install -D -m 0755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/etcd-node
	@for tool in $(TOOLS); do \
		if test ! -e $$tool -a ! -L $$tool; then ln -s etcd-node $$tool; \
		elif test "$$(readlink $$tool)" != etcd-node; then echo "kept $$tool, it is not ours; \`etcd-node ctl\` and \`utl\` are the same"; fi; done
	install -d $(SYSTEMD)/systemd/system
	for unit in etcd.service etcd@.service; do \
		sed 's,^\(ExecStart\|ExecReload\)=/usr/bin/,\1=$(PREFIX)/bin/,' deploy/systemd/$$unit >$(SYSTEMD)/systemd/system/$$unit && \
		chmod 0644 $(SYSTEMD)/systemd/system/$$unit || exit 1; done
	install -D -m 0644 deploy/systemd/etcd.sysusers $(SYSTEMD)/sysusers.d/etcd.conf
	install -D -m 0644 deploy/systemd/etcd.xml $(FIREWALLD)/etcd.xml
	install -D -m 0644 deploy/systemd/etcd.default $(DESTDIR)$(DATA)/etcd.default
	install -d $(SHARE)/man/man8 && install -m 0644 deploy/man/*.8 $(SHARE)/man/man8/
	install -D -m 0644 deploy/completions/etcd-node.bash $(SHARE)/bash-completion/completions/etcd-node
	install -D -m 0644 deploy/completions/_etcd-node $(SHARE)/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)/_etcd-node
	install -D -m 0644 deploy/completions/etcd-node.fish $(SHARE)/fish/vendor_completions.d/etcd-node.fish
	install -d $(DESTDIR)$(DATA)/monitoring && install -m 0644 deploy/monitoring/*.yml deploy/monitoring/*.json deploy/monitoring/README.md $(DESTDIR)$(DATA)/monitoring/
	install -d $(DESTDIR)$(DATA)/automation && install -m 0644 deploy/automation/* $(DESTDIR)$(DATA)/automation/
	@if test -e $(DEFAULTS); then echo 'kept $(DEFAULTS), it is yours'; \
	else install -D -m 0644 deploy/systemd/etcd.default $(DEFAULTS); fi
ifeq ($(DESTDIR),)
	@echo 'next: systemd-sysusers && systemctl daemon-reload; edit /etc/default/etcd; systemctl enable --now etcd'
else
	@echo 'next: copy what is in $(DESTDIR) to each machine, without ./etc/default/etcd where it has one; there:'
	@echo '  systemd-sysusers && systemctl daemon-reload'
	@echo '  test -e /etc/default/etcd || cp $(DATA)/etcd.default /etc/default/etcd   # every setting, as a comment'
	@echo '  edit /etc/default/etcd; systemctl enable --now etcd'
endif

# A file that is already called etcd belongs to a package, or is an etcd to go back to.
ETCD = $(DESTDIR)$(PREFIX)/bin/etcd
install-as-etcd:
	@test -x bin/etcd-node || { echo 'bin/etcd-node is not there: first `make build`' >&2; exit 1; }
	@test "$$(readlink $(ETCD))" = etcd-node || test ! -e $(ETCD) -a ! -L $(ETCD) || \
		{ echo '$(ETCD) is there and is not ours: move it away first (a package'"'"'s: dpkg-divert --rename $(ETCD))' >&2; exit 1; }
	install -D -m 0755 bin/etcd-node $(DESTDIR)$(PREFIX)/bin/etcd-node
	ln -sf etcd-node $(ETCD)

uninstall:
	@for link in $(ETCD) $(TOOLS); do if test "$$(readlink $$link)" = etcd-node; then rm -f $$link; fi; done
	rm -f $(DESTDIR)$(PREFIX)/bin/etcd-node $(SYSTEMD)/systemd/system/etcd.service $(SYSTEMD)/systemd/system/etcd@.service \
	      $(SYSTEMD)/sysusers.d/etcd.conf $(FIREWALLD)/etcd.xml $(DESTDIR)$(DATA)/etcd.default \
	      $(SHARE)/man/man8/etcd-node.8 $(SHARE)/man/man8/etcd-node-*.8 \
	      $(SHARE)/bash-completion/completions/etcd-node $(SHARE)/zsh/*/_etcd-node $(SHARE)/fish/vendor_completions.d/etcd-node.fish
	@for f in etcd-node.rules.yml etcd-node.test.yml dashboard.json README.md; do rm -f $(DESTDIR)$(DATA)/monitoring/$$f; done
	@for f in ansible.yml cloud-init.yml puppet.pp; do rm -f $(DESTDIR)$(DATA)/automation/$$f; done
	@rmdir $(DESTDIR)$(DATA)/automation $(DESTDIR)$(DATA)/monitoring $(DESTDIR)$(DATA) 2>/dev/null || true
	@if cmp -s deploy/systemd/etcd.default $(DEFAULTS); then rm -f $(DEFAULTS); \
	elif test -e $(DEFAULTS); then echo 'kept $(DEFAULTS), you changed it'; fi
	@echo 'kept /var/lib/etcd, /var/lib/etcd-node, /var/log/etcd-node, those of instances (…@NAME), and the user etcd'

check:
	@unformatted=$$(find . -path ./test/lab/.lab -prune -o -name '*.go' -exec gofmt -l {} +); \
	test -z "$$unformatted" || { echo "gofmt -w $$unformatted" >&2; exit 1; }
	$(GO) mod verify
	$(GO) mod tidy -diff
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	test/check/links
	test/check/generated
	test/check/unit
	test/check/vulnerabilities

# The lab runs after the rest, alone, because its tests measure time. Those of cmd/etcd-node wait
# for daemons most of the time: with one per core, which is Go's choice, they take ten minutes on two
# idle cores, with eight at once three. The timeout is for a machine that is busy.
# What failed is printed again at the end.
REPORT = $(GO) run ./test/report -failures bin/failures
test: build
	@rm -f bin/failures; rc=0; \
	$(GO) test -race -timeout=15m -json $$($(GO) list ./... | grep -v -e '/test/lab$$' -e '/cmd/etcd-node$$') | $(REPORT) || rc=1; \
	$(GO) test -race -parallel=8 -timeout=15m -json ./cmd/etcd-node | $(REPORT) || rc=1; \
	$(MAKE) --no-print-directory lab-test || rc=1; \
	if test -e bin/failures; then echo '== what failed, once more:'; cat bin/failures; fi; exit $$rc

lab-test: build
	@$(GO) test -race -count=1 -timeout=18m -json ./test/lab | $(REPORT)

# 1,000 seeds are what the rarest of its missing rules wants; CI plays 100.
simulate:
	$(GO) test -count=1 ./pkg/member/election -run TestSimulated -seeds 2000

faults: build
	$(GO) run ./test/faults -write

automation-test: build
	LAB_PACKAGES=python3,python3-apt,cloud-init,puppet-agent ETCD_NODE_AUTOMATION=yes $(GO) test -count=1 -timeout=20m -v -run TestAutomation ./test/lab

OLDER ?= v3.6.16
adopt-older: build
	ETCD_NODE_STOCK=$(OLDER) $(GO) test -count=1 -timeout=15m -v -run TestAdoptOlder ./test/lab

# CI has time for two minutes.
DURATION ?= 2m
soak: build
	$(GO) run ./test/soak -duration $(DURATION)

bench: build
	$(GO) run ./test/bench -write

bench-patroni: build
	$(GO) run ./test/bench -write -run Patroni

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile
