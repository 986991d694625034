from playwright.sync_api import Locator, Page


class Keyboard:
    """Somebody without a mouse: gets to things by the Tab key and acts by keys."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def go_to(self, target: Locator, *, key: str = "Tab", at_most: int = 250) -> None:
        """Press Tab until the target, or something in it, has the focus."""
        for _ in range(at_most):
            if target.evaluate("element => element.contains(document.activeElement)"):
                return
            self.page.keyboard.press(key)
        raise AssertionError(f"{at_most} times {key} did not reach {target}")

    def go_back_to(self, target: Locator) -> None:
        self.go_to(target, key="Shift+Tab")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, target: Locator, text: str) -> None:
        self.go_to(target)
        self.page.keyboard.type(text)

    def activate(self, target: Locator) -> None:
        self.go_to(target)
        self.press("Enter")

    def choose(self, target: Locator, text: str) -> None:
        """Find a record in a field that completes what is typed, and take the first one."""
        self.go_to(target)
        self.press("Enter")
        # Whoever types must see that the list has opened; what is typed before is lost.
        self.page.locator(".select2-search__field:focus").wait_for()
        self.page.locator(".select2-results__option--highlighted").wait_for()
        self.page.keyboard.type(text)
        self.page.locator(".select2-results__option--highlighted", has_text=text).wait_for()
        self.press("Enter")
