"""Where findings are kept: git ignores it."""

from tests.places import ROOT

FINDINGS = ROOT / "build" / "fuzz"
