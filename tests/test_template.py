"""Empty tables to fill by hand: sound as they are, and explained column by column."""

import pytest

import salesnb
from salesnb import DataError, cli, schema
from salesnb.importers import template


@pytest.fixture
def folder(tmp_path):
    return template.write(tmp_path / "ours")


def with_day(folder):
    path = folder / "team.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("# as_of", "as_of"), encoding="utf-8")
    return folder


def test_every_table_is_there_and_sound_once_the_day_is_known(folder):
    with pytest.raises(DataError, match=r"^1 fault.*\n.*as_of"):
        salesnb.load(folder)
    team = salesnb.load(with_day(folder))
    assert set(team.tables) == set(schema.MODELS)
    assert not any(len(table) for table in team.tables.values())


def test_a_rep_and_a_deal_are_filled_in_as_the_guide_says(folder):
    with_day(folder)
    for name, row in {
        "reps": "R1,Ágnes Kiss,2026-01-01,,,,true",
        "deals": "D1,R1,,,,,,2026-02-01,1234.50,,,,",
    }.items():
        with (folder / f"{name}.csv").open("a", encoding="utf-8") as file:
            file.write(row + "\n")
    team = salesnb.load(folder)
    assert team.names["R1"] == "Ágnes Kiss"
    assert team.deals["amount"].to_list() == [1234.5]


def test_the_guide_names_every_column_and_what_it_holds(folder):
    guide = (folder / template.GUIDE).read_text(encoding="utf-8")
    for table in schema.MODELS:
        part = guide.split(f"\n## {table}\n")[1].split("\n## ")[0]
        rows = [line.split("|")[1].strip() for line in part.splitlines() if line.startswith("| `")]
        must = set(schema.required(table))
        assert rows == [f"`{name}`{' *' * (name in must)}" for name in schema.columns(table)]
    assert "| `kind` * | `one_on_one` or `ride_along` or `call_review` or `programme` |" in guide
    assert "| `rep_id` * | a `rep_id` of `reps` |" in guide
    assert f"`salesnb check {folder}`" in guide


def test_nothing_is_written_over(folder):
    with pytest.raises(DataError, match="exists already"):
        template.write(folder)


def test_at_the_command_line(tmp_path, capsys, monkeypatch):
    def run(*words):
        monkeypatch.setattr("sys.argv", ["salesnb", "import", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, "".join(capsys.readouterr())

    code, said = run("--template", str(tmp_path / "new"))
    assert (code, "tables.md says how" in said) == (0, True)
    code, said = run("maven", "--template", str(tmp_path / "other"))
    assert (code, "nothing is imported" in said) == (2, True)
    code, said = run("maven")
    assert (code, "name a CRM or a mapping" in said) == (2, True)
    assert not (tmp_path / "other").exists()
