# SPDX-License-Identifier: ISC
"""The tables' figures, drawn."""

import matplotlib

matplotlib.use("Agg")

# pylint: disable=wrong-import-position
from matplotlib import pyplot  # noqa: E402

COLOURS = {32: "tab:green", 100: "tab:blue", 1000: "tab:red"}
DOTS_PER_INCH = 80


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path, dpi=DOTS_PER_INCH,
                   metadata={"Software": None})  # the same on every machine
    pyplot.close(figure)


def fanout(figures, path):
    """CPU of a message against the number of clients."""
    figure, axes = pyplot.subplots(figsize=(7, 5))
    for line_bytes in sorted({one["line_bytes"] for one in figures}):
        some = [one for one in figures if one["line_bytes"] == line_bytes]
        clients = [one["clients"] for one in some]
        colour = COLOURS[line_bytes]
        axes.plot(clients, [one["wsexec"] for one in some], "o-",
                  color=colour, label=f"wsexec, {line_bytes} bytes")
        axes.plot(clients, [one["floor"] for one in some], ".:",
                  color=colour, label=f"floor, {line_bytes} bytes")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("clients")
    axes.set_ylabel("CPU of a delivered message, us")
    axes.grid(True, which="both", alpha=0.3)
    axes.legend(ncol=3, fontsize="small", loc="upper center",
                bbox_to_anchor=(0.5, -0.15))
    save(figure, path)


def bars(figures, group, path):
    """CPU of a message, by server; a row of bars for each of the group."""
    groups = list(dict.fromkeys(one[group] for one in figures))
    figure, all_axes = pyplot.subplots(
        1, len(groups), figsize=(3.5 * len(groups), 3), squeeze=False,
        sharey=True)
    for axes, name in zip(all_axes[0], groups):
        some = [one for one in figures if one[group] == name][::-1]
        drawn = axes.barh([one["server"] for one in some],
                          [one["us"] for one in some])
        axes.bar_label(drawn, [f"{one['us']:.2g}" for one in some],
                       padding=3, fontsize="small")
        axes.margins(x=0.25)
        axes.set_title(name if isinstance(name, str)
                       else f"flood, {name} clients", fontsize="medium")
        axes.set_xlabel("CPU of a delivered message, us")
    save(figure, path)


def draw(figures, directory, headings):
    """Writes what there are figures for; returns heading, name and text of
    each."""
    drawn = []
    for table, name, text in (
            ("fanout", "fanout.png", "CPU of a message by clients"),
            ("peers", "peers.png", "CPU of a message by server, floods"),
            ("rates", "rates.png", "CPU of a message by server, rates")):
        some = [one for one in figures if one["table"] == table]
        if not some:
            continue
        if table == "fanout":
            fanout(some, directory / name)
        else:
            bars(some, "clients" if table == "peers" else "load",
                 directory / name)
        drawn.append((headings[table], name, text))
    return drawn
