"""State machines as drawings: a column for each state, a row for each transition, an arrow from column to column."""

from __future__ import annotations

from importlib import import_module

from nnr_conformance.machines import END, Machine, Transition
from nnr_sphinx.svg import ARROW, BAD, box, drawing, line, path, text

COLUMN = 130
ROW = 30
TOP = 44


def machine_at(where: str) -> Machine:
    """The machine of a path such as ``nnr_conformance.decoder.order_machines:ELEMENT``. Raises ValueError."""
    module, _, name = where.partition(":")
    found = getattr(import_module(module), name, None)
    if not isinstance(found, Machine):
        raise ValueError(f"no machine {where}")
    return found


def machine_drawing(machine: Machine, name: str) -> str:
    """The drawing; arrows of transitions that break a requirement have another colour and name the diagnostic."""
    states = states_in_order(machine)
    labels = _label_width(machine)
    width = labels + COLUMN * len(states) + 30
    height = TOP + ROW * len(machine.table) + 24
    parts = [ARROW.format(name=f"{name}-good", colour="currentColor"), ARROW.format(name=f"{name}-bad", colour=BAD)]
    for state in states:
        x = labels + COLUMN * (states.index(state) + 0.5)
        parts += [box(x - 58, 4, 116, 26), text(x, 21, state, anchor="middle")]
        parts.append(line(x, 30, x, height - 6, more='stroke-opacity=".35" stroke-dasharray="2 4"'))
        if state == machine.start:
            parts.append(f'<circle cx="{x - 58:g}" cy="17" r="4"/>')
    for number, ((state, event), transition) in enumerate(machine.table.items()):
        y = TOP + ROW * number + 16
        start, end = (labels + COLUMN * (states.index(one) + 0.5) for one in (state, transition.state))
        parts += _transition(event, transition, y, (labels, start, end), name)
    return drawing(round(width), height, f"State machine: {machine.about.split(':')[0]}", parts, minimum=560)


def states_in_order(machine: Machine) -> list[str]:
    """The start, then the other states as the table comes to them."""
    found = [machine.start]
    for (state, _), transition in machine.table.items():
        found += [one for one in (state, transition.state) if one not in found]
    return found


def _label_width(machine: Machine) -> float:
    """Room for the longest event and diagnostic of a row."""
    rows = [(event, transition) for (_, event), transition in machine.table.items()]
    return max(7.4 * len(_words(event)) + 6.3 * len(", ".join(_broken(one))) for event, one in rows) + 50


def _words(event: str) -> str:
    return "the model ends" if event == END else event


def _broken(transition: Transition) -> list[str]:
    return [remark.code for remark in transition.remarks if not remark.met]


def _transition(event: str, transition: Transition, y: float, x: tuple[float, float, float], name: str) -> list[str]:
    """The words of a row, which end at the first of `x`, and its arrow from the second to the third."""
    labels, x1, x2 = x
    broken = _broken(transition)
    colour = BAD if broken else "currentColor"
    arrow = f'marker-end="url(#{name}-{"bad" if broken else "good"})"'
    parts = [text(4, y + 4, _words(event), colour=BAD if broken else "")]
    if broken:
        parts.append(text(labels - 20, y + 4, ", ".join(broken), anchor="end", colour=BAD, size=11))
    if x1 == x2:
        parts.append(path(f"M{x1:g} {y - 7:g} c26 -4 26 18 3 14", colour=colour, more=arrow))
    else:
        parts.append(line(x1, y, x2, y, colour=colour, more=arrow))
    parts.append(f'<circle cx="{x1:g}" cy="{y - 7 if x1 == x2 else y:g}" r="2.5" fill="{colour}"/>')
    return parts
