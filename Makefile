# One release build serves tests and use: other flags would rebuild everything.
SHELL := /bin/bash
SWIFT_FLAGS := -c release
TORCH_VERSION ?= 2.13.0
PYTHON ?= python3
PORT ?= 8080
REFERENCE := .deps/reference/bin/python
# libgomp's threads spin while they wait unless this is set before it is loaded.
export OMP_WAIT_POLICY := PASSIVE

# What installs must not run twice at once; the compilers use all cores by themselves.
.NOTPARALLEL:
.PHONY: bootstrap build command test test-debug lint format golden test-golden milvus-test milvus-cluster bench bench-encoders figures reference web demo dist browser-tests live-tests fuzz fuzz-smoke sanitize clean

## Installs what is missing: C libraries, libtorch. Quick when there is nothing to do.
bootstrap:
	@tools/bootstrap.sh $(TORCH_VERSION)

build: bootstrap
	swift build $(SWIFT_FLAGS)

## The command alone, without the tests' and benchmarks' programs.
command: bootstrap
	swift build $(SWIFT_FLAGS) --product stylefinder

## A boutique to try everything with, at http://127.0.0.1:8080. DEMO_DATA=folder serves your own photos instead, MODEL=name searches with
## another model (`stylefinder models fetch name` before), PORT=n another port.
demo: command web
	@.build/release/stylefinder demo --port $(PORT) $(if $(DEMO_DATA),--photos "$(DEMO_DATA)") $(if $(MODEL),--model "$(MODEL)") || [ $$? = 130 ]

## Every test. Those that need the real photos are listed by name where the photos are not there.
test: bootstrap lint reference web
	swift build --build-tests $(SWIFT_FLAGS)
	set -o pipefail; swift test --skip-build $(SWIFT_FLAGS) 2>&1 | tee .build/test.log
	@if grep -q 'skipped' .build/test.log; then echo "Not run:"; grep 'skipped' .build/test.log; fi
	@$(PYTHON) tools/slowest_tests.py .build/test.log
	@$(MAKE) --no-print-directory browser-tests
	@$(MAKE) --no-print-directory live-tests

## The page in Chromium: against a stand-in that shows every trouble, then against the real server with a small boutique.
browser-tests: web
	@Tests/BrowserTests/run.sh

## Searches and writes at once: over a server that is killed in the middle, again and again, and over one that is not. Nothing that was acknowledged may be lost.
live-tests:
	$(PYTHON) Benchmarks/live_catalog.py --rounds 4 --seconds 2
	$(PYTHON) Benchmarks/live_catalog.py --soak 20

## The page, built into .build/page when its sources have changed.
web: .build/page/index.html

.build/page/index.html: web/build.sh web/tsconfig.json $(shell find web/src -type f)
	@tools/bootstrap.sh $(TORCH_VERSION) web
	web/build.sh .build/page

## One folder that can be moved anywhere: the command, its libraries, models, recipes and the page.
dist: command web
	tools/dist.sh dist

test-debug: bootstrap
	swift test

## Format and import rules.
lint:
	swift format lint --strict --recursive --configuration .swift-format Package.swift Sources Tests Benchmarks/Sources
	$(PYTHON) tools/check_imports.py

format:
	swift format --in-place --recursive --configuration .swift-format Package.swift Sources Tests Benchmarks/Sources

## The Python environment with the reference implementations, for goldens, round trips and benchmarks.
reference: bootstrap
	@tools/reference.sh

## Full-size reference models, with weights drawn from a seed: ViT-B/16, RN50, timm's EfficientNet-Lite0 and ResNet-50, and one in every format that is read. They lie under
## .deps/golden: 11 GB, about 20 minutes. Made anew when the scripts that make them, or the pinned references,
## have changed.
golden: .deps/golden/complete

.deps/golden/complete: $(wildcard tools/golden/*.py) tools/golden/requirements.txt tools/train_bpe.py | reference
	$(REFERENCE) tools/golden/clip.py --size full --out .deps/golden
	$(REFERENCE) tools/golden/formats.py --size full --out .deps/golden/formats
	@touch $@

## Those models beside what the reference libraries answered: embeddings, logits, prepared pictures, and the doctor's word on each.
test-golden: golden
	swift build --build-tests $(SWIFT_FLAGS)
	set -o pipefail; STYLEFINDER_GOLDEN=$(CURDIR)/.deps/golden swift test --skip-build $(SWIFT_FLAGS) --filter 'GoldenTests|DoctorTests' | tee .deps/golden/test.log
	@$(PYTHON) tools/golden/table.py .deps/golden/test.log

## The tests of the package trait Milvus, against a milvus-lite of their own each. Its first build takes some ten minutes more than the plain one.
milvus-test: bootstrap .build/milvus/installed
	swift build --build-tests $(SWIFT_FLAGS) --traits Milvus
	STYLEFINDER_MILVUS_LITE=$(CURDIR)/.build/milvus/bin/milvus-lite swift test --skip-build $(SWIFT_FLAGS) --traits Milvus --filter '^MilvusTests'

## As root: two servers and a Milvus in network namespaces, parts of which are killed under load. After `make milvus-test`, whose build and milvus-lite it takes.
milvus-cluster:
	$(PYTHON) Tests/MilvusTests/cluster.py

.build/milvus/installed:
	rm -rf .build/milvus
	$(PYTHON) -m venv .build/milvus
	.build/milvus/bin/pip install --quiet --disable-pip-version-check milvus-lite==3.2.2 pymilvus==3.0.2
	touch $@

## The README's tables: the drawn boutique, and the held-out real photos where they lie (FIGURES_DATA=folder).
figures: build reference
	Benchmarks/boutique.sh $${FIGURES_DATA:-../shared/data}
	if [ -d $${FIGURES_DATA:-../shared/data} ]; then Benchmarks/held-out.sh $${FIGURES_DATA:-../shared/data}; fi

## Broken files for the readers of tensor files, pictures, manifests and filters, guided by what they reach: FUZZ_SECONDS each.
fuzz: bootstrap
	tools/fuzz/run.sh $(or $(FUZZ_SECONDS),600)

## The same for what anybody can send or bring, a minute each, two at a time: pictures, forms, manifests, filters. Part of continuous integration,
## and therefore the same broken files each time.
fuzz-smoke: bootstrap
	FUZZ_SEED=1 tools/fuzz/run.sh $(or $(FUZZ_SECONDS),60) jpeg png
	FUZZ_SEED=1 tools/fuzz/run.sh $(or $(FUZZ_SECONDS),60) webp forms
	FUZZ_SEED=1 tools/fuzz/run.sh $(or $(FUZZ_SECONDS),60) gif tiff
	FUZZ_SEED=1 tools/fuzz/run.sh $(or $(FUZZ_SECONDS),60) heic avif
	FUZZ_SEED=1 tools/fuzz/run.sh $(or $(FUZZ_SECONDS),60) csv jsonl
	FUZZ_SEED=1 tools/fuzz/run.sh $(or $(FUZZ_SECONDS),60) catalog filter

## The concurrent modules under the thread sanitizer, the picture shim and the int8 one under the address sanitizer: each compiles the package once more.
sanitize: bootstrap
	swift build --build-tests --sanitize=thread --scratch-path .build/thread
	swift test --skip-build --sanitize=thread --scratch-path .build/thread --filter '^(API|Inference|Retrieval|Search)Tests'
	swift build --build-tests --sanitize=address --scratch-path .build/address
	ASAN_OPTIONS=detect_leaks=0 swift test --skip-build --sanitize=address --scratch-path .build/address --filter '^(Imaging|CInt8)Tests'

## Each figure as a ratio to its peer in one run.
bench: build reference
	Benchmarks/run.sh

## The encoders beside PyTorch, OpenVINO and ONNX Runtime, in float32 and int8; the peers come into .deps/peers.
bench-encoders: build reference
	Benchmarks/encoders.sh

clean:
	rm -rf .build dist
