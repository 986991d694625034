"""An editor brings figures along in a table: from the file to what readers see."""

import csv
import io

import pytest
from playwright.sync_api import expect


@pytest.fixture
def desk(sign_in):
    return sign_in("editor")


def test_an_editor_imports_a_changed_salary_and_readers_see_it_with_its_history(desk, reader):
    exported = list(csv.reader(io.StringIO(reader.context.request.get("/careers/salaries.csv").text(), newline="")))
    head, *rows = exported
    row = next(row for row in rows if row[head.index("role")] == "ml-engineer" and row[head.index("market")] == "GB")
    assert row[head.index("high")] == "120000"
    row[head.index("high")] = "125000"
    table = io.StringIO(newline="")
    csv.writer(table).writerows(exported)
    file = {"name": "salaries.csv", "mimeType": "text/csv", "buffer": table.getvalue().encode()}

    page = desk.open("/admin/careers/salaryrange/")
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Nothing can be imported while there is an error")).to_be_visible()
    expect(page.get_by_role("button", name="Import all of this")).to_have_count(0)

    page.get_by_label("File").set_input_files(file)
    page.get_by_label("Reason:", exact=True).select_option("correction")
    page.get_by_label("Reason in words").fill("The last digit was wrong.")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("status")).to_have_text("0 new, 1 changed, 15 unchanged.")
    changed = page.get_by_role("row").filter(has_text="Changed")
    expect(changed.get_by_role("deletion").first).to_have_text("120000")
    expect(changed.get_by_role("insertion").first).to_have_text("125000")

    page.get_by_role("button", name="Import all of this").click()
    expect(page.get_by_text("0 new, 1 changed, 15 unchanged.")).to_be_visible()

    expect(reader.open("/careers/ml-engineer/").get_by_text("£65K–£125K").first).to_be_visible()
    after = list(csv.DictReader(io.StringIO(reader.context.request.get("/careers/salaries.csv").text(), newline="")))
    line = [row for row in after if row["role"] == "ml-engineer" and row["market"] == "GB"]
    assert [(row["high"], row["why"], row["is_current"]) for row in line] == [
        ("120000", "new", "false"),
        ("125000", "correction", "true"),
    ]
    assert line[1]["why_note"] == "The last digit was wrong."
    assert line[1]["supersedes"] == line[0]["id"]
