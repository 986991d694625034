"""An editor's work at the desk; the article is written without a mouse."""

import re

import pytest
from playwright.sync_api import Page, expect

from .keyboard import Keyboard
from .pages import ARTICLES
from .stage import picture
from .window import until


class BlockEditor:
    """The blocks of the article form, for somebody who has only a keyboard."""

    def __init__(self, page: Page, keyboard: Keyboard) -> None:
        self.page = page
        self.keyboard = keyboard
        self.adders = page.get_by_role("region", name="Add a block")

    def tools(self, place):
        """The buttons of the block at this place, counted from 1."""
        return self.page.get_by_role("group", name=re.compile(rf"block {place} of "))

    def block(self, place):
        return self.page.locator(".order-machine .inline-related", has=self.tools(place))

    def types(self):
        """What the blocks are, in their order."""
        self.adders.wait_for()
        names = self.page.locator(".block-tools").evaluate_all("all => all.map(e => e.getAttribute('aria-label'))")
        places = [re.search(r"^(\S+).*, block (\d+) of", name).groups() for name in names]
        return [kind for kind, _ in sorted(places, key=lambda place: int(place[1]))]

    def count(self):
        return self.page.locator(".block-tools").count()

    def add(self, kind):
        """Add a block at the end by its button; give it when its first field has the focus."""
        count = self.count()
        self.keyboard.activate(self.adders.get_by_role("button", name=kind, exact=True))
        block = self.block(count + 1)
        block.locator(":focus:not(button, [tabindex='-1'])").wait_for()
        return block

    def act(self, place, name):
        """Press one of a block's buttons, wherever in the page the focus is."""
        button = self.tools(place).get_by_role("button", name=name, exact=True)
        self.keyboard.go_back_to(button)
        self.keyboard.press("Enter")


@pytest.fixture
def desk(sign_in):
    return sign_in("chief")


def publish(page, keyboard):
    """Publish an article whose figures have unresolved errors, as those of the launch have."""
    keyboard.activate(page.get_by_role("button", name="Publish"))
    expect(page.get_by_role("heading", name="Unresolved errors")).to_be_visible()
    keyboard.write(page.get_by_role("textbox", name="Why is it published all the same?"), "They are often quoted.")
    keyboard.activate(page.get_by_role("button", name="Publish all the same"))


def test_an_editor_writes_an_article_of_every_block_by_keyboard_alone_and_publishes_it(desk, open_window, tmp_path):
    page = desk.open("/admin/articles/article/add/")
    keyboard = Keyboard(page)
    blocks = BlockEditor(page, keyboard)
    photograph = tmp_path / "teal.png"
    photograph.write_bytes(picture())

    keyboard.write(page.get_by_label("Title"), "Written without a mouse")
    keyboard.write(page.get_by_label("Standfirst"), "Every block, every act, and no mouse.")
    keyboard.choose(page.get_by_role("combobox", name="Category"), "AI Jobs")
    keyboard.activate(page.get_by_role("button", name="Add another Byline"))
    keyboard.choose(page.locator("#bylines-0").get_by_role("combobox"), "Luke")

    block = blocks.add("Text")
    keyboard.write(block.get_by_role("textbox"), "The opening paragraph.")
    keyboard.press("Enter")
    keyboard.write(block.get_by_role("textbox"), "Its second paragraph.")
    keyboard.choose(blocks.add("Figure").get_by_role("combobox"), "new")
    block = blocks.add("Call-out")
    keyboard.write(block.get_by_role("textbox", name="Heading"), "Mark this")
    keyboard.write(block.locator(".ProseMirror"), "A call-out’s text.")
    block = blocks.add("Question and answer")
    keyboard.write(block.get_by_role("textbox", name="Question"), "Is a mouse needed?")
    keyboard.write(block.locator(".ProseMirror"), "It is not.")
    block = blocks.add("Quotation")
    keyboard.write(block.get_by_role("textbox", name="Text"), "Keys are enough")
    keyboard.write(block.get_by_role("textbox", name="Attribution"), "A typist")
    block = blocks.add("Table")
    keyboard.write(block.get_by_role("textbox", name="Caption"), "Keys and their number")
    keyboard.write(block.get_by_role("textbox", name="Cells"), "Key | Times\nTab | 400")
    block = blocks.add("Picture")
    block.locator("input[type=file]").set_input_files(photograph)
    keyboard.write(block.get_by_role("textbox", name="Alternative text"), "A teal field")
    keyboard.write(block.get_by_role("textbox", name="Credit"), "Nobody")
    block = blocks.add("Newsletter sign-up")
    keyboard.write(block.get_by_role("textbox", name="Heading"), "More of this")
    block = blocks.add("Role table")
    keyboard.choose(block.get_by_role("combobox"), "")
    keyboard.write(block.get_by_role("textbox", name="Caption"), "Roles and their pay")
    keyboard.choose(blocks.add("Skill list").get_by_role("combobox").first, "")
    block = blocks.add("Text")
    keyboard.write(block.get_by_role("textbox"), "This one is not needed.")
    assert blocks.count() == 11

    # The role table goes up two places, the figure down one, the last block away again.
    blocks.act(11, "Remove")
    assert blocks.count() == 10
    blocks.act(9, "Up")
    keyboard.press("Enter")
    expect(page.get_by_text("Role table New item: now 7 of 10.")).to_be_attached()
    blocks.act(2, "Down")
    kinds = ["Text", "Call-out", "Figure", "Question", "Quotation", "Table", "Role", "Picture", "Newsletter", "Skill"]
    assert blocks.types() == kinds
    blocks.act(1, "Collapse")
    expect(blocks.block(1).get_by_role("textbox")).to_be_hidden()
    keyboard.press("Enter")
    expect(blocks.block(1).get_by_role("textbox")).to_be_visible()

    keyboard.activate(page.get_by_role("button", name="Save draft", exact=True))
    expect(page.get_by_text("Draft: readers do not see this article yet.")).to_be_visible()
    assert blocks.types() == kinds
    address = "/articles/written-without-a-mouse/"
    open_window().open(address, status=404)

    with desk.context.expect_page() as opened:
        keyboard.activate(page.get_by_role("link", name="View draft"))
    draft = opened.value
    expect(draft.get_by_role("heading", level=1)).to_have_text("Written without a mouse")
    expect(draft.get_by_text("This is a draft.")).to_be_visible()
    assert draft.get_by_role("table").count() == 2
    draft.close()

    # A saved block is taken away with its checkbox, and a draft keeps it until it is saved.
    blocks.act(10, "Remove")
    expect(page.get_by_text("goes when the draft is saved")).to_be_attached()
    keyboard.press("Enter")
    expect(page.get_by_text(re.compile("stays\\.$"))).to_be_attached()

    publish(page, keyboard)
    expect(page.get_by_text("“Written without a mouse” is live")).to_be_visible()
    reader = open_window().open(address)
    expect(reader.get_by_role("heading", level=1)).to_have_text("Written without a mouse")
    for text in ("The opening paragraph.", "Mark this", "Is a mouse needed?", "Keys are enough", "A typist"):
        expect(reader.get_by_text(text).first).to_be_visible()
    reader.get_by_role("img", name="A teal field").scroll_into_view_if_needed()
    expect(reader.get_by_role("img", name="A teal field")).to_be_visible()
    expect(reader.get_by_role("table", name="Keys and their number")).to_be_visible()
    expect(reader.get_by_role("table", name="Roles and their pay")).to_be_visible()
    expect(reader.get_by_role("heading", name="More of this")).to_be_visible()
    expect(reader.get_by_text("This one is not needed.")).to_have_count(0)


def test_an_editor_refers_to_figures_by_keyboard_and_readers_see_them_linked_to_their_evidence(desk, reader):
    page = desk.open("/admin/articles/article/add/")
    keyboard = Keyboard(page)
    blocks = BlockEditor(page, keyboard)
    figures = page.locator(".figure-reference")

    def insert(text, words, answer):
        page.keyboard.type(text)
        keyboard.go_back_to(blocks.block(1).get_by_role("button", name="Figure: insert"))
        keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Insert a figure")
        expect(dialog.get_by_role("combobox", name="Search statistics and salary ranges")).to_be_focused()
        page.keyboard.type(words)
        expect(dialog.get_by_role("status")).to_have_text(answer)
        keyboard.press("ArrowDown", "ArrowUp", "Enter")
        expect(dialog).to_be_hidden()
        expect(page.locator(".ProseMirror:focus")).to_have_count(1)
        # The editor puts its caret where it was a moment after it has got the focus.
        until(page, lambda: page.evaluate("() => getSelection().anchorOffset > 0"))

    keyboard.write(page.get_by_label("Title"), "Figures in words")
    keyboard.write(page.get_by_label("Standfirst"), "None of them is typed.")
    keyboard.choose(page.get_by_role("combobox", name="Category"), "AI Jobs")
    keyboard.activate(page.get_by_role("button", name="Add another Byline"))
    keyboard.choose(page.locator("#bylines-0").get_by_role("combobox"), "Luke")
    block = blocks.add("Text")
    keyboard.go_to(block.get_by_role("textbox"))
    insert("There may be ", "projected", "1 figure.")
    insert(" roles. An engineer earns ", "ml-engineer uk", "1 figure.")
    page.keyboard.type(" in the UK, not £65K.")
    expect(figures).to_have_text(["figure 97M", "figure £65K–£120K"])

    keyboard.activate(page.get_by_role("button", name="Save draft", exact=True))
    expect(page.get_by_text("was added successfully")).to_be_visible()
    keyboard.activate(page.locator(".desk-checklist summary"))
    expect(page.get_by_text("Block 1: “£65K” in “…earns [figure] in the UK, not £65K.” is typed in")).to_be_visible()
    page.reload()
    expect(figures).to_have_text(["figure 97M", "figure £65K–£120K"])

    # A figure is left by Escape without a choice, taken away by a key, and brought back by undoing.
    keyboard.go_to(blocks.block(1).get_by_role("textbox"))
    keyboard.go_back_to(blocks.block(1).get_by_role("button", name="Figure: insert"))
    keyboard.press("Enter", "Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator(".ProseMirror:focus")).to_have_count(1)
    # The editor sets its cursor once more a moment after it got the focus, and learns of a move a moment after it.
    page.wait_for_timeout(500)
    keyboard.press("Control+End")
    page.wait_for_timeout(500)
    keyboard.press(*["Backspace"] * len(" in the UK, not £65K."), "Backspace")
    expect(figures).to_have_text(["figure 97M"])
    keyboard.press("Control+z")
    expect(figures).to_have_text(["figure 97M", "figure £65K–£120K"])
    keyboard.press("Control+a", "Control+x", "Control+v")
    expect(figures).to_have_text(["figure 97M", "figure £65K–£120K"])

    publish(page, keyboard)
    expect(page.get_by_text("“Figures in words” is live")).to_be_visible()
    article = reader.open("/articles/figures-in-words/")
    statistic = article.get_by_role("link", name="97M", exact=True).first
    expect(statistic).to_have_attribute("href", "#source-1")
    expect(article.locator("#source-1")).to_contain_text("97M")
    back = article.get_by_role("link", name="Back to 97M")
    assert back.get_attribute("href") == f"#{statistic.get_attribute('id')}"
    article.get_by_role("link", name="£65K–£120K", exact=True).click()
    expect(article).to_have_url(re.compile(r"/careers/ml-engineer/#pay-gb$"))
    expect(article.locator("#pay-gb")).to_contain_text("£65K–£120K")


def test_blocks_move_by_a_shortcut_from_wherever_one_writes(desk):
    page = desk.open("/admin/articles/article/add/")
    keyboard = Keyboard(page)
    blocks = BlockEditor(page, keyboard)
    for kind in ("Call-out", "Quotation", "Table"):
        block = blocks.add(kind)

    keyboard.write(block.get_by_role("textbox", name="Caption"), "First")
    keyboard.press("Alt+Shift+ArrowUp", "Alt+Shift+ArrowUp")
    page.keyboard.type(" of all")

    assert blocks.types() == ["Table", "Call-out", "Quotation"]
    expect(blocks.block(1).get_by_label("Caption")).to_have_value("First of all")


def test_a_removed_block_is_gone_when_the_draft_is_saved(desk):
    page = desk.open("/admin/articles/article/")
    page.get_by_role("link", name="A draft that nobody sees").click()
    keyboard = Keyboard(page)
    blocks = BlockEditor(page, keyboard)
    assert blocks.types() == ["Text"]

    keyboard.activate(blocks.tools(1).get_by_role("button", name="Remove"))
    keyboard.activate(page.get_by_role("button", name="Save draft", exact=True))

    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert blocks.types() == []


def test_a_salary_range_changed_once_shows_in_article_and_comparison_and_keeps_its_history(desk, reader):
    page = desk.open("/admin/careers/salaryrange/?q=ai+engineer")
    page.get_by_role("row", name=re.compile(r"AI Engineer \(LLM\) UK")).get_by_role("link").first.click()
    low = page.get_by_label("Lower figure")
    before = f"£{int(low.input_value()) // 1000}K"
    low.fill("71000")
    page.get_by_label("Upper figure").fill("133000")
    page.get_by_label("As of").fill("2026-11")
    page.get_by_label("Check note").fill("")
    page.get_by_label("Reason:", exact=True).select_option("update")
    page.get_by_role("button", name="Publish new figure").click()
    expect(page.get_by_text("£71K–£133K is published (update)")).to_be_visible()

    for path in (ARTICLES[0], "/careers/"):
        row = reader.open(path).get_by_role("row", name=re.compile(r"AI Engineer \(LLM\)"))
        expect(row).to_contain_text("£71K–£133K")
    page = desk.open("/admin/careers/salaryrange/?q=ai+engineer&state=past")
    expect(page.get_by_role("row", name=re.compile(r"AI Engineer \(LLM\) UK"))).to_contain_text(before)
