// Gives a name to the fields that the stock admin leaves without one for assistive technology: fields that complete
// what is typed, text editors, pictures, and the cells of tables.

(() => {
  const text = (element) =>
    [...element.childNodes]
      .filter((node) => node.nodeType === Node.TEXT_NODE)
      .map((node) => node.textContent)
      .join(" ")
      .trim()
      .replace(/:$/, "")

  const nameInTable = (cell) => {
    const row = cell.closest("tr")
    const rows = [...row.parentElement.children].filter((other) => other.matches(".form-row:not(.empty-form)"))
    return `${text(cell.closest("table").tHead.rows[0].cells[cell.cellIndex])}, row ${rows.indexOf(row) + 1}`
  }

  const nameOf = (field) => {
    const label = field.id && document.querySelector(`label[for="${field.id}"]`)
    if (label) return text(label)
    const cell = field.closest(".tabular td")
    if (cell) return nameInTable(cell)
    const legend = field.closest("fieldset")?.querySelector(":scope > legend")
    return legend ? text(legend) : ""
  }

  const name = (element, field) => {
    const found = nameOf(field)
    if (found && element.getAttribute("aria-label") !== found) element.setAttribute("aria-label", found)
  }

  const nameAll = () => {
    for (const selection of document.querySelectorAll(".select2-selection")) {
      const rendered = selection.querySelector(".select2-selection__rendered")
      selection.id ||= `${rendered.id}-selection`
      name(selection, selection.closest(".select2").previousElementSibling)
      selection.setAttribute("aria-labelledby", `${selection.id} ${rendered.id}`)
      rendered.removeAttribute("role")
      rendered.removeAttribute("aria-readonly")
    }
    for (const editor of document.querySelectorAll(".prose-editor")) {
      const words = editor.querySelector(".ProseMirror")
      if (words) name(words, editor.querySelector("textarea") ?? editor)
    }
    const fields = ".tabular tbody :is(input, select, textarea):not([type=hidden], .select2-hidden-accessible)"
    for (const field of document.querySelectorAll(`${fields}, input[type=file]`)) {
      if (!field.labels?.length) name(field, field)
    }
    for (const heading of document.querySelectorAll(".tabular th.original:empty")) {
      heading.append(Object.assign(document.createElement("span"), { className: "visually-hidden", textContent: "Row" }))
    }
  }

  let isDue = false
  const nameSoon = () => {
    if (isDue) return
    isDue = true
    requestAnimationFrame(() => {
      isDue = false
      nameAll()
    })
  }

  nameSoon()
  new MutationObserver(nameSoon).observe(document.body, { childList: true, subtree: true })
})()
