// <in-place id="…">: links and GET forms inside it that lead to the page they stand on are answered in place, with what
// the same element holds in the answer. History, title, focus and the words for screen readers follow. Whatever goes
// wrong, the browser goes there as it would have without.

class InPlace extends HTMLElement {
  connectedCallback() {
    this.voice = Object.assign(document.createElement("p"), { className: "visually-hidden" })
    this.voice.setAttribute("role", "status")
    this.after(this.voice)
    this.addEventListener("click", (event) => this.follow(event))
    this.addEventListener("submit", (event) => this.send(event))
    this.onpopstate = () => this.go(location.href, { isBack: true })
    addEventListener("popstate", this.onpopstate)
    this.place = location.pathname + location.search
  }

  disconnectedCallback() {
    removeEventListener("popstate", this.onpopstate)
    this.voice.remove()
  }

  follow(event) {
    const link = event.target.closest("a[href]")
    const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute("download")) return
    const url = new URL(link.href)
    if (!this.isHere(url) || url.hash) return
    event.preventDefault()
    this.go(url.href, { from: link })
  }

  send(event) {
    const form = event.target
    const url = new URL(form.action)
    if (event.defaultPrevented || form.method !== "get" || !this.isHere(url)) return
    event.preventDefault()
    const fields = [...new FormData(form, event.submitter)].filter(([, value]) => value !== "")
    url.search = new URLSearchParams(fields)
    this.go(url.href, { from: event.submitter ?? document.activeElement })
  }

  isHere(url) {
    return url.origin === location.origin && url.pathname === location.pathname
  }

  async go(address, { from = null, isBack = false } = {}) {
    const url = new URL(address)
    // A jump within the page changes no more than the fragment.
    if (isBack && url.pathname + url.search === this.place) return
    this.request?.abort()
    const request = (this.request = new AbortController())
    this.setAttribute("aria-busy", "true")
    try {
      const answer = await fetch(address, { signal: request.signal, headers: { Accept: "text/html" } })
      const page = new DOMParser().parseFromString(await answer.text(), "text/html")
      const next = page.getElementById(this.id)
      if (!answer.ok || !next) throw new Error("Nothing to show in place")
      if (!isBack) history.pushState(null, "", answer.url)
      this.place = new URL(answer.url).pathname + new URL(answer.url).search
      document.title = page.title
      this.show(next, from)
    } catch (error) {
      if (error.name !== "AbortError") location.assign(address)
    } finally {
      if (this.request === request) this.removeAttribute("aria-busy")
    }
  }

  show(next, from) {
    const isFocused = from && (from === document.activeElement || this.contains(document.activeElement))
    const open = [...this.querySelectorAll("details[id][open]")].map((part) => part.id)
    this.replaceChildren(...next.childNodes)
    for (const id of open) this.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "")
    const status = this.querySelector("[role=status]")
    this.voice.textContent = status?.textContent ?? ""
    if (!isFocused) return
    const same = from.id && document.getElementById(from.id)
    if (same) {
      same.focus({ preventScroll: true })
    } else if (status) {
      status.tabIndex = -1
      status.focus({ preventScroll: true })
      status.scrollIntoView({ block: "nearest" })
    }
  }
}

customElements.define("in-place", InPlace)
