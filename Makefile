# `make run` and `make test` are all that is needed; `make help` lists the rest.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PREFIX ?= /usr/local
DESTDIR ?=
CAPS ?=
ARGS ?=

SWIFT_PATHS := Package.swift $(wildcard Sources Tests Plugins Examples)
LIBRARIES := $(shell sed -n 's/.*\.library.name: "\([^"]*\)".*/\1/p' Package.swift)

# What `make install` copies: a stripped binary, its completions and its manual.
STAGE := .build/stage
BIN := $(STAGE)/bin/tcpstates
MAN := $(STAGE)/share/man/man1/tcpstates.1
MAN_DATE := $(shell git log -1 --format=%cs 2> /dev/null || date -u +%F)

# Most of a short run is the start. Loading shared libraries takes longer than a dump, so Swift's, C++'s and GCC's are
# linked into the binary; .build/lib holds nothing but libstdc++.a, and is searched first. A position-independent binary
# would have 40,000 pointers relocated at each start.
LINK := -use-ld=lld -L$(CURDIR)/.build/lib -Xclang-linker -static-libgcc -Xclang-linker -no-pie
# The tool with serve; all libraries, for the tests and the documentation. One set for every build: with another, all is built
# anew. The library alone has no dependency.
TRAITS := --traits Serve,Metrics
RELEASE := $(TRAITS) -c release --static-swift-stdlib --disable-local-rpath $(addprefix -Xswiftc ,$(LINK))

# Where Swift or libmnl is missing and cannot be installed, one line says what to do.
define setup
fail() { echo "error: $$1" >&2; exit 1; }
command -v swift > /dev/null || fail "swift is not on the PATH; install Swift 6.3: https://www.swift.org/install/linux"
has_libmnl() { pkg-config --exists libmnl 2> /dev/null || test -e /usr/include/libmnl/libmnl.h; }
if ! has_libmnl; then
    remedy="install libmnl-dev (Debian, Ubuntu) or libmnl-devel (Fedora, RHEL) as root"
    command -v apt-get > /dev/null || fail "libmnl's headers are missing and apt-get too; $$remedy"
    as_root=
    if [ "$$(id -u)" != 0 ]; then
        command -v sudo > /dev/null || fail "libmnl's headers are missing and there is no sudo; $$remedy"
        as_root=sudo
    fi
    echo "installing libmnl-dev" >&2
    install="$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq libmnl-dev"
    $$install > /dev/null 2>&1 || { $$as_root apt-get update -qq && $$install; } >&2 && has_libmnl ||
        fail "libmnl's headers are missing and apt-get could not install them; $$remedy"
fi
endef

# What tests run beside the package: installed as root; without it the tests that want one of them say so.
define install
missing=
for package in $(1); do dpkg -s $$package > /dev/null 2>&1 || missing+=" $$package"; done
if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    echo "installing$$missing" >&2
    # They are for the tests: neither systemd nor init is to start them.
    install="env DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 RUNLEVEL=1 apt-get install -qq --no-install-recommends$$missing"
    $$install > /dev/null 2>&1 || { apt-get update -qq && $$install > /dev/null; } >&2 || true
fi
endef

# As doctor's remedies name them, and what the tests compare with.
TOOLS := iproute2 iputils-tracepath nftables procps tcpdump

.PHONY: run
run: $(BIN) ## Watch, or run another subcommand: make run ARGS="list --state close-wait"
	@$(BIN) $(if $(filter list summary watch replay run explain doctor serve help,$(firstword $(ARGS))),,watch) $(ARGS)

.PHONY: test
test: ## Run all tests, or some: make test ARGS="--filter SockDiagTests"
	@$(setup)
	$(call install,$(TOOLS))
	swift build $(TRAITS) --build-tests
	# Thousands of sockets are more than the 1,024 descriptors that a login usually gets.
	ulimit -n "$$(ulimit -Hn)"
	# In a user namespace an ordinary user may do what the tests need root for.
	if [ "$$(id -u)" != 0 ] && unshare --user --map-root-user true 2> /dev/null; then
	    exec unshare --user --map-root-user swift test $(TRAITS) --skip-build $(ARGS)
	fi
	exec swift test $(TRAITS) --skip-build $(ARGS)

.PHONY: api
api: ## List the libraries' public API in docs/api anew, for a change of it to be reviewed
	@UPDATE_API=1 $(MAKE) --no-print-directory test ARGS="--filter PublicAPITests"

.PHONY: model
model: ## Prove the tracker on a simulated kernel: make model ARGS="--lives 1000000 --mode trace --losses"
	@swift build $(TRAITS) -c release --product model >&2
	.build/release/model $(ARGS)

.PHONY: journals
journals: ## Make the corpus of journals that the tests replay anew, on this kernel; takes root
	@$(setup)
	if [ "$$(id -u)" != 0 ]; then fail "the kernel is traced: make journals as root"; fi
	swift build $(TRAITS) --build-tests
	RECORD_JOURNALS=1 swift test $(TRAITS) --skip-build --filter JournalRecordingTests
	swift test $(TRAITS) --skip-build --filter CorpusTests
	du -sb --apparent-size Tests/TCPWatchTests/Journals

SERVERS := nginx redis-server redis-tools haproxy wrk

.PHONY: test-servers
test-servers: ## Watch real servers under load; installs them as root: nginx, redis, haproxy, wrk
	@$(setup)
	$(call install,$(SERVERS))
	$(MAKE) --no-print-directory test ARGS="--filter ServerTests $(ARGS)"

# What reads metrics, fires alerts and collects; of PyPI what Debian does not have, in a virtual environment of its own.
FLEET_TOOLS := prometheus prometheus-alertmanager chromium fonts-dejavu-core python3-venv
FLEET_PYTHON := prometheus-client==0.26.0 opentelemetry-proto==1.45.0 rotel==0.0.1a15 playwright==1.65.2 promql-parser==0.12.0 kubernetes-validate==1.37.0 PyYAML==6.0.4

.PHONY: test-fleet
test-fleet: ## Have Prometheus, Alertmanager, a collector and a browser read what serve says; as root it installs them
	@$(setup)
	$(call install,$(FLEET_TOOLS))
	if ! cmp -s .build/fleet/packages <<< "$(FLEET_PYTHON)"; then
	    mkdir -p .build
	    # Where the index cannot be reached, the tests say what is missing.
	    python3 -m venv --clear .build/fleet && .build/fleet/bin/pip install --quiet $(FLEET_PYTHON) >&2 &&
	        echo "$(FLEET_PYTHON)" > .build/fleet/packages || rm -rf .build/fleet
	fi
	export FLEET=$${FLEET:-wanted}
	$(MAKE) --no-print-directory test ARGS="--filter FleetTests --skip CardinalityFleetTests $(ARGS)"
	# Thousands of programs leave the others no processor.
	$(MAKE) --no-print-directory test ARGS="--filter CardinalityFleetTests $(ARGS)"

.PHONY: bench
bench: $(BIN) ## Time tcpstates beside ss: make bench ARGS="--sockets 10000"
	$(call install,prometheus-node-exporter)
	@swift build -c release --package-path Examples/Benchmarks --scratch-path .build/examples/Benchmarks >&2
	.build/examples/Benchmarks/release/Benchmarks --tool $(CURDIR)/$(BIN) $(ARGS)

.PHONY: install
install: $(BIN) $(MAN) ## Install; with CAPS=1 every user may trace: make install PREFIX=/usr/local DESTDIR= CAPS=
	@cd $(STAGE)
	find * -type f | while read -r file; do
	    install -D -m "$$(stat -c %a "$$file")" "$$file" "$(DESTDIR)$(PREFIX)/$$file"
	done
	# What tracing needs, and no more: docs/sources.md says what they allow.
	if [ -n "$(CAPS)" ]; then setcap cap_bpf,cap_perfmon+ep "$(DESTDIR)$(PREFIX)/bin/tcpstates"; fi

.PHONY: uninstall
uninstall: ## Remove what make install with the same PREFIX and DESTDIR put there
	@cd "$(DESTDIR)$(PREFIX)"
	rm -f bin/tcpstates share/man/man1/tcpstates{,-*}.1 share/bash-completion/completions/tcpstates \
	    share/zsh/site-functions/_tcpstates share/fish/vendor_completions.d/tcpstates.fish

$(BIN): Makefile Package.swift $(shell find Sources -type f)
	@$(setup)
	mkdir -p .build/lib $(@D)
	ln -sf "$$(clang -print-file-name=libstdc++.a)" .build/lib/
	swift build $(RELEASE) --product tcpstates >&2
	install -s .build/release/tcpstates $@

$(MAN): $(BIN) $(wildcard docs/man/*)
	@share=$(STAGE)/share
	rm -rf $$share .build/man
	mkdir -p .build/man $$share/{man/man1,bash-completion/completions,zsh/site-functions,fish/vendor_completions.d}
	$(BIN) --generate-completion-script bash > $$share/bash-completion/completions/tcpstates
	$(BIN) --generate-completion-script zsh > $$share/zsh/site-functions/_tcpstates
	$(BIN) --generate-completion-script fish > $$share/fish/vendor_completions.d/tcpstates.fish
	swift build $(RELEASE) --product generate-manual >&2
	.build/release/generate-manual $(BIN) --multi-page --date $(MAN_DATE) --output-directory .build/man
	rm -f .build/man/tcpstates.{help,swift-test}.1
	for page in .build/man/tcpstates.*.1; do
	    command=$${page#*/tcpstates.}
	    awk -f docs/man/subcommand.awk "$$page" > "$(@D)/tcpstates-$$command"
	done
	install -m 644 docs/man/tcpstates.1 $@

.PHONY: docs
docs: ## Build the documentation of every library into .build/docs
	@$(setup)
	# A library's documentation may link to that of those before it in Package.swift: ``/SockDiag/TCPState``.
	dependencies=()
	for library in $(LIBRARIES); do
	    swift build $(TRAITS) --target $$library
	    output=.build/docs/$$library
	    rm -rf $$output.symbols
	    mkdir -p $$output.symbols
	    # The values that a library passes on are documented once: those of SocketValues by SockDiag.
	    case $$library in
	    SockDiag) passes=SocketValues ;;
	    TCPWatch) passes=ConnectionTracking,SocketValues ;;
	    *) passes= ;;
	    esac
	    swift symbolgraph-extract -module-name $$library -target "$$(uname -m)-unknown-linux-gnu" \
	        $${passes:+-experimental-allowed-reexported-modules=$$passes} -I Sources/CMnl -I .build/debug/Modules -minimum-access-level public -skip-synthesized-members \
	        -output-dir $$output.symbols
	    docc convert $$(find Sources/$$library -name '*.docc') --warnings-as-errors \
	        --additional-symbol-graph-dir $$output.symbols --fallback-default-module-kind Library \
	        --enable-experimental-external-link-support "$${dependencies[@]}" --output-path $$output.doccarchive
	    dependencies+=(--dependency "$(CURDIR)/$$output.doccarchive")
	done

.PHONY: format
format: ## Format the code in place
	@swift format format --in-place --parallel --recursive $(SWIFT_PATHS)

.PHONY: lint
lint: ## Check the code's format
	@swift format lint --strict --parallel --recursive $(SWIFT_PATHS)

.PHONY: clean
clean: ## Remove everything that was built
	@rm -rf .build

.PHONY: help
help: ## List these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16
