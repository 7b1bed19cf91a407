"""What was tried of the published packages."""

from __future__ import annotations

import doctest

import packages

from entro_nb.claims.published import observed


def test_packages_were_observed_as_their_hashes_say() -> None:
    seed = "34443d7f25158090332a666be918f5004be7e204b7b66d345785394387666f6f"
    assert observed("entro-engine")["sha256"] == seed  # as printed in seed 000
    assert packages.tally("no tests ran in 0.01s") == {}
    assert doctest.testmod(packages) == (0, 1)
