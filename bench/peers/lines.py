"""A peer's side of the protocol: one JSON line in, one out, and nothing done in between."""

import json
import sys

TORCH_VERSION = "2.15.0"


def require_version(torch):
    if torch.__version__.split("+")[0] != TORCH_VERSION:
        sys.exit(f"this needs torch {TORCH_VERSION}, and there is {torch.__version__}")


def serve(prepare, measure):
    """prepare(case) gets ready; measure(seconds) returns (milliseconds of a repetition, repetitions)."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "prepare" in request:
                prepare(request["prepare"])
                reply = {}
            else:
                median_ms, count = measure(request["measure"]["seconds"])
                reply = {"medianMs": median_ms, "count": count}
            answer = {"ok": reply}
        except Exception as error:  # the other side tells it in one line
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
