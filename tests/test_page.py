"""One page from one notebook: by hand, without running anything."""

import base64
import hashlib
import json
import re
from itertools import pairwise

import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from test_display import HOSTILE, Seen

from salesnb import notes, schema
from salesnb.finding import Finding, Urgency
from salesnb.report import agreement, page
from salesnb.report.agreement import Agreement, Commitment

WHO = HOSTILE[0]


def cell(html="", *tags, text="", error=""):
    made = new_code_cell("secret_code()", metadata={"tags": list(tags)})
    if html:
        made.outputs.append(new_output("display_data", data={"text/html": html}))
    if text:
        made.outputs.append(new_output("stream", name="stdout", text=text))
    if error:
        made.outputs.append(new_output("error", ename="DataError", evalue=error, traceback=[]))
    return made


@pytest.fixture
def notebook():
    return new_notebook(
        cells=[
            new_markdown_cell("# One-on-one\n\nFor two."),
            cell(text="loading"),
            new_markdown_cell("## What goes well?\n\nRead it *so*."),
            cell("<p>Wins</p>"),
            cell("<p>Whisper</p>", "manager-only"),
            cell("", "remove-cell", "summary", text="In one\nline"),
            new_markdown_cell("## Since last time"),
            cell(error="coaching: this table <b>"),
            new_markdown_cell("## On Monday\n\nDo."),
        ]
    )


def sheet(**changes):
    given = {
        "about": WHO,
        "as_of": "30 June 2026",
        "team": "Demo & Co",
        "facts": {"Data": "demo, 123", "salesnb": "0.1"},
    }
    return page.Sheet(**(given | changes))


def test_words_and_answers_without_code(notebook):
    html = page.render(notebook, sheet())
    assert "secret_code" not in html
    assert "In one" not in html
    assert "<em>so</em>" in html
    text = " ".join("".join(Seen(html).text).split())
    places = [
        text.index(word) for word in ("For two.", "What goes well?", "Wins", "On Monday", "123")
    ]
    assert places == sorted(places)
    assert page.title(notebook) == "One-on-one"
    assert page.printed(notebook, page.SUMMARY) == "In one line"
    assert page.printed(notebook, page.FLAG) == ""


def test_a_lacking_table_is_one_line(notebook):
    assert '<p class="lacking">coaching: this table &lt;b&gt;</p>' in page.render(notebook, sheet())


def test_the_reps_copy_has_no_whisper_and_no_way_back(notebook):
    managers = page.render(notebook, sheet(edition="Manager's copy", index="../index.html"))
    reps = page.render(notebook, sheet(edition="Ann's copy", for_manager=False))
    assert "Whisper" in managers
    assert '<details class="manager"' in managers
    assert "Whisper" not in reps
    assert "manager" not in {attrs.get("class") for _, attrs in Seen(reps).tags}
    assert 'href="../index.html"' in managers
    assert "index.html" not in reps


def test_nothing_comes_from_elsewhere(notebook):
    html = page.render(notebook, sheet())
    tags = Seen(html).tags
    (policy,) = [a["content"] for t, a in tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert not {"link", "iframe", "object"} & {tag for tag, _ in tags}
    assert not [a for tag, a in tags if tag == "script" and a]
    outside = [a for _, a in tags if a.get("src", "").startswith(("http", "//"))]
    assert not outside
    assert "url(" not in re.sub(r"url\(#\w+\)", "", html)
    assert "@import" not in html


@pytest.fixture
def form():
    """A page with a form, of a rep whose commitments and team are called as badly as can be."""
    earlier = [Commitment(f"S{i} {WHO}", WHO, "2026-05-04", "") for i in range(3)]
    stamp = json.dumps({"team": WHO, "name": WHO, "file": "notes-R1.json"})
    return Agreement(stamp, (WHO, "Demo"), "", "2027-07-01", tuple(earlier))


def agreed(form=None):
    cells = [
        new_markdown_cell("# One-on-one"),
        new_markdown_cell("## What do we agree?\n\nTogether.", metadata={"tags": ["agreement"]}),
    ]
    return page.render(new_notebook(cells=cells), sheet(agreement=form))


def test_a_page_has_one_script_which_the_policy_names(form):
    for html in (agreed(form), agreed()):
        (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
        assert policy(html)["script-src"] == digest(script)
        assert ("localStorage" in script) == (html == agreed(form))
    script = page.script("tables.js", "notes.js")
    words = ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "fetch(")
    assert not any(word in script for word in (*words, "XMLHttp", "alert(", "confirm(", "<!--"))


def policy(html):
    """The policy of a page: what to where it may come from."""
    (written,) = [a["content"] for _, a in Seen(html).tags if "http-equiv" in a]
    return dict(part.strip().partition(" ")[::2] for part in written.split(";"))


def digest(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_policy_knows_the_style_sheet_and_lets_in_nothing_else(notebook, form):
    for html in (page.render(notebook, sheet()), agreed(form)):
        (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
        found = policy(html)
        found.pop("script-src", None)
        assert found == {
            "default-src": "'none'",
            "style-src": "'unsafe-inline'",  # for browsers that do not know the next two
            "style-src-elem": digest(style),
            "style-src-attr": "'unsafe-inline'",
            "img-src": "data:",
            "base-uri": "'none'",
            "form-action": "'none'",
        }


def test_without_a_form_nothing_is_kept(notebook, form):
    for html in (agreed(), page.render(notebook, sheet(agreement=form))):
        assert "localStorage" not in html
        assert 'id="agreement"' not in html


def test_each_box_of_the_form_has_a_label_and_a_place_in_the_table(form):
    seen = Seen(agreed(form))
    boxes = [a for tag, a in seen.tags if tag in ("input", "select", "textarea")]
    named = {a["for"] for tag, a in seen.tags if tag == "label"}
    assert {a["id"] for a in boxes} == named
    fields = [a["data-field"] for a in boxes if "data-field" in a]
    assert set(fields) == set(notes.FIELDS) - {"question"}
    assert len(fields) == len(set(fields))
    assert [a["data-done"] for a in boxes if "data-done" in a] == [f"S{i} {WHO}" for i in range(3)]
    options = [a.get("value") for tag, a in seen.tags if tag == "option"]
    kinds, reasons = options[:4], options[4:8]
    columns = schema.columns("coaching")
    assert kinds == columns["kind"].checks[0].statistics["allowed_values"]
    assert reasons == ["", *columns["reason"].checks[0].statistics["allowed_values"]]
    assert options[8:] == [WHO, "Demo"]
    assert "form" not in {tag for tag, _ in seen.tags}, "nothing can be sent"


def test_what_the_form_knows(small):
    rep = small.reps["rep_id"].iloc[0]
    made = agreement.of(small, rep, "R-1")
    stamp = json.loads(made.stamp)
    assert stamp.pop("file") == f"notes-R-1-{small.as_of.date()}.json"
    assert set(stamp) == set(notes.KEYS) - {"session_id", "fields", "done"}
    assert (stamp["rep_id"], stamp["data"]) == (rep, small.fingerprint)
    own = small.coaching[small.coaching["rep_id"] == rep]
    want = own[own["commitment"].notna() & own["done_on"].isna()]
    assert {each.session_id for each in made.open} == set(want["session_id"])
    assert made.open == (*made.recent, *made.earlier)
    assert set(made.topics) >= set(small.stages)


def test_it_can_be_walked_by_ear_and_keyboard(notebook):
    tags = Seen(page.render(notebook, sheet())).tags
    names = [tag for tag, _ in tags]
    assert names.count("h1") == names.count("main") == 1
    assert {"header", "footer", "section"} <= set(names)
    levels = [int(name[1]) for name in names if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    said_by = [attrs["aria-labelledby"] for _, attrs in tags if "aria-labelledby" in attrs]
    assert set(said_by) <= set(ids)
    assert ("a", {"class": "skip", "href": "#main"}) in tags
    assert dict(tags)["html"]["lang"] == "en"


@pytest.mark.parametrize("word", HOSTILE)
def test_names_are_words_and_never_markup(notebook, word):
    facts = {"Parameters": f"rep={word}"}
    seen = Seen(page.render(notebook, sheet(about=word, team=word, facts=facts, edition=word)))
    assert "".join(seen.text).count(word) >= 4
    tags = [tag for tag, _ in seen.tags]
    assert "img" not in tags
    assert tags.count("script") == 1


def test_a_finding_on_a_page(notebook):
    html = Finding(WHO, pd.DataFrame({"name": HOSTILE}), caveats=("few",))._repr_html_()
    notebook.cells[3].outputs[0].data["text/html"] = html
    assert html in page.render(notebook, sheet())


def test_what_does_not_wait_is_told_with_its_section(notebook):
    html = Finding("Long.", pd.DataFrame(), pressing=WHO, urgency=Urgency.LEAK)._repr_html_()
    notebook.cells[3].outputs[0].data["text/html"] = (
        html + Finding("x", pd.DataFrame())._repr_html_()
    )
    assert page.pressing(notebook) == [("what-goes-well-1", "What goes well?", WHO, Urgency.LEAK)]
    assert 'id="what-goes-well-1"' in page.render(notebook, sheet())


def test_a_page_says_in_short_what_it_found(notebook):
    found = [Finding(f"{WHO}: found {n}", pd.DataFrame())._repr_html_() for n in range(3)]
    cells = [new_markdown_cell("# One-on-one")]
    for n, html in enumerate(found):
        cells += [new_markdown_cell(f"## Q{n}"), cell(html)]
    html = page.render(new_notebook(cells=cells), sheet())
    nav = html[html.index("<nav") : html.index("</nav>")]
    assert re.findall(r'href="(.*?)">(.*?)</a><span>(.*?)<', nav) == [
        (f"#q{n}-{n + 1}", f"Q{n}", f"Found {n}") for n in range(3)
    ]


def test_the_same_notebook_is_the_same_page(notebook):
    assert page.render(notebook, sheet()) == page.render(notebook, sheet())
