# A thin front: every target is one CMake preset or one script under tools/.
# `cmake --workflow --preset dev` is `make test` without make (and without installing anything).
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
JOBS ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
PRESET ?= dev
build = @[ -f build/$(1)/build.ninja ] || cmake --preset $(1) >/dev/null; cmake --build build/$(1) -j $(JOBS) \
  $(if $(2),--target $(2)) $(if $(VERBOSE),,-- --quiet)

.PHONY: help run test format lint cover fuzz bench golden soak conformance install hosts-setup \
  compat-clients clean setup

help: ## list what can be done
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

setup:
	@tools/setup

run: setup ## install what is missing, build, run the main job (ARGS="..." runs the program with these)
	@tools/main-job $(JOBS) $(ARGS)

test: setup ## the same, then run every test (T=db: only tests whose name matches)
	$(call build,$(PRESET))
	@tools/hosts check
	@ctest --test-dir build/$(PRESET) --output-on-failure --no-tests=error -j $(JOBS) $(if $(T),-R '$(T)') \
	  $(if $(VERBOSE),,--progress)

format: ## apply .clang-format to the files that differ from main (ALL=1: to all)
	@tools/format $(if $(ALL),all)

lint: ## clang-tidy on the files that differ from main (ALL=1: on all), and the lint.* tests
	@tools/setup ci
	$(call build,dev,causeway causeway_static)
	@ctest --test-dir build/dev --output-on-failure -j $(JOBS) -R '^lint\.'
	@tools/tidy build/dev $(JOBS) $(if $(ALL),all)

cover: ## line and branch report, in build/cover/report
	@tools/setup ci
	$(call build,cover)
	@tools/coverage build/cover $(JOBS)

fuzz: ## one fuzzer: U=sql_parse, S=60 seconds
	@tools/setup ci
	$(call build,fuzz,$(if $(U),fuzz_$(U)))
	@tools/fuzz build/fuzz $(or $(S),60) $(U)

bench: setup ## compare with bench/results.csv
	$(call build,release)
	@tools/bench build/release

golden: setup ## rewrite expected output, for review
	$(call build,dev)
	@cmake --build build/dev --target golden

soak: setup ## the long tests with all their rounds; writes bench/soak.csv
	$(call build,dev)
	@tools/soak build/dev $(JOBS) $(or $(ROUNDS),1000)

conformance: setup ## every recorded suite, against tests/conformance/floor.txt
	$(call build,release)
	@tools/conformance build/release

install: setup ## install into PREFIX (/usr/local) below DESTDIR
	@cmake --preset release $(if $(PREFIX),-DCMAKE_INSTALL_PREFIX=$(PREFIX)) >/dev/null
	$(call build,release)
	@DESTDIR="$(DESTDIR)" cmake --install build/release

hosts-setup: ## install the host runtimes that are missing (Dart and Flutter in a Debian root, Node)
	@tools/hosts setup

compat-clients: setup ## run the published Dart packages on the drop-in objects
	$(call build,release)
	@tools/compat-clients build/release

clean: ## remove build/
	@rm -rf build
