# Each target does its own set-up: a bare Debian 12 with Python 3.11 or newer is enough, as root or not.
SHELL := /bin/sh
PY := .venv/bin/python
# Compiled sources are kept: without them each start of the program costs half a second more.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
.PHONY: help demo test quick proofs api-fuzz check check-types check-style check-house format install lock map words bench load replay history history-figures pictures chaos archive-proof delivery-proof delivery-load soak fuzz floods sbom audit clean

help:  ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{ printf "  make %-13s %s\n", $$1, $$2 }'

demo:  ## a whole hospital with simulated gateway, patients and clerks, on free ports; Ctrl-C ends it
	@.ci/setup demo
	@exec .venv/bin/kiosk demo $(ARGS)

test:  ## every test, the browser's too (ARGS="-k name" for some)
	@.ci/setup dev
	@KIOSK_CHROMIUM="$$(.ci/browser)" && export KIOSK_CHROMIUM && exec .ci/test $(ARGS)

quick:  ## the tests that need neither a browser nor much time: under a minute (those of make check are not among them)
	@.ci/setup dev
	@exec $(PY) -m pytest -q -n 4 --dist worksteal -m "not slow and not browser and not proof" --ignore tests/house \
		--hypothesis-profile quick $(ARGS)

proofs:  ## the long tests: processes killed again and again, floods, real nginx and Caddy where installed; a quarter of an hour
	@.ci/setup dev
	@for program in nginx caddy javac; do command -v $$program >/dev/null || echo "no $$program here: its tests are left out"; done
	@KIOSK_CHROMIUM="$$(.ci/browser)" && export KIOSK_CHROMIUM && exec $(PY) -m pytest -m proof $(ARGS)

api-fuzz:  ## a hundred thousand requests against the description of the API; an hour
	@.ci/setup dev
	@API_REQUESTS=100000 exec $(PY) -m pytest -m proof -rP tests/kiosk/api/test_against_description.py $(ARGS)

check:  ## style of every language, strict types and the import arrows
	@.ci/setup dev
	@exec $(MAKE) --no-print-directory --output-sync=target --jobs=2 check-types check-style check-house

check-types:
	$(PY) -m mypy

check-style:
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	.venv/bin/biome ci --error-on-warnings .
	$(PY) -m djlint --check --lint --quiet kiosk
	.venv/bin/shfmt -d -i 4 -ci .ci
	.venv/bin/shellcheck .ci/*

check-house:
	$(PY) -m pytest -q tests/house

format:  ## put every file into the style that check asks for
	@.ci/setup dev
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .
	.venv/bin/biome format --write .
	-$(PY) -m djlint --reformat --quiet kiosk
	.venv/bin/shfmt -w -i 4 -ci .ci

bench:  ## what a scan costs, beside a yardstick: text, JSON and plot in reports/ (QUICK=1: two minutes, not five; BESIDE=folder: rounds in turn with another checkout)
	@.ci/setup dev
	@exec $(PY) -m $(if $(BESIDE),loadtests.bench.turns '$(BESIDE)',loadtests.bench $(if $(QUICK),--quick)) $(ARGS)

load:  ## a shaped day by Locust (SHAPE=opd-morning|monday-after-festival|state-day|flash-crowd, USERS=, PROCESSES=, HOST=)
	@.ci/setup dev
	@exec $(PY) -m loadtests.load $(if $(SHAPE),--shape $(SHAPE)) $(if $(USERS),--users $(USERS)) \
		$(if $(PROCESSES),--processes $(PROCESSES)) $(if $(HOST),--host $(HOST)) $(ARGS)

replay:  ## J&K's 71.16 lakh tokens through the public addresses: one day in 200, or all of them with ALL=1; goes on where it was
	@.ci/setup dev
	@exec $(PY) -m loadtests.replay $(if $(ALL),--one-in 1) $(ARGS)

history:  ## a year of the whole state in an archive: 3,607 facilities, 60 lakh tickets (TICKETS=, FACILITIES=, URL=)
	@.ci/setup dev
	@exec $(PY) -m loadtests.history $(if $(TICKETS),--tickets $(TICKETS)) $(if $(FACILITIES),--facilities $(FACILITIES)) $(if $(URL),--url '$(URL)') $(ARGS)

history-figures:  ## what pages and exports take on the archive of make history (URL=): a page over 300 ms or a slow export ends it with 1
	@.ci/setup dev
	@exec $(PY) -m loadtests.history.figures $(if $(URL),--url '$(URL)') $(ARGS)

pictures:  ## a picture of every screen, in every language, into docs/screens/ (ARGS="--only desk")
	@.ci/setup dev
	@KIOSK_CHROMIUM="$$(.ci/browser)" && export KIOSK_CHROMIUM && exec $(PY) -m loadtests.pictures $(ARGS)

chaos:  ## processes are killed and frozen while people scan (QUICK=1: six strikes of each kind, not 25)
	@.ci/setup dev
	@exec $(PY) -m loadtests.chaos $(if $(QUICK),--quick) $(ARGS)

archive-proof:  ## a day with faults while the archive's role and database are struck, judged by the gateway's journal (PATIENTS=)
	@.ci/setup dev
	@exec $(PY) -m tests.kiosk.archive.proof $(if $(PATIENTS),--patients $(PATIENTS)) $(ARGS)

delivery-proof:  ## a day with faults: webhooks, pull and HL7 hear all of it while the delivery role is killed; ten minutes (PATIENTS=)
	@.ci/setup dev
	@exec $(PY) -m loadtests.delivery.proof $(if $(PATIENTS),--patients $(PATIENTS)) $(ARGS)

delivery-load:  ## how soon events arrive, what dead webhooks cost scans, how quick the API is (ARGS="--cases api")
	@.ci/setup dev
	@exec $(PY) -m loadtests.delivery.load $(ARGS)

soak:  ## an ordinary day at a steady pace (MINUTES=30): does anything grow?
	@.ci/setup dev
	@exec $(PY) -m loadtests.soak $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

fuzz:  ## hostile input over HTTP, a million in half an hour at most (INPUTS=, MINUTES=, SEED=): 0 errors, 0 hangs, no growth, no answer but those described
	@.ci/setup dev
	@exec $(PY) -m loadtests.fuzz $(if $(INPUTS),--inputs $(INPUTS)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) $(ARGS)

floods:  ## every kind of flood, while shares come at a steady pace that must all get their number (ARGS="--kind forms")
	@.ci/setup dev
	@exec $(PY) -m loadtests.floods $(ARGS)

sbom:  ## bill of materials (CycloneDX) of what production installs, and its licences: into reports/
	@.ci/setup dev
	@exec $(PY) -m tests.supply_chain.bill

audit:  ## known vulnerabilities of what production installs; fails or warns when no data is reached, and says how old the last is
	@.ci/setup dev
	@exec $(PY) -m tests.supply_chain.audit

map:  ## draw the map of the rooms and the lists in docs/ from the code, and .env.example
	@.ci/setup dev
	@exec $(PY) -m tests.house.drawn_docs

words:  ## bring the catalogues of kiosk/locales in step with the code and CLDR, say what wants a translation (ARGS=xx: a new language)
	@.ci/setup dev
	@exec $(PY) -m tests.kiosk.locales.catalogues $(ARGS)

install:  ## make .venv with the program in it: .venv/bin/kiosk
	@.ci/setup run

lock:  ## resolve the dependencies anew into requirements/ (UPGRADE=1 for newer versions)
	@.ci/setup dev
	@UPGRADE=$(UPGRADE) .ci/lock

clean:  ## remove what was made, but never the data
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist reports *.egg-info
