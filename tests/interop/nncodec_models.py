"""Random models that NNCodec can write and read back.

:func:`nncodec_cases` draws recipes; ``nncodec_codec.code`` turns one into streams with what NNCodec decodes from them.

NNCodec 2.1.3 cannot decode everything it can encode. The strategies leave out, each where it would be drawn:

* block scan of a tensor with one row or one column (the encoder fails: it has no entry point list);
* in chains, block scan, dependent quantization and row skipping together on a width that is neither a multiple of four
  nor inside one block (its trellis and its entropy coder disagree about the state, so its encoder and its decoder go
  on from different levels);
* levels clipped to a bit depth together with dependent quantization (clipping leaves the trellis, so levels differ);
* decomposed weights with a bit depth (the encoder fails), or with a codebook beside vectors (the decoder fails);
* decomposed blocks with block scan whose G fits one block row while H does not (wrong entry points), or of rank 1;
* blocks in update streams (dimensions are left out of the stream and nothing else carries them).

A decomposed weight outside a block is written in profile 0 only, because the encoder refuses it in profile 1, and
NNCodec's decoder is told the layer's name beforehand, without which it cannot decode it.

Run as a program it writes streams and what they decode to::

    python -m tests.interop.nncodec_models --count 20 --seed 1 --out DIR
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.interop.nncodec_codec import code
from tests.interop.recipes import SCAN_BLOCK, Case, Layer, Options, Tensor, Update, Values


@st.composite
def option_sets(draw: st.DrawFn, profiles: tuple[int, ...] = (1, 0), codebooks: bool = True) -> Options:
    """Options that the encoder accepts together."""
    profile = draw(st.sampled_from(profiles))
    density = draw(st.sampled_from([2, 0, 1, 3, 4, 7]))
    dq = draw(st.booleans())
    codebook_mode = draw(st.sampled_from([0, 0, 0, 1, 2])) if codebooks else 0
    # The QP travels in 6 + density bits; codebooks with dependent quantization lower it by one octave. 0 means "unset".
    lowest = max((-32 << density) + (1 << density), -12 << density)
    qps = st.integers(lowest, 3 << density).filter(bool)
    return Options(
        profile=profile,
        qp=draw(qps),
        nonweight_qp=draw(qps),
        qp_density=density,
        dq=dq,
        unary_minus1=draw(st.sampled_from([10, 0, 1, 2, 4, 9, 17, 63, 255])),
        param_opt=draw(st.booleans()),
        row_skipping=draw(st.booleans()),
        codebook_mode=codebook_mode,
        rate_weight=draw(st.sampled_from([0.0, 0.0, 0.0, 0.05, 1.0])),
        bit_depth=0 if codebook_mode or dq else draw(st.sampled_from([0, 0, 0, 0, 2, 6, 8])),
        topology=draw(st.sampled_from([0, 3, 4])),
    )


@st.composite
def value_sets(draw: st.DrawFn, codebook: bool) -> Values:
    """Where values come from; few different levels for codebooks, whose search is slow."""
    spreads = [2.0, 0.3, 0.8, 6.0] if codebook else [2.0, 0.3, 0.8, 8.0, 60.0, 3e3, 1e6, 1e8]
    return Values(
        seed=draw(st.integers(0, 999)),
        spread=draw(st.sampled_from(spreads)),
        zeros=draw(st.sampled_from([0.0, 0.0, 0.5, 0.9, 1.0])),
        zero_rows=draw(st.sampled_from([0.0, 0.0, 0.3, 0.8])),
        distinct=draw(st.sampled_from([0, 1, 2, 5])) if codebook else 0,
        support=draw(st.sampled_from([0, 0, 1])),
    )


@st.composite
def shapes(draw: st.DrawFn, scan_order: int, aligned: bool, least_dimensions: int = 1) -> tuple[int, ...]:
    """A shape that the encoder can scan in the given order; `aligned` where row skipping may meet the trellis."""
    if not scan_order:
        kinds = [
            st.tuples(st.integers(1, 24)),
            st.tuples(st.integers(1, 12), st.integers(1, 12)),
            st.tuples(*[st.integers(1, 6)] * 3),
            st.tuples(*[st.integers(1, 4)] * 4),
            st.tuples(st.integers(8, 24), st.integers(8, 40)),
            st.tuples(st.integers(1, 3), st.integers(1, 300)),
            st.tuples(st.integers(1, 300), st.integers(1, 3)),
        ]
        return draw(st.one_of(kinds[least_dimensions - 1 :]))
    block = SCAN_BLOCK[scan_order]
    height = draw(st.one_of(st.integers(2, block), st.integers(block + 1, 2 * block + 5)))
    width = draw(st.one_of(st.integers(2, block), st.integers(block + 1, block + 13)))
    if aligned and width > block:
        width -= width % 4
    parts = draw(st.sampled_from([1, 2, 3]))
    if parts == 1 or width % 2:
        return height, width
    return (height, width // 2, 2) if parts == 2 else (height, width // 2, 1, 2)


@st.composite
def free_tensors(draw: st.DrawFn, options: Options, chain: bool = False) -> tuple[Tensor, ...]:
    """One to four tensors outside any layer."""
    stems = draw(st.lists(st.sampled_from(["w", "conv.weight", "é", "层.0/权重", "b"]), min_size=1, max_size=4))
    tensors = []
    for index, stem in enumerate(stems):
        scan_order = draw(st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4]))
        shape = draw(shapes(0 if options.codebook_mode and scan_order > 1 else scan_order, aligned=chain))
        tensors.append(
            Tensor(
                name=f"{stem}{index}",
                shape=shape,
                values=draw(value_sets(bool(options.codebook_mode))),
                integer=draw(st.sampled_from([False, False, False, True])),
                scan_order=0 if options.codebook_mode and scan_order > 1 else scan_order,
                qp=None if options.bit_depth else draw(st.sampled_from([None, None, options.nonweight_qp])),
            )
        )
    return tuple(tensors)


@st.composite
def layers(draw: st.DrawFn, name: str, options: Options, separate: bool, chain: bool = False) -> Layer:
    """A layer that NNCodec can write and, told its name if need be, read."""
    if separate:
        may_decompose = options.profile == 0 and not options.bit_depth and not options.codebook_mode
    else:
        may_decompose = not options.bit_depth and options.codebook_mode != 2
    decompose = may_decompose and draw(st.booleans())
    names = ("local_scaling", "bias", "batch_norm")
    parts = {part: not (decompose and options.codebook_mode) and draw(st.booleans()) for part in names}
    if not decompose and not any(parts.values()):
        parts["bias"] = True  # a block of one tensor cannot be written
    scan_order = draw(st.sampled_from([0, 0, 1, 2]))
    if options.codebook_mode or (decompose and separate):
        scan_order = 0
    shape = draw(shapes(scan_order, aligned=chain, least_dimensions=2))
    rank, rows = 0, 1
    if decompose:
        rank = draw(st.integers(2 if scan_order else 1, 12))
        rows = shape[0]
        if not parts["local_scaling"] and not scan_order and draw(st.booleans()):
            rows = shape[0] * shape[1]
        block = SCAN_BLOCK[scan_order]
        if scan_order and rows <= block < rank:
            rank = block
    fold = parts["batch_norm"] and not options.codebook_mode and not options.bit_depth and draw(st.booleans())
    return Layer(
        name,
        shape,
        draw(value_sets(bool(options.codebook_mode))),
        **parts,
        fold=fold,
        rank=rank,
        factor_rows=rows,
        scan_order=scan_order,
        separate=separate,
    )


@st.composite
def tensor_cases(draw: st.DrawFn) -> Case:
    """Models without layers, in one stream."""
    options = draw(option_sets())
    device_id = draw(st.sampled_from([0, 0, 1, 6])) if options.profile else 0
    return Case(options, draw(free_tensors(options)), device_id=device_id)


@st.composite
def layer_cases(draw: st.DrawFn) -> Case:
    """Models with layers, as blocks or as separate units, and sometimes a free tensor."""
    separate = draw(st.booleans())
    options = draw(option_sets(profiles=(0, 1) if separate else (1, 0)))
    drawn = tuple(draw(layers(name, options, separate)) for name in draw(st.sampled_from([["fc"], ["conv1", "conv2"]])))
    if any(layer.fold for layer in drawn):  # folding is one switch for the whole model
        drawn = tuple(replace(layer, fold=True) for layer in drawn)
    return Case(options, draw(free_tensors(options)) if draw(st.booleans()) else (), drawn)


@st.composite
def chain_cases(draw: st.DrawFn) -> Case:
    """A base model and up to three updates."""
    options = draw(option_sets(profiles=(1,)))
    signal, parent = draw(st.booleans()), draw(st.booleans())
    history = draw(st.sampled_from([False, True, True]))
    drawn: tuple[Layer, ...] = ()
    if not signal and not parent and draw(st.booleans()):
        drawn = (draw(layers("conv", options, separate=False, chain=True)),)
    tensors = draw(free_tensors(options, chain=True))
    names = [tensor.name for tensor in tensors]
    zeros = draw(st.sampled_from([0.0, 0.5, 0.9]))  # the same weights change in every update, or history would not pay
    updates = []
    for _ in range(draw(st.sampled_from([1, 2, 3, 3]))):
        changes = draw(option_sets(profiles=(1,)))
        updates.append(
            Update(
                changes,
                replace(draw(value_sets(bool(changes.codebook_mode))), zeros=zeros, support=0),
                draw(st.frozensets(st.sampled_from(names), max_size=len(names) - 1)),
                temporal_contexts=draw(st.booleans()),
            )
        )
    return Case(
        options,
        tensors,
        drawn,
        tuple(updates),
        history=history,
        base_in_history=history and draw(st.booleans()),
        signal_parents_in_base=signal,
        base_is_parent=parent,
    )


def nncodec_cases() -> st.SearchStrategy[Case]:
    """Everything that NNCodec can write and read back."""
    return st.one_of(tensor_cases(), layer_cases(), chain_cases())


def draw_cases(count: int, start: int) -> list[Case]:
    """`count` different cases, the same for the same `start`."""
    cases: dict[str, Case] = {}

    @seed(start)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(nncodec_cases())
    def collect(case: Case) -> None:
        cases.setdefault(repr(case), case)

    collect()
    return list(cases.values())[:count]


def write_case(case: Case, stem: Path) -> list[Path]:
    """One ``.nnc`` and one ``.npz`` per stream of the case, and the recipe beside them."""
    written = []
    coded = code(case)
    for step, stream in enumerate(coded):
        name = stem.name if len(coded) == 1 else f"{stem.name}.s{step}"
        path = stem.with_name(name + ".nnc")
        path.write_bytes(stream.stream)
        arrays = {f"tensor.{key}": array for key, array in stream.tensors.items()}
        arrays |= {f"levels.{key}": array for key, array in stream.levels.items()}
        np.savez_compressed(stem.with_name(name + ".npz"), **arrays)
        recipe = {"tools": sorted(stream.tools), "step": step, "of": len(coded), "case": asdict(case)}
        stem.with_name(name + ".json").write_text(json.dumps(recipe, indent=1, default=sorted), encoding="utf-8")
        written.append(path)
    return written


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write streams by NNCodec with what NNCodec decodes from them.")
    parser.add_argument("--count", type=int, default=20, help="number of models; a chain counts once (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same models (default: 1)")
    parser.add_argument("--out", type=Path, required=True, help="directory to write to")
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(draw_cases(chosen.count, chosen.seed)):
        for path in write_case(case, chosen.out / f"live{number:03d}"):
            print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
