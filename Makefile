# eval      set everything up and run PrefEval on its bundled data with a small real model, no GPU, no key
# venv      .venv with the suite and its benchmarks, editable
# test      tests, types, lint, layers and documentation, on every supported Python found here
# test-all  the same and: recipes for pipelines, slow tests, lowest and newest dependencies, wheels, random order, oracles, vLLM,
#           Ray, libraries of providers, trackers, exports read by every-eval-ever, imports of logs that inspect-ai and lm-eval have just made
# docs      the documentation site, into site/
# changelog what the fragments in changelog.d/ add to CHANGELOG.md
# constraints   resolve all dependencies anew and record their versions
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: eval venv test test-all docs changelog constraints clean

PYTHON ?= $(shell .ci/interpreters --first)
MODEL ?= embedded/smollm2-135m
JUDGE ?= embedded/smollm2-135m
BENCHMARKS := suite-contexteval suite-judge-audit suite-prefeval suite-rag-rewardbench suite-sandbox suite-userbench suite-vibechecker
PROJECTS := pyproject.toml $(BENCHMARKS:%=plugins/%/pyproject.toml)
TOX := .venv-tox/bin/tox

eval: .venv/ready
	.venv/bin/suite eval --task prefeval/classification --task prefeval/generation --mini \
	    --data prefeval=prefeval-demo --preset demo --model $(MODEL) --judge $(JUDGE)

venv: .venv/ready

.venv/ready: $(PROJECTS) constraints.txt .ci/develop.py
	@echo "making .venv with $(PYTHON), once; a minute or two with a good network"
	@"$(PYTHON)" -m venv .venv
	@.venv/bin/python .ci/develop.py --extras embedded --constraints constraints.txt \
	    --plugins $(BENCHMARKS)
	@touch $@

test: $(TOX)
	TOX=$(TOX) .ci/test

test-all: $(TOX)
	TOX=$(TOX) .ci/test --whole
	TOX=$(TOX) .ci/eee
	$(TOX) run -e slow,recipes,py-lowest,py-latest,wheel,random,oracles,vllm,ray,providers,any-llm,trackers,logs-inspect,logs-lm-eval

docs: $(TOX)
	$(TOX) run -e full -- --version
	$(TOX) run -e docs

changelog: $(TOX)
	$(TOX) run -e changelog

constraints:
	PYTHON="$(PYTHON)" .ci/constraints

$(TOX): constraints.txt
	"$(PYTHON)" -m venv .venv-tox
	.venv-tox/bin/python -m pip install --quiet -c constraints.txt tox
	touch $@

clean:
	rm -rf .venv .venv-tox .tox site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
