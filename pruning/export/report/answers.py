"""What became of the answers: counted, class by class, and, where the author chose so, as pictures."""

from __future__ import annotations

from html import escape

from pruning.base.words import interval, percent
from pruning.export.report.contents import Contents, Picture
from pruning.export.report.parts import section, table
from pruning.render.markup.badges import badge
from pruning.tasks.classification import ACCURACY


def answers(contents: Contents) -> str:
    """What became of the answers: counted, class by class, and, if chosen, as pictures."""
    found, kind = contents.changes, contents.badge
    if found is None:
        return section("answers", "Answers", lead="No answers were counted: the run had no test images.")
    counts = [
        ("same", found.same, "same answer" if found.otherwise is not None else _kept(contents)),
        ("removed", found.newly_wrong, contents.metric.lost),
    ]
    if found.newly_right or contents.metric.judges:  # nothing agrees more with the unpruned network than itself
        counts.append(("right", found.newly_right, contents.metric.won))
    if found.otherwise:
        counts.append(("dense", found.otherwise, contents.metric.otherwise))
    bar = "".join(
        f'<i class="{name}" style="flex-grow:{count}"></i>' for name, count, _ in counts if count
    )  # to scale: a count that is a hair wide is a hair wide
    words = "".join(
        f'<li><i class="mark box {name}"></i><b>{count:,}</b>{badge(kind)} {text}</li>' for name, count, text in counts
    )
    parts = [
        f'<div class="bar" aria-hidden="true">{bar}</div><ul class="counts">{words}</ul>',
        _classes(contents),
        _gallery(contents),
    ]
    return section(
        "answers",
        f"Of {found.images:,} test images",
        *parts,
        lead="The same images were shown to both networks, once, after all choices had been made.",
    )


def _kept(contents: Contents) -> str:
    return "as right or wrong as before" if contents.info.labelled else contents.metric.kept


def _classes(contents: Contents) -> str:
    if not contents.info.labelled:
        return ""
    if not contents.classes:
        return (
            '<p class="small">This run was made before answers were kept image by image, so there is no view by '
            "class: run its recipe again for one.</p>"
        )
    rows = []
    for change in contents.classes:
        low, high = map(ACCURACY.signed, change.difference.interval)
        rows.append(
            [
                escape(change.name),
                f"{change.images:,}",
                percent(change.before_accuracy),
                f"{percent(change.after_accuracy)} ({interval(change.after_interval)})",
                f"{ACCURACY.signed(change.difference.value)} ({low} to {high})",
                "yes" if change.shows else "no",
            ]
        )
    after = f"&nbsp;{badge(contents.badge)}"
    heads = (
        "class",
        "images",
        f"original&nbsp;{badge('measured')}",
        f"pruned{after}",
        f"change in points{after}",
        "beyond chance?",
    )
    return (
        f"<h3>Class by class</h3>{table(heads, rows, label='Accuracy by class', html=True)}"
        '<p class="small">The greatest loss first. Each class was looked at alone: among '
        f"{len(rows)} classes one may look beyond chance by accident.</p>"
    )


PRIVACY = "Whoever passes this report on passes the images on: make sure that their owners and whoever they show agree."


def _gallery(contents: Contents) -> str:
    if not contents.photos:
        return f'<p class="small">{escape(contents.why_no_photos)}</p>' if contents.why_no_photos else ""
    parts = []
    for shelf in contents.shelves:
        if shelf.pictures:
            shown, count = len(shelf.pictures), shelf.total
            more = f" (the first {shown} of {count:,})" if count > shown else f" (all {count:,})"
            cells = "".join(_picture(picture, contents) for picture in shelf.pictures)
            parts.append(f'<h3>{shelf.title}{more}</h3><ul class="gallery">{cells}</ul>')
    if not parts:
        return '<p class="small">No answer became wrong or right, so there is no image to show.</p>'
    said = f"These are test images of {escape(contents.info.title)}: to look at, not to choose by."
    return "".join(parts) + f'<p class="small">{said} {PRIVACY}</p>'


def _picture(picture: Picture, contents: Contents) -> str:
    case = picture.case
    said = [escape(contents.named(answer)) for answer in (case.before, case.after)]
    sure = [percent(share, 0).replace(" ", "&nbsp;") for share in (case.before_confidence, case.after_confidence)]
    told = [f"{words}, {share}" for words, share in zip(said, sure, strict=True)]
    if case.label is not None:
        title = escape(contents.info.classes[case.label])
        shows = f"an image of class {title}"
    elif case.before == case.after:
        title, told = f"both say {said[0]}", sure
        shows = title
    else:
        title = shows = "they differ"
    smooth = ' class="smooth"' if picture.smooth else ""
    return (
        f'<li><img{smooth} src="{picture.uri}" alt="Test image {case.index}, {shows}" width="84" '
        f'height="84"><span><b>{title}</b>original: {told[0]}<br>pruned: {told[1]}</span></li>'
    )
