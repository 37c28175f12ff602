"""A right program, which doubles a number: `suite.sandbox.choice.prove` runs it before any that is judged."""

import json
import sys

if __name__ == "__main__":
    sys.stdout.write(json.dumps(2 * json.load(sys.stdin)))
