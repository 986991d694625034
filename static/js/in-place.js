// <in-place id="…">: links and GET forms inside it that lead to the page they stand on are answered in place, with what
// the same element holds in the answer. History, title, focus and the words for screen readers follow; so do boxes that
// are ticked for a form that leads elsewhere. Whatever goes wrong, the browser goes there as it would have without.

class InPlace extends HTMLElement {
  connectedCallback() {
    this.voice = Object.assign(document.createElement("p"), { className: "visually-hidden" })
    this.voice.setAttribute("role", "status")
    this.after(this.voice)
    this.addEventListener("click", (event) => this.follow(event))
    this.addEventListener("submit", (event) => this.send(event))
    this.onpopstate = () => this.goBack()
    addEventListener("popstate", this.onpopstate)
    this.shown = pageOf(location)
  }

  disconnectedCallback() {
    removeEventListener("popstate", this.onpopstate)
    this.request?.abort()
    this.voice.remove()
  }

  follow(event) {
    const link = event.target.closest("a[href]")
    const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute("download")) return
    const url = new URL(link.href)
    if (!isHere(url) || url.hash) return
    event.preventDefault()
    this.go(url, link)
  }

  send(event) {
    const form = event.target
    const url = new URL(form.action)
    if (event.defaultPrevented || form.method !== "get" || !isHere(url)) return
    event.preventDefault()
    const fields = [...new FormData(form, event.submitter)].filter(([, value]) => value !== "")
    url.search = new URLSearchParams(fields)
    url.hash = ""
    this.go(url, event.submitter ?? document.activeElement)
  }

  async go(url, from) {
    const answer = await this.fetch(url, () => location.assign(url))
    if (!answer) return
    const { address } = answer
    // The same page again is no new step of the history.
    history[pageOf(new URL(address)) === this.shown ? "replaceState" : "pushState"](null, "", address)
    this.show(answer, from)
    if (from?.rel === "next" || from?.rel === "prev") this.scrollIntoView()
  }

  async goBack() {
    const url = new URL(location)
    // What is on its way would arrive after the step back; a step within the page changes the fragment alone.
    this.request?.abort()
    if (pageOf(url) === this.shown) return
    const answer = await this.fetch(url, () => location.reload())
    if (answer) this.show(answer, document.activeElement)
  }

  // The page at an address with its part of this name; nothing where another request came after it, or it failed.
  async fetch(url, otherwise) {
    this.request?.abort()
    const request = (this.request = new AbortController())
    this.setAttribute("aria-busy", "true")
    try {
      const answer = await fetch(url, { signal: request.signal, headers: { Accept: "text/html" } })
      const page = new DOMParser().parseFromString(await answer.text(), "text/html")
      const next = page.getElementById(this.id)
      if (request.signal.aborted) return
      if (!answer.ok || !next) throw new Error("Nothing to show in place")
      return { address: answer.url, page, next }
    } catch {
      if (!request.signal.aborted) otherwise()
    } finally {
      if (this.request === request) this.removeAttribute("aria-busy")
    }
  }

  show({ address, page, next }, from) {
    this.shown = pageOf(new URL(address))
    document.title = page.title
    const had = this.contains(document.activeElement) || this.contains(from)
    const open = [...this.querySelectorAll("details[id][open]")].map((part) => part.id)
    const ticked = this.formsToElsewhere().flatMap((form) => [...new FormData(form)])
    const home = from?.closest?.("details[id]")?.id
    this.replaceChildren(...next.childNodes)
    for (const id of open) this.part(id)?.setAttribute("open", "")
    for (const form of this.formsToElsewhere()) for (const field of ticked) tick(form, field)
    const status = this.querySelector("[role=status]")
    const wrong = from?.form && this.querySelector("[aria-invalid=true]")
    const same = wrong || (had && ((from.id && this.part(from.id)) || this.part(home)?.querySelector("summary")))
    if (same) same.focus({ preventScroll: true })
    if (same || !had || !status) {
      this.say(status?.textContent ?? "")
    } else {
      // Where what was activated is gone, reading goes on at what was found, which the focus makes heard.
      status.tabIndex = -1
      status.focus({ preventScroll: true })
      status.scrollIntoView({ block: "nearest" })
    }
  }

  // Said once, and then gone: the page says it too, to whoever reads on.
  say(words) {
    clearTimeout(this.silence)
    this.voice.textContent = words
    this.silence = setTimeout(() => this.voice.replaceChildren(), 5_000)
  }

  part(id) {
    return id ? this.querySelector(`#${CSS.escape(id)}`) : null
  }

  formsToElsewhere() {
    return [...this.querySelectorAll("form")].filter((form) => !isHere(new URL(form.action)))
  }
}

function isHere(url) {
  return url.origin === location.origin && url.pathname === location.pathname
}

function pageOf(url) {
  return url.pathname + url.search
}

// Tick the box of this name and value, or carry it along unseen where this page has none.
function tick(form, [name, value]) {
  const box = [...form.querySelectorAll("[type=checkbox]")].find((box) => box.name === name && box.value === value)
  if (box) box.checked = true
  else form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }))
}

customElements.define("in-place", InPlace)
