"""State machines that decoding itself needs: parts of payloads, ids of elements, the reference list (clause 6).

The decoder feeds them, since only it knows the ids of elements and what it can decode. Those that are about order alone
are in `checker`.
"""

from __future__ import annotations

from nnr_conformance.machines import END, Machine, anew, broken, left_open, met, to

PARTITION = Machine(
    """R-UNIT-12, R-UNIT-13, R-UNIT-14, R-UNIT-15, R-UNIT-18: a payload in parts, one instance for each unit type.

    A partition counts down from the number of its parts to 1, in units of one type and with the same ids; a unit that
    holds all data of an element does not come between its parts.
    """,
    start="no partition",
    table={
        ("no partition", "part"): to("open"),
        ("no partition", "complete unit"): to("no partition", met("complete_unit_in_partition")),
        ("complete", "part"): to("open"),
        ("complete", "another part"): anew("open", broken("partial_data_count", "{found}")),
        ("complete", "complete unit"): to("complete", met("complete_unit_in_partition")),
        ("open", "next part"): to(
            "open", met("partial_data_ids"), met("partial_data_sequence"), met("partial_data_count")
        ),
        ("open", "part of another element"): anew("open", broken("partial_data_ids", "{found}")),
        ("open", "part above the first"): anew("open", broken("partial_data_count", "{found}")),
        ("open", "part out of order"): anew("open", broken("partial_data_sequence", "{found}")),
        ("open", "part 1"): to("complete", met("partial_data_incomplete")),
        ("open", "complete unit"): to(
            "open", broken("complete_unit_in_partition", "the partition that {origin} began is not complete")
        ),
        ("open", END): to("no partition", left_open("partial_data_incomplete", "{found}")),
    },
)

ELEMENT = Machine(
    "R-ORD-05, R-ORD-06: a topology element occurs once in a model, one instance for each id.",
    start="new",
    table={
        ("new", "named"): to("known", met("element_repeated")),
        ("known", "named"): anew("known", broken("element_repeated", "{found} was in {origin} before")),
        ("new", "indexed"): to("known", met("element_index_repeated")),
        ("known", "indexed"): anew("known", broken("element_index_repeated", "{found} was in {origin} before")),
    },
)

REFERENCE_LIST = Machine(
    "R-ORD-10, R-ORD-11: one reference list, and it precedes the first index.",
    start="no list",
    table={
        ("no list", "list"): to("list", met("reference_list_repeated")),
        ("no list", "index"): to(
            "no list", broken("reference_list_missing", "no NNR_TPL_REFLIST unit came before this index")
        ),
        ("list", "list"): anew("list", broken("reference_list_repeated", "this one replaces the first")),
        ("list", "index"): to("list", met("reference_list_missing")),
    },
)

DECODER_MACHINES = (PARTITION, ELEMENT, REFERENCE_LIST)
"""Machines whose decisions a StreamDecoder tells its judge."""
