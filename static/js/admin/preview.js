// The reader's page of the draft beside its form, renewed as one types; the checklist below it; and axe, which looks at
// the page in the frame. Without this script, buttons open preview and checklist in a tab.

(() => {
  const start = () => {
    const desk = document.querySelector(".desk[data-preview]")
    const form = desk?.closest("form")
    const panel = document.querySelector(".preview-panel")
    const button = document.querySelector(".preview-button")
    const checklist = document.querySelector(".desk-checklist")
    if (!form || !panel || !button || !checklist) return
    const frame = panel.querySelector("iframe")
    const stage = panel.querySelector(".preview-panel__stage")
    const status = panel.querySelector(".preview-panel__status")
    const lines = checklist.querySelector(".desk-checklist__lines")
    const axeLines = checklist.querySelector(".desk-checklist__axe")
    const chosen = (name) => panel.querySelector(`input[name="preview-${name}"]:checked`).value
    const isWide = () => matchMedia("(width >= 75rem)").matches

    const address = (path) => `${path}?window=${desk.dataset.window}`

    const fit = () => {
      const width = Number(chosen("width"))
      const scale = Math.min(1, stage.clientWidth / width)
      frame.style.width = `${width}px`
      frame.style.height = `${stage.clientHeight / scale}px`
      frame.style.transform = `scale(${scale})`
    }

    const renewPreview = () => {
      if (panel.hidden) return
      const place = frame.contentDocument ? frame.contentWindow.scrollY : 0
      frame.addEventListener(
        "load",
        () => {
          if (!frame.contentDocument) {
            status.textContent = "The preview cannot be shown at the moment."
            return
          }
          frame.contentWindow.scrollTo({ top: place, behavior: "instant" })
          // Links of the page would leave the draft.
          frame.contentDocument.addEventListener("click", (event) => {
            const link = event.target.closest?.("a[href]")
            if (link && !link.getAttribute("href").startsWith("#")) event.preventDefault()
          })
          status.textContent = "The preview is up to date."
          look()
        },
        { once: true },
      )
      frame.contentWindow.location.replace(`${address(desk.dataset.preview)}&scheme=${chosen("scheme")}`)
    }

    const jump = (anchor) => {
      const target = document.getElementById(anchor)
      if (!target) return
      if (target.classList.contains("collapsed")) target.querySelector("h3 .inline_label")?.click()
      target.scrollIntoView({ block: "center" })
      const first = target.matches("input, textarea, select")
        ? target
        : [...target.querySelectorAll(".ProseMirror, input, textarea, select")].find((e) => e.type !== "hidden" && e.offsetParent)
      first?.focus()
    }

    const renewChecklist = async () => {
      const answer = await fetch(address(desk.dataset.checklist)).catch(() => null)
      if (!answer?.ok) return
      const page = new DOMParser().parseFromString(await answer.text(), "text/html")
      const found = page.getElementById("checklist")
      if (!found) return
      const open = lines.querySelector("details")?.open ?? false
      const count = found.querySelector(".checklist__count")
      const details = document.createElement("details")
      const summary = document.createElement("summary")
      summary.textContent = count.textContent
      count.remove()
      details.append(summary, document.importNode(found, true))
      details.open = open
      lines.replaceChildren(details)
      checklist.hidden = false
    }

    lines.addEventListener("click", (event) => {
      const link = event.target.closest("[data-jump]")
      if (!link) return
      event.preventDefault()
      jump(link.dataset.jump)
    })
    desk.addEventListener("click", (event) => {
      const link = event.target.closest("[data-block]")
      if (!link) return
      event.preventDefault()
      const blocks = [...document.querySelectorAll(".order-machine .inline-related:not(.empty-form)")]
        .filter((block) => block.querySelector(".order-machine-ordering"))
        .sort((a, b) => a.style.order - b.style.order)
      const block = blocks[Number(link.dataset.block) - 1]
      if (block) jump(block.id)
    })

    // axe reports what it finds on the page in the frame, at the width and in the colours that are shown.
    const look = async () => {
      const page = frame.contentWindow
      if (!page.axe) {
        await new Promise((resolve) => {
          const script = frame.contentDocument.createElement("script")
          script.src = desk.dataset.axe
          script.addEventListener("load", resolve)
          script.addEventListener("error", resolve)
          frame.contentDocument.head.append(script)
        })
      }
      if (!page.axe || page.axe._running) return
      const { violations } = await page.axe.run(page.document, { resultTypes: ["violations"] })
      axeLines.replaceChildren()
      const title = document.createElement("h3")
      title.textContent = violations.length ? "Found by axe in the preview" : "axe finds nothing wrong in the preview"
      const list = document.createElement("ul")
      for (const { help, nodes } of violations) {
        const line = document.createElement("li")
        const where = nodes[0]?.target.join(" ") ?? ""
        line.textContent = `${help}: ${nodes.length} ${nodes.length === 1 ? "place" : "places"}, first ${where}`
        list.append(line)
      }
      axeLines.append(title, list)
    }

    const setOpen = (isOpen) => {
      panel.hidden = !isOpen
      document.documentElement.classList.toggle("has-preview", isOpen)
      button.setAttribute("aria-expanded", isOpen)
      try {
        sessionStorage.setItem("preview", isOpen ? "open" : "")
      } catch {
        // A browser that keeps nothing opens the page without its preview.
      }
      if (isOpen) {
        fit()
        form.dispatchEvent(new CustomEvent("draft:keep"))
      }
    }

    button.addEventListener("click", (event) => {
      if (!isWide()) return
      event.preventDefault()
      setOpen(panel.hidden)
    })
    panel.querySelector(".preview-panel__close").addEventListener("click", () => {
      setOpen(false)
      button.focus()
    })
    panel.addEventListener("change", (event) => {
      if (event.target.name === "preview-width") fit()
      if (event.target.name === "preview-scheme") renewPreview()
    })
    new ResizeObserver(fit).observe(stage)
    form.addEventListener("draft:kept", () => {
      renewPreview()
      renewChecklist()
    })
    if (desk.closest("form").querySelector("[name=known]")?.value) renewChecklist()
    try {
      if (isWide() && sessionStorage.getItem("preview") === "open") setOpen(true)
    } catch {
      // As above.
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start)
  else start()
})()
