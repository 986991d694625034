"""An editor merges two skills that are one, and readers are led to the one that stays."""

from playwright.sync_api import expect

from .test_accessibility import violations_in_every_light


def choose(page, *skills):
    page.goto("/admin/careers/skill/")
    for skill in skills:
        page.get_by_role("row").filter(has=page.get_by_role("link", name=skill, exact=True)).get_by_role(
            "checkbox"
        ).check()
    page.get_by_label("Action:").select_option("Merge the chosen skills into one")
    page.get_by_role("button", name="Run").click()


def test_an_editor_merges_two_skills_and_their_addresses_become_one(sign_in, reader):
    page = sign_in("editor").page
    choose(page, "Prompt design", "Prompt engineering")
    expect(page.get_by_role("heading", name="Merge skills")).to_be_visible()

    page.get_by_label("Prompt design", exact=True).check()
    page.get_by_role("button", name="Merge these skills").click()

    expect(page.get_by_text("“Prompt engineering” is part of “Prompt design” now.")).to_be_visible()
    page.get_by_role("link", name="Merged into another").click()
    page.get_by_role("link", name="Prompt engineering", exact=True).click()
    expect(page.get_by_role("button", name="Save", exact=True)).to_have_count(0)

    readers_page = reader.open("/careers/skills/prompt-engineering/")
    assert readers_page.url.endswith("/careers/skills/prompt-design/")
    expect(readers_page.get_by_text("Prompt engineering, Prompt writing")).to_be_visible()
    expect(readers_page.get_by_role("link", name="AI Engineer (LLM)").first).to_be_visible()


def test_the_choice_of_the_skill_that_stays_has_no_violation(sign_in):
    page = sign_in("editor").page
    choose(page, "AWS", "Cloud", "Google Cloud")

    assert not violations_in_every_light(page)


def test_the_choice_is_made_by_keyboard(sign_in):
    page = sign_in("editor").page
    choose(page, "AWS", "Cloud")

    page.get_by_label("AWS", exact=True).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.get_by_text("“AWS” is part of “Cloud” now.")).to_be_visible()
