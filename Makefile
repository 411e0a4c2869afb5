# `make` lists what there is. Nothing here asks questions.

SHELL = /bin/bash
.SHELLFLAGS = -euo pipefail -c
.DEFAULT_GOAL = help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# Two compilers at once: each may take a gigabyte. Raise it where there is memory: make build JOBS=8
JOBS ?= 2
PREFIX ?= /usr/local
DESTDIR ?=

SWIFT = swift
FORMATTED = Sources Tests Benchmarks Package.swift

.PHONY: help deps test-deps build test test-convergence demo bench bench-bazel bench-control bench-load bench-map bench-memory bench-reload bench-scale bench-watch format lint check release install uninstall deb

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r goal text; do \
	  printf '  make %-11s %s\n' "$$goal" "$$text"; done

deps: ## install the Debian packages that building, testing and the demo need; those that are there are left alone
	@scripts/deps

build: deps ## build watchbuild for development, into .build/debug
	$(SWIFT) build -j $(JOBS)

# A newer Bazel that can't be had (3) is told at the end of the tests.
test-deps:
	@scripts/deps --tests
	@scripts/newer-bazel || (($$? == 3))
	@scripts/remote-execution || { (($$? == 3)) && [[ $${CI:-} != true ]]; }

test: ## run every test, with two real Bazels and a Docker daemon of its own
	@scripts/deps --tests
	@scripts/remote-execution || { (($$? == 3)) && [[ $${CI:-} != true ]]; }
	@scripts/newer-bazel & newer=$$!; \
	  echo '$(SWIFT) build -j $(JOBS) --build-tests'; $(SWIFT) build -j $(JOBS) --build-tests || { wait; exit 1; }; \
	  wait $$newer || (($$? == 3))
	@scripts/convergence "$$($(SWIFT) build --show-bin-path)/watchbuild"
	@scripts/run-tests "$$($(SWIFT) build --show-bin-path)/watchbuildPackageTests.xctest"

test-convergence: build test-deps ## do all that can be done to a workspace, and compare; SEED= OPS= MINUTES=3 BAZEL=4.2.3|7.7.1
	@SEED=$(SEED) OPS=$(OPS) MINUTES=$(MINUTES) BAZEL=$(BAZEL) scripts/convergence \
	  "$$($(SWIFT) build --show-bin-path)/watchbuild"

# A debug build: it is there minutes sooner than a release build, and the demo's time goes into Bazel.
demo: deps ## watch a workspace of five images, see one save become one new image; DEMO_ONCE=1 ends after it
	@scripts/quiet-build -j $(JOBS) --product watchbuild
	@scripts/demo "$$($(SWIFT) build --show-bin-path)/watchbuild"

bench: release ## what a save costs beside the bare commands; needs python3 and an idle machine
	Benchmarks/save-to-image.py dist/watchbuild

bench-bazel: release ## what watchbuild adds to bare Bazel, and what grouping saves; ROUNDS=10
	Benchmarks/bazel/measure.py dist/watchbuild $(ROUNDS)

bench-control: release ## what it costs to ask a running dev; needs python3 and dockerd; ROUNDS=20
	Benchmarks/control/run.py dist/watchbuild $(ROUNDS)

bench-map: deps ## measure the index beside Bazel's own queries, on 5000 packages and 300 images; needs python3
	$(SWIFT) build -j $(JOBS) -c release --product watchbuild --scratch-path .build-release
	$(SWIFT) build -j $(JOBS) -c release --product bench-map --scratch-path .build-release
	@Benchmarks/map/run.py .build-release/release/bench-map .build-release/release/watchbuild

bench-memory: build ## what one dev holds after 300 saves: memory, descriptors, threads; needs python3 and bazel; CYCLES=1000 for a long run
	Benchmarks/memory/run "$$($(SWIFT) build --show-bin-path)/watchbuild" $(CYCLES)

bench-reload: release ## from a save to the new HTTP answer, beside the same by hand; needs dockerd and docker-compose; ROUNDS=10
	Benchmarks/reload/run.py dist/watchbuild $(ROUNDS)

bench-watch: deps ## measure the watcher against bare C, inotifywait and watchman; IDLE=5 SIZES="1000 10000" for a short run
	$(SWIFT) build -j $(JOBS) -c release --product bench-watch --scratch-path .build-release
	@Benchmarks/watch/run .build-release/release/bench-watch

bench-scale: release ## a save among 5,000 packages beside a bare build, with each Bazel; needs python3 and an idle machine; ROUNDS=5
	Benchmarks/scale/run.py dist/watchbuild

bench-load: release test-deps ## what a load costs beside each runtime's own tool; needs python3 and root; BASES=5x20 ROUNDS=3 for a short run
	Benchmarks/load/run dist/watchbuild

format: ## lay out the code
	$(SWIFT) format -i -r --configuration .swift-format $(FORMATTED)

lint: ## say where the code is not laid out as `make format` would
	$(SWIFT) format lint -s -r --configuration .swift-format $(FORMATTED)

check: lint test ## what must pass before a commit

release: deps ## build it optimised, stripped and with Swift's libraries inside, into dist/
	$(SWIFT) build -j $(JOBS) -c release --static-swift-stdlib -Xlinker --no-export-dynamic --product watchbuild
	mkdir -p dist
	strip -o dist/watchbuild "$$($(SWIFT) build -c release --show-bin-path)/watchbuild"

dist/watchbuild:
	$(MAKE) release

install: dist/watchbuild ## copy the program, its man page, completions and systemd unit to $(DESTDIR)$(PREFIX)
	@scripts/install dist/watchbuild '$(DESTDIR)' '$(PREFIX)'

uninstall: ## remove what `make install` copied
	@scripts/install --remove '$(DESTDIR)' '$(PREFIX)'

deb: ## make a Debian package of it, into dist/
	@scripts/deps --package
	$(MAKE) dist/watchbuild
	PACKAGES=dist fakeroot debian/rules binary
	@lintian --fail-on error,warning dist/watchbuild_*.deb
