"""Labels identify: equal ones are one, and their fingerprints are Alertmanager's."""

from __future__ import annotations

import pickle

from workbench.alerts import Labels


def test_order_and_empty_values_make_no_difference():
    first, second = Labels({"a": "1", "b": "2"}), Labels({"b": "2", "c": "", "a": "1"})
    assert first == second
    assert len({first, second}) == 1
    assert first != Labels({"a": "1", "b": "3"})


def test_a_fingerprint_is_fnv_1a_over_names_and_values():
    # FNV-1a of nothing is its offset, and of b"a\xffb\xff" as computed by hand from the published primes.
    assert Labels().fingerprint == "cbf29ce484222325"
    value = 0xCBF29CE484222325
    for byte in b"a\xffb\xff":
        value = (value ^ byte) * 0x100000001B3 % 2**64
    assert Labels({"a": "b"}).fingerprint == f"{value:016x}"


def test_labels_go_through_a_pickle():
    labels = Labels({"server": "a"})
    assert pickle.loads(pickle.dumps(labels)) == labels


def test_a_value_with_quotes_is_written_with_escapes():
    assert str(Labels({"a": 'x"y\\z\n'})) == r'{a="x\"y\\z\n"}'
