// <quick-finder>: the key / opens a dialog over any page that finds pages by the beginnings of their names. Inside it is
// a link to the page of the search, which does the same without it. A combobox with a list (ARIA Authoring Practices).

const PAUSE = 120

class QuickFinder extends HTMLElement {
  connectedCallback() {
    this.link = this.querySelector("a")
    this.onkey = (event) => this.perhapsOpen(event)
    document.addEventListener("keydown", this.onkey)
    this.link.setAttribute("aria-keyshortcuts", "/")
    if (!document.getElementById("search-field")) this.link.setAttribute("aria-haspopup", "dialog")
    this.link.addEventListener("click", (event) => {
      if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
      if (this.open()) event.preventDefault()
    })
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onkey)
  }

  perhapsOpen(event) {
    const isTyped = event.target.closest?.("input, textarea, select, [contenteditable]:not([contenteditable=false])")
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyped) return
    if (document.querySelector("dialog:modal")) return
    if (this.open()) event.preventDefault()
  }

  // Where the page has a field for the same already, that one is it.
  open() {
    const field = document.getElementById("search-field")
    if (field) field.focus()
    else (this.dialog ??= this.build()).showModal()
    this.field?.select()
    return true
  }

  build() {
    const dialog = document.createElement("dialog")
    dialog.className = "finder"
    dialog.setAttribute("aria-label", "Quick finder")
    dialog.innerHTML = `<form class="finder__form" method="get" role="search">
      <label for="finder-field">Find a page</label><button class="finder__close" type="button">Close</button>
      <input id="finder-field" type="search" name="q" maxlength="200" autocomplete="off" autofocus role="combobox"
        aria-autocomplete="list" aria-controls="finder-list" aria-expanded="false"></form>
      <ul class="finder__list" id="finder-list" role="listbox" aria-label="Pages"></ul>
      <p class="finder__help">Arrow keys to choose, Enter to open, Escape to close</p>
      <p class="visually-hidden" role="status"></p>`
    const form = dialog.querySelector("form")
    form.action = this.link.href
    ;[this.field, this.list, this.voice] = ["input", "ul", "[role=status]"].map((part) => dialog.querySelector(part))
    this.field.addEventListener("input", () => this.ask())
    this.field.addEventListener("keydown", (event) => this.move(event))
    form.addEventListener("submit", (event) => {
      const href = this.chosen?.dataset.href
      if (!href && this.field.value.trim()) return
      event.preventDefault()
      if (href) location.assign(href)
    })
    this.list.addEventListener("click", ({ target }) => {
      const option = target.closest("[role=option]")
      if (option) location.assign(option.dataset.href)
    })
    dialog.addEventListener("click", ({ target }) => target.matches("dialog, .finder__close") && dialog.close())
    this.append(dialog)
    return dialog
  }

  ask() {
    clearTimeout(this.pause)
    this.request?.abort()
    // What was chosen was an answer to fewer letters.
    this.choose(null)
    this.pause = setTimeout(() => this.fetch(this.field.value.trim()), PAUSE)
  }

  async fetch(text) {
    if (!text) return this.show("")
    const request = (this.request = new AbortController())
    try {
      const url = `${this.link.href}finder/?${new URLSearchParams({ q: text })}`
      const answer = await fetch(url, { signal: request.signal })
      if (answer.ok) this.show(await answer.text())
    } catch {
      // A later request took its place, or there is no answer: Enter still leads to the page of the search.
    }
  }

  show(html) {
    this.list.innerHTML = html
    this.choose(null)
    const number = this.list.children.length
    this.field.setAttribute("aria-expanded", String(number > 0))
    this.voice.textContent = number ? `${number - 1 || "No"} page${number === 2 ? "" : "s"}` : ""
  }

  move(event) {
    const options = [...this.list.children]
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (!step || !options.length) return
    event.preventDefault()
    const from = this.chosen ? options.indexOf(this.chosen) : step > 0 ? -1 : 0
    this.choose(options.at((from + step) % options.length))
  }

  choose(option) {
    this.chosen?.removeAttribute("aria-selected")
    this.chosen = option
    option?.setAttribute("aria-selected", "true")
    option?.scrollIntoView({ block: "nearest" })
    if (option) this.field.setAttribute("aria-activedescendant", option.id)
    else this.field.removeAttribute("aria-activedescendant")
  }
}

customElements.define("quick-finder", QuickFinder)
