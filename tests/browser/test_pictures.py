"""A picture from the chooser of an editor to the screen of a reader."""

import re
from io import BytesIO

from PIL import Image as Pillow
from PIL import ImageDraw
from playwright.sync_api import expect

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}


def photograph(folder, name="harbour.jpg"):
    """A picture of sky, sun and water, as large as a telephone takes them."""
    image = Pillow.new("RGB", (3000, 2000), "#b9d3e6")
    pen = ImageDraw.Draw(image)
    pen.ellipse((700, 500, 1100, 900), fill="#f2b134")
    pen.rectangle((0, 1300, 3000, 2000), fill="#1d4f73")
    exif = Pillow.Exif()
    exif.get_ifd(0x8825)[2] = (51.0, 30.0, 26.0)
    image.save(folder / name, "JPEG", quality=90, exif=exif)
    return folder / name


def add_picture(window):
    page = window.open("/admin/articles/article/")
    page.get_by_role("link", name="A draft that nobody sees").first.click()
    page.locator(".add-block").get_by_role("button", name="Picture").click()
    return page, page.locator(".order-machine .inline-related:visible").last


def test_a_picture_is_chosen_focused_previewed_published_and_read_on_a_phone(sign_in, open_window, tmp_path):
    window = sign_in("chief", viewport={"width": 1600, "height": 900})
    page, block = add_picture(window)

    block.locator("input[type=file]").set_input_files(photograph(tmp_path))
    expect(block.get_by_text("harbour.jpg is kept here.")).to_be_visible()
    chosen = block.get_by_role("img", name="The picture that is chosen")
    box = chosen.bounding_box()
    chosen.click(position={"x": box["width"] * 0.3, "y": box["height"] * 0.35})
    expect(block.get_by_label("focus, % from the left")).to_have_value("30")
    expect(block.get_by_label("focus, % from the top")).to_have_value("35")
    focus = block.get_by_role("button", name="Focus: 30% from the left, 35% from the top.")
    expect(focus).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    expect(block.get_by_label("focus, % from the left")).to_have_value("31")
    expect(block.get_by_label("focus, % from the top")).to_have_value("25")
    block.get_by_label("Alternative text").fill("The sun over a harbour")
    block.get_by_label("Credit").fill("An editor")

    page.get_by_role("button", name="Preview").click()
    frame = page.frame_locator(".preview-panel iframe")
    expect(frame.get_by_role("img", name="The sun over a harbour")).to_be_visible()
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("is live: read it")).to_be_visible()

    reader = open_window(**PHONE).open("/articles/a-draft/")
    picture = reader.get_by_role("img", name="The sun over a harbour")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", True)
    assert re.search(r"/media/pictures/1/[0-9a-f]{40}/800\.avif$", picture.evaluate("image => image.currentSrc"))
    assert abs(picture.evaluate("image => image.width / image.height") - 1.5) < 0.01
    assert reader.evaluate("document.documentElement.scrollWidth") <= 390
    expect(reader.get_by_text("Picture: An editor")).to_be_visible()
    body = reader.request.get(picture.evaluate("image => image.currentSrc")).body()
    assert not dict(Pillow.open(BytesIO(body)).getexif())


def test_a_chosen_picture_outlives_a_failed_save_and_a_closed_window(sign_in, tmp_path):
    window = sign_in("chief")
    page, block = add_picture(window)

    block.locator("input[type=file]").set_input_files(photograph(tmp_path))
    expect(page.locator(".desk__kept")).to_contain_text("Kept at")
    address = page.url
    page.get_by_role("button", name="Save draft", exact=True).click()
    expect(page.get_by_text("Please correct the errors below.")).to_be_visible()
    chosen = page.get_by_role("img", name="The picture that is chosen")
    expect(chosen).to_be_visible()
    assert chosen.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    page.goto(address)
    expect(page.get_by_text("Restored: what you typed until")).to_be_visible()
    expect(chosen).to_be_visible()


def test_a_file_that_is_not_taken_is_said_so_at_once(sign_in, tmp_path):
    window = sign_in("chief", **PHONE)
    window.expected_statuses.add(400)
    _, block = add_picture(window)
    drawing = tmp_path / "drawing.svg"
    drawing.write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")

    block.locator("input[type=file]").set_input_files(drawing)

    expect(block.get_by_text("This is an SVG drawing or a web page. Export the picture as a PNG.")).to_be_visible()
    expect(block.get_by_role("img", name="The picture that is chosen")).to_be_hidden()


def test_a_shared_article_has_its_card_and_the_desk_that_of_the_draft(sign_in, reader):
    page = reader.open("/articles/skills-for-an-ai-career-2026/")
    address = page.locator("meta[property='og:image']").get_attribute("content")
    for source in (address, address.split("?")[0]):
        page.set_content(f'<img src="{source}" alt="The card">')
        card = page.get_by_role("img", name="The card")
        expect(card).to_have_js_property("complete", True)
        assert card.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [1200, 630]

    desk = sign_in("author")
    page = desk.open("/admin/articles/article/")
    page.get_by_role("link", name="A draft that nobody sees").first.click()
    size = page.evaluate(
        """async (address) => {
            const image = Object.assign(new Image(), { src: address })
            await image.decode()
            return [image.naturalWidth, image.naturalHeight]
        }""",
        page.url.replace("/change/", "/card/"),
    )
    assert size == [1200, 630]
