// References to figures in the editor of rich text: a button, a dialog to choose in, and a node that shows the current
// figure. What is saved is the reference alone: <data value="statistic:new-roles"></data>.

import { Node } from "django-prose-editor/editor"

const WELL_FORMED = /^[a-z][a-z-]{0,29}:[A-Za-z0-9_.~%/-]{1,600}$/
// As many references as the desk answers for at once, in an address of a length that every server takes.
const MOST = 20
const MOST_CHARACTERS = 2000

const make = (name, properties = {}, attributes = {}, children = []) => {
  const element = Object.assign(document.createElement(name), properties)
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value)
  element.append(...children)
  return element
}

const ask = async (url, parameters, signal) => {
  const response = await fetch(`${url}?${parameters}`, { headers: { Accept: "application/json" }, signal })
  if (!response.ok || response.redirected) throw new Error(`The desk answered ${response.status}.`)
  return (await response.json()).figures
}

// What is known of figures, by reference: promises of a figure, or of nothing where there is none.
const known = new Map()
let asked = []

const askForAll = async (url) => {
  const references = asked
  asked = []
  while (references.length) {
    const batch = []
    let length = 0
    while (references.length && batch.length < MOST && length + references[0].reference.length < MOST_CHARACTERS) {
      length += references[0].reference.length
      batch.push(references.shift())
    }
    const parameters = new URLSearchParams(batch.map(({ reference }) => ["reference", reference]))
    try {
      const figures = new Map((await ask(url, parameters)).map((figure) => [figure.reference, figure]))
      for (const { reference, resolve } of batch) resolve(figures.get(reference) ?? null)
    } catch {
      for (const { reference, resolve } of batch) {
        known.delete(reference)
        resolve(undefined)
      }
    }
  }
}

const figureOf = (url, reference) => {
  if (!known.has(reference)) {
    const figure = new Promise((resolve) => {
      // The references of all editors that start together are asked for together.
      if (!asked.length) setTimeout(() => askForAll(url))
      asked.push({ reference, resolve })
    })
    known.set(reference, figure)
  }
  return known.get(reference)
}

const words = (figure) => {
  if (figure) return figure.text
  return figure === null ? "unknown figure" : "figure not loaded"
}

// The dialog, one for all editors: a field, and beneath it a list in which the arrow keys move and Enter chooses.

let dialog

const makeDialog = () => {
  const title = make("h2", { id: "figure-picker-title", className: "figure-picker__title", textContent: "Insert a figure" })
  const label = make("label", { htmlFor: "figure-picker-field", textContent: "Search statistics and salary ranges" })
  const field = make(
    "input",
    { id: "figure-picker-field", className: "figure-picker__field", type: "text", maxLength: 100, autocomplete: "off" },
    {
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-controls": "figure-picker-list",
      "aria-expanded": "false",
      spellcheck: "false",
    },
  )
  const status = make("p", { className: "figure-picker__status" }, { role: "status" })
  const list = make(
    "ul",
    { id: "figure-picker-list", className: "figure-picker__list" },
    { role: "listbox", "aria-labelledby": title.id },
  )
  const close = make("button", { type: "button", className: "block-button", textContent: "Close" })
  const element = make("dialog", { className: "figure-picker" }, { "aria-labelledby": title.id }, [
    make("div", { className: "figure-picker__head" }, {}, [title, close]),
    label,
    field,
    status,
    list,
  ])
  let url, choose, search, timer
  let figures = []

  const options = () => [...list.children]
  const active = () => list.querySelector("[aria-selected=true]")

  const activate = (option) => {
    active()?.setAttribute("aria-selected", "false")
    option?.setAttribute("aria-selected", "true")
    option?.scrollIntoView({ block: "nearest" })
    if (option) field.setAttribute("aria-activedescendant", option.id)
    else field.removeAttribute("aria-activedescendant")
  }

  const show = (found, text) => {
    figures = found
    list.replaceChildren(
      ...figures.map((figure, place) =>
        make("li", { id: `figure-picker-${place}`, className: "figure-picker__option" }, { role: "option", "aria-selected": "false" }, [
          make("strong", { textContent: figure.text }),
          make("span", { textContent: ` ${figure.about} ` }),
          make("small", { textContent: [figure.status, figure.source].filter(Boolean).join(": ") }),
        ]),
      ),
    )
    field.setAttribute("aria-expanded", String(figures.length > 0))
    activate(list.firstElementChild)
    status.textContent = text
  }

  const look = async () => {
    search?.abort()
    search = new AbortController()
    const { signal } = search
    try {
      const found = await ask(url, new URLSearchParams({ q: field.value.trim() }), signal)
      if (signal.aborted) return
      const many = found.length === MOST ? " There may be more: add a word." : ""
      const count = found.length === 1 ? "1 figure." : `${found.length} figures.`
      show(found, found.length ? count + many : "No current figure is about all of these words.")
    } catch {
      if (!signal.aborted) show([], "The figures could not be loaded. Save the draft, or sign in again in another tab.")
    }
  }

  const take = (option) => {
    const figure = figures[options().indexOf(option)]
    if (!figure) return
    known.set(figure.reference, Promise.resolve(figure))
    choose(figure.reference)
    element.close()
  }

  field.addEventListener("input", () => {
    clearTimeout(timer)
    timer = setTimeout(look, 150)
  })
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return
    const all = options()
    const place = all.indexOf(active())
    const steps = { ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + 5, PageUp: place - 5 }
    if (event.key in steps && all.length) {
      const isPage = event.key.startsWith("Page")
      const to = steps[event.key]
      activate(all[isPage ? Math.max(0, Math.min(to, all.length - 1)) : (to + all.length) % all.length])
    } else if (event.key === "Enter") take(active())
    else return
    event.preventDefault()
  })
  list.addEventListener("mousedown", (event) => event.preventDefault())
  list.addEventListener("click", (event) => take(event.target.closest("[role=option]")))
  close.addEventListener("click", () => element.close())
  element.addEventListener("close", () => {
    clearTimeout(timer)
    search?.abort()
    element.done()
  })

  document.body.append(element)
  element.ask = (from, then, done) => {
    url = from
    choose = then
    element.done = done
    field.value = ""
    show([], "")
    element.showModal()
    field.focus()
    look()
  }
  return element
}

const pick = (editor, url) => {
  dialog ??= makeDialog()
  dialog.ask(
    url,
    (reference) => editor.commands.insertContent({ type: "figureReference", attrs: { reference } }),
    // At once: the editor’s own command waits for the next frame, and takes back what is typed until then.
    () => editor.view.focus(),
  )
}

export const FigureReference = Node.create({
  name: "figureReference",
  group: "inline",
  inline: true,
  atom: true,
  selectable: true,
  draggable: true,

  addOptions() {
    return { url: "" }
  },

  addAttributes() {
    return {
      reference: {
        parseHTML: (element) => element.getAttribute("value"),
        renderHTML: ({ reference }) => ({ value: reference }),
      },
    }
  },

  parseHTML() {
    return [{ tag: "data[value]", getAttrs: (element) => WELL_FORMED.test(element.getAttribute("value")) && null }]
  },

  renderHTML({ HTMLAttributes }) {
    return ["data", HTMLAttributes]
  },

  addNodeView() {
    return ({ node }) => {
      const shown = make("span", { textContent: "…" })
      const dom = make("span", { className: "figure-reference", contentEditable: "false" }, {}, [
        make("span", { className: "visually-hidden", textContent: "figure " }),
        shown,
      ])
      figureOf(this.options.url, node.attrs.reference).then((figure) => {
        shown.textContent = words(figure)
        dom.classList.toggle("figure-reference--unknown", !figure)
        dom.title = figure ? `${figure.about}. ${figure.status}` : node.attrs.reference
      })
      return { dom, ignoreMutation: ({ type }) => type !== "selection" }
    }
  },

  addMenuItems({ menu, buttons }) {
    const { url } = this.options
    menu.defineItem({
      name: "figureReference",
      groups: "link",
      priority: 110,
      button: buttons.text("Figure", "Figure: insert a statistic or a salary range"),
      command: (editor) => pick(editor, url),
      active: (editor) => editor.isActive("figureReference"),
    })
  },
})
