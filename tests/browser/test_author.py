"""An author writes drafts; publishing is up to an editor."""

import pytest
from playwright.sync_api import expect

ADDRESS = "/articles/a-proposal/"


@pytest.fixture
def draft(sign_in):
    """An author's saved draft, open in the form."""
    window = sign_in("author")
    page = window.open("/admin/articles/article/add/")
    page.get_by_label("Title").fill("A proposal")
    page.get_by_label("Standfirst").fill("What an author would like to say.")
    page.get_by_label("Address").fill("a-proposal")
    page.get_by_role("region", name="Add a block").get_by_role("button", name="Text", exact=True).click()
    page.locator(".order-machine .ProseMirror:visible").fill("The first words.")
    page.get_by_role("button", name="Save draft", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    return window


def test_an_author_writes_a_draft_that_readers_do_not_get(draft, reader):
    page = draft.page
    with draft.context.expect_page() as opened:
        page.get_by_role("link", name="View draft").click()

    expect(opened.value.get_by_text("The first words.")).to_be_visible()
    reader.open(ADDRESS, status=404)


def test_an_author_has_no_publish_button_and_a_forged_one_is_refused(draft, reader):
    page = draft.page
    expect(page.get_by_role("button", name="Publish")).to_have_count(0)
    expect(page.get_by_text("Publishing is up to an editor")).to_be_visible()
    draft.expected_statuses.add(403)

    page.get_by_role("button", name="Save draft", exact=True).evaluate("button => { button.name = '_publish' }")
    with page.expect_response(lambda response: response.request.is_navigation_request()) as answer:
        page.get_by_role("button", name="Save draft", exact=True).click()

    assert answer.value.status == 403
    reader.open(ADDRESS, status=404)
