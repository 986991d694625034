# `make demo` sets the site up and serves it; `make test` runs every check. Both install what they need into .venv.

.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
BROWSER := browser-1 browser-2 browser-3 browser-4
SOURCES := veltrix articles careers newsletter tests manage.py
PRODUCTION := SECRET_KEY=$$(head -c 48 /dev/urandom | od -An -tx1 | tr -d ' \n') SITE_URL=https://veltrix.example \
	BEHIND_PROXY=true EMAIL_URL=smtp+tls://user:password@127.0.0.1:587 VAR_DIR=$$(mktemp -d)

.PHONY: help demo test lint types templates migrations deploy-check imports sqlite postgres faults browser $(BROWSER) chromium soak bench format requirements

help:
	@echo "make demo   set up and serve the site on http://127.0.0.1:8000"
	@echo "make test   run every check and test"
	@echo "make soak   send hostile requests, then editions through faults for an hour"
	@echo "make bench  measure how fast pages and mails are, and write docs/performance*.md"
	@echo "make format write the code in its format"

# The environments: the stamp is renewed when the pinned requirements change.

$(VENV)/runtime: requirements/base.txt
	@python=$$(.ci/python) || exit 1; [ -x $(BIN)/python ] || "$$python" -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/base.txt
	@touch $@

$(VENV)/development: requirements/dev.txt $(VENV)/runtime
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

.env:
	@umask 077; printf 'SECRET_KEY=%s\n' "$$(head -c 48 /dev/urandom | od -An -tx1 | tr -d ' \n')" > $@

demo: $(VENV)/runtime .env
	@$(BIN)/python manage.py demo

# Two at a time, in this order: what takes more than one core beside what does not, and last what can be divided.
test: $(VENV)/development
	@$(MAKE) --no-print-directory -j2 -O lint types templates migrations deploy-check imports
	@$(MAKE) --no-print-directory -j2 -O faults sqlite postgres $(BROWSER)

lint: $(VENV)/development
	$(BIN)/ruff format --check --quiet $(SOURCES)
	$(BIN)/ruff check --quiet $(SOURCES)
	$(BIN)/django-upgrade --target-version 6.1 $$(git ls-files '*.py')

types: $(VENV)/development
	$(BIN)/mypy .

templates: $(VENV)/development
	$(BIN)/djade --check --target-version 6.1 $$(git ls-files 'templates/*.html')
	$(BIN)/djlint --lint --quiet templates

migrations: $(VENV)/development
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run

deploy-check: $(VENV)/development
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

imports: $(VENV)/development
	$(BIN)/lint-imports

sqlite: $(VENV)/development
	$(BIN)/coverage run -m pytest -m "not browser and not faults"
	$(BIN)/coverage report --skip-covered --skip-empty --fail-under=95

postgres: $(VENV)/development
	$(BIN)/python -m tests.postgres $(BIN)/pytest -m "not browser and not faults"

browser: $(BROWSER)

$(BROWSER): browser-%: chromium
	$(BIN)/pytest --part $*/4 tests/browser

chromium: $(VENV)/development
	$(BIN)/python -m tests.browser.chromium

faults: $(VENV)/development
	$(BIN)/pytest tests/faults tests/nodes

# Hostile requests, then sending through faults for half an hour on each engine; ends at the first run that the audit
# finds fault with.
soak: $(VENV)/development
	HOSTILE_REQUESTS=10000 $(BIN)/pytest tests/nodes/test_hostile.py
	for n in $$(seq 15); do \
		$(BIN)/python -m tests.faults --people 8000 --seconds 100 || exit 1; \
		$(BIN)/python -m tests.faults --engine sqlite --machines 1 --people 6000 --seconds 100 || exit 1; \
	done

bench: $(VENV)/development
	$(BIN)/python -m tests.bench.mail docs/performance-newsletter.md
	$(BIN)/python -m tests.bench docs/performance.md

format: $(VENV)/development
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/djade --target-version 6.1 $$(git ls-files 'templates/*.html')

requirements: $(VENV)/development
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.12 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --quiet --upgrade -o requirements/base.txt
	$(BIN)/uv pip compile pyproject.toml --extra opensearch --universal --python-version 3.12 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --quiet --upgrade -c requirements/base.txt -o requirements/opensearch.txt
	$(BIN)/uv pip compile pyproject.toml --extra opensearch --group dev --universal --python-version 3.12 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --quiet --upgrade -c requirements/opensearch.txt -o requirements/dev.txt
