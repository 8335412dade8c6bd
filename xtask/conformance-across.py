"""The harness beside the checkout (LOCKGATE_CONFORMANCE_RUN: its run.py), where the client behind Lockgate is of another era
than the scenario: CLIENT_ERA=legacy or modern. The direct run stays as it is."""
import importlib.util
import os
import sys

REVISION = {"legacy": "2025-11-25", "modern": "2026-07-28"}

spec = importlib.util.spec_from_file_location("run", os.environ["LOCKGATE_CONFORMANCE_RUN"])
run = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run)

era = os.environ.get("CLIENT_ERA")
if era and sys.argv[1] == "_client" and "--gateway-cmd" in sys.argv:
    os.environ["MCP_CONFORMANCE_PROTOCOL_VERSION"] = REVISION[era]
run.__file__ = os.path.abspath(__file__)
try:
    code = run.main()
finally:
    for process in run.procs:
        run.stop(process)
sys.exit(code)
