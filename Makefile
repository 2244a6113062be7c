# parkbox: `make sim` runs a lot on this machine, `make test` passes the tests. Nothing else to prepare.
PY = .venv/bin/python
CHROMIUM = chromium:/usr/bin/chromium

.PHONY: help sim test check unit soak bench tls image image-test lock clean
help:
	@echo "make sim    模拟车场 a simulated lot with both programs of the box, until Ctrl-C"
	@echo "make test   全部检查与测试 all checks and tests"
	@echo "make bench  性能比值 figures as ratios in one run"
	@echo "make soak   长时间测试 the long runs: 100,000 cars, thousands of kills"
	@echo "make image  树莓派镜像 flashable image for the Raspberry Pi (root, Debian); image-test: 在 QEMU 中试 it under QEMU"
	@echo "make tls    用 sslyze 检查回调服务器 sslyze judges the callback server"
	@echo "make lock   重新锁定依赖 pin requirements/*.in anew"

sim:
	@tools/setup sim
	@exec .venv/bin/parkbox sim $(ARGS)

test:
	@tools/setup dev $(CHROMIUM)
	@$(MAKE) --no-print-directory check unit

check:
	$(PY) -m ruff check .
	$(PY) -m mypy

unit:
	$(PY) -m pytest -m "not soak and not image" -n 2 --dist loadfile $(ARGS)
	@echo "另有 apart from these: make soak (长 long), make image-test (镜像 the image under QEMU)"

soak:
	@tools/setup dev $(CHROMIUM)
	$(PY) -m pytest -m soak -s $(ARGS)

bench:
	@tools/setup dev
	$(PY) -m bench $(ARGS)

tls:
	@tools/setup dev
	@[ -x .venv-judges/bin/sslyze ] || { python3 -m venv .venv-judges && \
	    .venv-judges/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/judges.txt; }
	$(PY) -m pytest -rs tests/test_shenzhen_sslyze.py $(ARGS)

image:
	@image/tools build
	@image/build

image-test:
	@tools/setup dev
	@image/tools test
	$(PY) -m pytest -m image -rs -s $(ARGS)

lock:
	@for list in box sim dev judges; do uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-emit-index-url requirements/$$list.in -o requirements/$$list.txt; done

clean:
	rm -rf .venv .venv-judges build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
