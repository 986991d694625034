// Makes the block editor usable by keyboard alone: a list of buttons that add a block, and for every block buttons that
// move it up and down, collapse it and remove it. All of them act through what the block editor itself offers.

(() => {
  const blocks = () =>
    [...document.querySelectorAll(".order-machine .inline-related:not(.empty-form)")]
      .filter((block) => !block.classList.contains("content-editor-invisible"))
      .sort((a, b) => a.style.order - b.style.order)

  const label = (block) => {
    const type = block.querySelector(":scope > h3 b")?.textContent.replace(":", "").trim() ?? "Block"
    const text = block.querySelector(":scope > h3 .inline_label")?.textContent.trim() ?? ""
    return `${type} ${text}`.trim()
  }

  const status = Object.assign(document.createElement("p"), { className: "visually-hidden" })
  status.setAttribute("role", "status")
  const say = (text) => {
    status.textContent = text
  }

  const button = (text, name, act) => {
    const element = Object.assign(document.createElement("button"), { type: "button", textContent: text })
    element.className = "block-button"
    element.dataset.act = name
    element.addEventListener("click", (event) => {
      // The block's heading, which the button stands in, collapses the block when it is clicked.
      event.stopPropagation()
      act(event)
    })
    return element
  }

  // Puts the blocks into the page in the order in which they are shown, so that the Tab key follows what is seen.
  const settle = () => {
    const machine = document.querySelector(".order-machine")
    const sorted = blocks()
    for (const [place, block] of sorted.entries()) {
      const order = 10 * (place + 1)
      block.querySelector(".order-machine-ordering").value = order
      block.style.order = order
    }
    for (let place = sorted.length - 2; place >= 0; place -= 1) {
      if (sorted[place].nextElementSibling !== sorted[place + 1]) machine.insertBefore(sorted[place], sorted[place + 1])
    }
    refresh()
  }

  const move = (block, by, from) => {
    const sorted = blocks()
    const place = sorted.indexOf(block)
    const other = sorted[place + by]
    if (!other) return
    const order = block.style.order
    block.style.order = other.style.order
    other.style.order = order
    settle()
    from.focus()
    say(`${label(block)}: now ${place + by + 1} of ${sorted.length}.`)
  }

  const isCollapsed = (block) => block.classList.contains("collapsed")

  const toggle = (block) => {
    block.querySelector(":scope > h3 .inline_label").click()
    refresh()
  }

  const remove = (block) => {
    const checkbox = block.querySelector(":scope > h3 .delete input[type=checkbox]")
    const sorted = blocks()
    const place = sorted.indexOf(block)
    if (checkbox) {
      checkbox.click()
      say(checkbox.checked ? `${label(block)} goes when the draft is saved.` : `${label(block)} stays.`)
      refresh()
      return
    }
    const name = label(block)
    block.querySelector(".inline-deletelink").click()
    refresh()
    say(`${name} removed.`)
    const next = sorted[place + 1] ?? sorted[place - 1]
    ;(next?.querySelector("[data-act=toggle]") ?? document.querySelector(".add-block button")).focus()
  }

  const equip = (block) => {
    const heading = block.querySelector(":scope > h3")
    if (!heading || heading.querySelector(".block-tools")) return
    const tools = Object.assign(document.createElement("span"), { className: "block-tools" })
    tools.setAttribute("role", "group")
    tools.append(
      button("Up", "up", (event) => move(block, -1, event.currentTarget)),
      button("Down", "down", (event) => move(block, 1, event.currentTarget)),
      button("Collapse", "toggle", () => toggle(block)),
      button("Remove", "remove", () => remove(block)),
    )
    heading.append(tools)
    block.addEventListener("keydown", (event) => {
      const by = { ArrowUp: -1, ArrowDown: 1 }[event.key]
      if (!event.altKey || !event.shiftKey || !by) return
      event.preventDefault()
      move(block, by, document.activeElement)
    })
  }

  // Brings the names and states of all buttons up to date with the blocks.
  const refresh = () => {
    const sorted = blocks()
    for (const [place, block] of sorted.entries()) {
      const tools = block.querySelector(":scope > h3 .block-tools")
      if (!tools) continue
      tools.setAttribute("aria-label", `${label(block)}, block ${place + 1} of ${sorted.length}`)
      tools.querySelector("[data-act=up]").setAttribute("aria-disabled", place === 0)
      tools.querySelector("[data-act=down]").setAttribute("aria-disabled", place === sorted.length - 1)
      const collapse = tools.querySelector("[data-act=toggle]")
      collapse.textContent = isCollapsed(block) ? "Expand" : "Collapse"
      collapse.setAttribute("aria-expanded", !isCollapsed(block))
      const checkbox = block.querySelector(":scope > h3 .delete input[type=checkbox]")
      tools.querySelector("[data-act=remove]").textContent = checkbox?.checked ? "Keep" : "Remove"
    }
  }

  // The first thing to write in: the text editor is an element of its own in front of its hidden field.
  const focusFirstField = (block) => {
    const fields = [...block.querySelectorAll(".ProseMirror, input, select, textarea, .select2-selection")]
    const field = fields.find((element) => element.type !== "hidden" && element.offsetParent && element.tabIndex >= 0)
    field?.focus()
  }

  // The block editor moves the focus too; whoever writes already is left where they are.
  const isWrittenIn = (block) => {
    const at = document.activeElement
    return block.contains(at) && at.matches("input, select, textarea, [contenteditable]") && at.tabIndex >= 0
  }

  const add = (plugin) => {
    window.ContentEditor._insertBefore = null
    window.ContentEditor.addContent(plugin.prefix)
  }

  const addButtons = () => {
    const section = Object.assign(document.createElement("section"), { className: "add-block" })
    const title = Object.assign(document.createElement("h2"), { className: "add-block__title", id: "add-block-title" })
    title.textContent = "Add a block at the end"
    section.setAttribute("aria-labelledby", title.id)
    const list = Object.assign(document.createElement("ul"), { className: "add-block__types" })
    for (const plugin of window.ContentEditor.plugins) {
      const item = document.createElement("li")
      item.append(button(plugin.title, "add", () => add(plugin)))
      list.append(item)
    }
    section.append(title, list)
    document.querySelector(".order-machine-wrapper").after(section, status)
  }

  const added = (event) => {
    if (!window.ContentEditor?.pluginsByPrefix[event.detail.formsetName]) return
    const block = event.target
    equip(block)
    settle()
    say(`${label(block)} added: ${blocks().indexOf(block) + 1} of ${blocks().length}.`)
    // The text editor starts after this event, as soon as all its parts have come.
    const hasText = block.querySelector("[data-django-prose-editor-configurable]")
    if (hasText) block.addEventListener("prose-editor:ready", () => focusFirstField(block), { once: true })
    else setTimeout(() => isWrittenIn(block) || focusFirstField(block), 50)
  }

  // The block editor scrolls to where one was before saving; what the page has to say stands at its top.
  document.addEventListener("DOMContentLoaded", () => {
    if (!document.querySelector(".messagelist, .errornote")) return
    const state = new URLSearchParams(location.hash.slice(1))
    state.delete("scrollY")
    history.replaceState(history.state, "", `#${state}`)
  })

  document.addEventListener("content-editor:ready", () => {
    if (!window.ContentEditor.allowChange) return
    addButtons()
    blocks().forEach(equip)
    settle()
    // Registered now so that they run after the editor's own: a new block has its place by then.
    document.addEventListener("formset:added", added)
    document.addEventListener("formset:removed", () => setTimeout(refresh))
    document.querySelector(".order-machine").addEventListener("drop", () => setTimeout(settle))
    document.querySelector(".order-machine").addEventListener("click", () => setTimeout(refresh))
    document.querySelector(".collapse-items input")?.addEventListener("change", () => setTimeout(refresh))
  })
})()
