"""Which faults are put into a source, and which names they get."""

from __future__ import annotations

from nnr_conformance.suite.mutation.mutants import Mutant, Sources, replaced, source_mutants


def faults(source: str, module: str = "bits") -> dict[str, set[str]]:
    """The changed lines of a source by operator."""
    found: dict[str, set[str]] = {}
    for mutant in source_mutants(module, source):
        assert mutant.edit is not None
        after = replaced(source, mutant.edit).splitlines()
        before = source.splitlines()
        changed = [line.strip() for line in after if line not in before] or ["(gone)"]
        found.setdefault(mutant.operator, set()).update(changed)
    return found


def ids(source: str) -> list[str]:
    return [mutant.id for mutant in source_mutants("bits", source)]


def test_arithmetic_and_bit_operators_become_others() -> None:
    found = faults("def f(a, b):\n    return (a << b) + -a\n")
    assert found == {
        "arithmetic": {"return ((a << b) - -a)", "return (a << b) + a"},
        "bit_operator": {"return ((a >> b)) + -a"},
    }


def test_an_operator_keeps_its_operands_when_another_binds_otherwise() -> None:
    found = faults("def f(a, b, c):\n    return a - b * c\n")
    assert found == {"arithmetic": {"return (a + b * c)", "return a - (b + c)"}}


def test_comparisons_get_their_boundary_and_their_opposite() -> None:
    found = faults("def f(a, b):\n    return a < b\n")
    assert found == {"boundary": {"return (a <= b)"}, "comparison": {"return (a >= b)"}}


def test_tests_for_none_are_turned_round() -> None:
    assert faults("def f(a):\n    return a is None\n") == {"comparison": {"return (a is not None)"}}


def test_conditions_are_negated_joined_otherwise_and_lose_an_operand() -> None:
    found = faults("def f(a, b):\n    if a and b:\n        a = b\n")
    assert found["negated_condition"] == {"if (not (a and b)):"}
    assert found["boolean"] == {"if (a or b):"}
    assert found["dropped_operand"] == {"if (b):", "if (a):"} or found["dropped_operand"] == {"if b:", "if a:"}


def test_a_single_comparison_is_not_negated_twice() -> None:
    assert "negated_condition" not in faults("def f(a, b):\n    if a == b:\n        return 1.5\n")


def test_branches_of_a_conditional_expression_are_swapped() -> None:
    assert faults("def f(a, b, c):\n    return a if b else c\n") == {
        "negated_condition": {"return (a if not b else c)"}
    }


def test_constants_are_one_more_and_one_less() -> None:
    assert faults("LIMIT = 7\n") == {"constant": {"LIMIT = 8", "LIMIT = 6"}}
    assert faults("FLAG = True\n") == {"constant": {"FLAG = False"}}
    assert faults("NONE = 0\n") == {"constant": {"NONE = 1"}}


def test_ranges_and_slices_are_off_by_one() -> None:
    assert faults("def f(n):\n    return range(n)\n") == {"off_by_one": {"return range(n + 1)", "return range(n - 1)"}}
    assert faults("def f(a, n):\n    return a[:n]\n") == {"off_by_one": {"return a[:n + 1]", "return a[:n - 1]"}}


def test_resets_are_dropped_but_not_what_first_gives_a_name_its_value() -> None:
    found = faults("def f(self, a, b):\n    c = a\n    b = a\n    self.x = c\n    self.g()\n    b += c\n")
    assert found["dropped_statement"] == {"pass"}
    dropped = [
        mutant.line for mutant in source_mutants("bits", "def f(a, b):\n    c = a\n    b = a\n    return b, c\n")
    ]
    assert dropped == [3]


def test_arguments_of_equal_kind_are_swapped() -> None:
    assert faults("def f(a, b):\n    return g(a, b, 'c')\n") == {"swapped_arguments": {"return g(b, a, 'c')"}}


def test_context_indices_are_wrong() -> None:
    found = faults("def f(p, c, d, k):\n    return decode_bin(p, c, d, k)\n")
    assert found["context_index"] == {"return decode_bin(p, c, d, k + 1)", "return decode_bin(p, c, d, k - 1)"}


def test_minimum_and_maximum_break_and_continue_change_places() -> None:
    assert faults("def f(a, b):\n    return min(a, b)\n")["opposite_function"] == {"return max(a, b)"}
    found = faults("def f(a):\n    for b in a:\n        continue\n")
    assert found == {"loop_control": {"break"}, "dropped_statement": {"pass"}}


def test_conditions_and_checks_of_declarations_are_mutated() -> None:
    source = 's = Structure("s", If(this.x == 1, "y" / u(8, must=Must(value <= 4, "c"))), Bound("y", "a", "b"))\n'
    found = faults(source, "syntax.units")
    assert any("this.x != 1" in line for line in found["comparison"])
    assert any("value < 4" in line for line in found["boundary"])
    assert any("must" not in line for line in found["dropped_check"])
    assert any("Bound" not in line for line in found["dropped_check"])
    assert '"y" / u(9' in "".join(found["constant"])


def test_texts_types_names_and_checks_of_types_are_left_out() -> None:
    source = '''
"""Text."""
Alias = dict[str, int]

def f(a: int | None, findings, tools) -> tuple[int, int]:
    """More text: 1 + 1."""
    assert a is not None
    message = f"{a + 1} is wrong" + "x" * 3
    findings.report("code", f"found {a - 1}", path="a" + "b")
    tools.add("x")
    del a
    raise UsageError("of no " + "use")
'''
    assert {mutant.operator for mutant in source_mutants("bits", source)} == {"dropped_statement"}
    assert len([*source_mutants("bits", source)]) == 2  # the report and the raise


def test_checks_of_what_a_caller_gives_are_left_out_and_checks_of_streams_are_not() -> None:
    source = "def f(a, b):\n    if a > 3:\n        raise {}('no')\n    return b\n"
    assert not faults(source.format("UsageError"))
    assert set(faults(source.format("EndOfBits"))) == {"boundary", "comparison", "constant", "dropped_statement"}


def test_conditions_of_what_only_reports_are_left_out_and_others_are_not() -> None:
    source = "def f(a, tools):\n    if a > 3:\n        {}\n    return tools\n"
    assert not faults(source.format("tools.add('x')"))
    assert {"boundary", "comparison", "constant"} <= set(faults(source.format("use(a)")))


def test_what_only_builds_or_explains_is_left_out() -> None:
    assert not faults("class BitWriter:\n    def bits(self, a):\n        return a + 1\n")
    assert not faults("class D:\n    def label(self):\n        return 1 + 1\n")
    assert not faults("def describe(a):\n    return a + 1\n", "syntax.describe")


def test_ids_stay_when_other_lines_change() -> None:
    source = "def f(a, b):\n    if a < b:\n        return a + 1\n    return b\n"
    moved = (
        '"""New."""\n\nX = [1, 2]\n\n\ndef f(a, b):\n    c = a * b\n    if a < b:\n        return a + 1\n    return b\n'
    )
    assert set(ids(source)) < set(ids(moved))
    assert not set(ids(source)) & set(ids(source.replace("a + 1", "a + 2").replace("a < b", "a <= b")))


def test_ids_are_unique_also_on_equal_lines() -> None:
    source = "def f(a):\n    a += 1\n    a += 1\n    return a\n"
    assert len(ids(source)) == len(set(ids(source))) == 8


def test_names_in_ids_are_those_of_the_functions() -> None:
    source = "class A:\n    def f(self):\n        def g():\n            return 1\n        return g\n\n    X = 3\n"
    assert {identifier.split(":")[1] for identifier in ids(source)} == {"A.f.g", "A.X"}


def test_a_replacement_beside_letters_of_many_bytes_is_exact() -> None:
    source = 'def f(a):\n    return g("·×·", a + 1), "·"\n'
    assert 'return g("·×·", (a - 1)), "·"' in faults(source)["arithmetic"]


def test_every_mutant_of_the_decoder_compiles_and_differs() -> None:
    sources = Sources.installed()
    mutants = sources.mutants()
    assert len(mutants) >= 1500
    assert len({mutant.id for mutant in mutants}) == len(mutants)

    def broken(mutant: Mutant) -> bool:
        text = sources.mutated(mutant)
        try:
            compile(text, mutant.id, "exec")
        except SyntaxError:
            return True
        return text == sources.texts[mutant.module]

    assert not [mutant.id for mutant in mutants[::7] if mutant.edit is not None and broken(mutant)]


def test_tables_have_wrong_entries_at_the_same_places_in_every_run() -> None:
    first, second = (Sources.installed().mutants(["tables"]) for _ in range(2))
    assert [mutant.table for mutant in first] == [mutant.table for mutant in second]
    tables = {mutant.table.table for mutant in first if mutant.table is not None}
    assert tables >= {"range_lps", "transition", "init_sets", "state_transition", "zero_run_state", "scan_block_size"}
    assert all(mutant.table is not None and mutant.table.before != mutant.table.after for mutant in first)
