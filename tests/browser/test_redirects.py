"""Old addresses at the desk and for readers: an article moves, a list is brought along."""

from playwright.sync_api import expect


def test_an_article_moves_readers_follow_and_it_comes_back(sign_in, reader):
    window = sign_in("chief")
    form = window.open("/admin/articles/article/?q=every+block")
    form.get_by_role("link", name="An article of every block").click()
    form.get_by_label("Address:").fill("every-kind-of-block")
    form.get_by_role("button", name="Save draft", exact=True).click()

    expect(form.get_by_text("Its old address /articles/every-block/ leads to it.")).to_be_visible()
    page = reader.open("/articles/every-block/?from=elsewhere#faq")
    expect(page).to_have_url(f"{reader.url}/articles/every-kind-of-block/?from=elsewhere#faq")

    form.get_by_label("Address:").fill("every-block")
    form.get_by_role("button", name="Save draft", exact=True).click()

    expect(form.get_by_text("Its old address /articles/every-kind-of-block/ leads to it.")).to_be_visible()
    expect(reader.open("/articles/every-block/")).to_have_url(f"{reader.url}/articles/every-block/")
    expect(reader.open("/articles/every-kind-of-block/")).to_have_url(f"{reader.url}/articles/every-block/")


def test_a_list_of_old_addresses_is_imported_after_a_preview(sign_in, reader):
    desk = sign_in("chief")
    table = "path,target\n/blog/blocks/,/articles/every-block/\n/blog/jobs,/blog/pay/\n"
    page = desk.open("/admin/articles/redirect/")
    page.get_by_role("link", name="Import", exact=True).click()

    for text, said in (
        (table, "Readers find no page at /blog/pay/."),
        (table.replace("/blog/pay/", "/careers/"), "2 new"),
    ):
        file = {"name": "redirects.csv", "mimeType": "text/csv", "buffer": text.encode()}
        page.get_by_label("File").set_input_files(file)
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_text(said).first).to_be_visible()
    page.get_by_role("button", name="Import all of this").click()

    expect(page.get_by_role("row").filter(has_text="/blog/blocks/")).to_contain_text("/articles/every-block/")
    expect(reader.open("/blog/blocks/").get_by_role("heading", level=1)).to_have_text("An article of every block")
    expect(reader.open("/blog/jobs/")).to_have_url(f"{reader.url}/careers/")
