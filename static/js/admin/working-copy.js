// Keeps what is typed into an article's form every few seconds, tells who else has the article open, and warns whoever
// is about to leave with something unsaved. Tells the other scripts with the event “draft:kept” that there is news.

(() => {
  const LOOK = 1500
  const LONGEST = 6000
  const PULSE = 5000

  const start = () => {
    const desk = document.querySelector(".desk[data-copy]")
    const form = desk?.closest("form")
    if (!form || !desk.dataset.copy || !form.querySelector("input[name=_continue]")) return
    // A page that was loaded anew goes on with what was typed in it before.
    const tab = `window:${location.pathname}`
    try {
      const before = sessionStorage.getItem(tab)
      const offer = before && desk.querySelector(`a[href="?copy=${CSS.escape(before)}"]`)
      sessionStorage.setItem(tab, desk.dataset.window)
      if (offer) return location.replace(offer.href)
    } catch {
      // A browser that keeps nothing leaves the choice to whoever reads the page.
    }
    const others = desk.querySelector(".desk__others")
    const kept = desk.querySelector(".desk__kept")

    const fields = () => {
      const data = new FormData(form)
      // Chosen files are sent when the draft is saved.
      for (const [name, value] of [...data]) if (value instanceof File) data.delete(name)
      return data
    }
    const written = (data) => JSON.stringify([...data].filter(([name]) => name !== "csrfmiddlewaretoken"))

    // The form as it was saved. The editors write into their fields a moment after the page is there, which is no
    // change, unless somebody has begun to type before.
    let saved = written(fields())
    let isTouched = false
    for (const kind of ["keydown", "pointerdown"]) form.addEventListener(kind, () => (isTouched = true), { once: true })
    let last = null
    let sent = null
    let sentAt = 0
    let pulseAt = 0
    let isLeaving = false
    let isSending = false
    let trouble = ""

    const show = (element, text) => {
      if (element.textContent !== text) element.textContent = text
    }

    const tell = ({ others: people, stale, kept: at }) => {
      const open = people.map(({ name, seconds }) =>
        seconds === null ? name : `${name}, last change ${seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`} ago`,
      )
      const also = open.length ? `Also being edited by ${open.join("; ")}.` : ""
      const later = stale ? `${stale.by} saved this draft at ${stale.at}. When you save, you will see both side by side.` : ""
      show(others, `${also} ${later}`.trim())
      if (at && written(fields()) !== saved) show(kept, `Kept at ${at}, not saved in the draft yet.`)
    }

    const send = async (data, isTyped) => {
      data.set("_typed", "1")
      if (!isTyped) data.delete("_typed")
      isSending = true
      try {
        const answer = await fetch(desk.dataset.copy, { method: "POST", body: data, redirect: "error", headers: isTyped ? {} : { "X-Background": "1" } })
        if (!answer.ok) throw new Error(String(answer.status))
        trouble = ""
        tell(await answer.json())
        return true
      } catch {
        if (!isLeaving) trouble = "What you type is not being kept at the moment: the site cannot be reached, or you are signed out. Leave this page open and try to save."
        show(kept, trouble)
        return false
      } finally {
        isSending = false
      }
    }

    const pulse = () => {
      const data = new FormData()
      for (const name of ["csrfmiddlewaretoken", "window", "known"]) data.set(name, form.elements[name]?.value ?? "")
      return data
    }

    const look = async () => {
      if (isLeaving || isSending) return
      const data = fields()
      const now = written(data)
      const time = Date.now()
      const isQuiet = now === last || last === null
      last = now
      if (sent === null) {
        if (!isTouched) saved = now
        if (desk.hasAttribute("data-unsaved")) saved = ""
        sent = saved
      }
      if (now !== sent && (isQuiet || time - sentAt > LONGEST)) {
        sentAt = pulseAt = time
        if (await send(data, true)) {
          sent = now
          form.dispatchEvent(new CustomEvent("draft:kept"))
        }
      } else if (time - pulseAt > PULSE) {
        pulseAt = time
        await send(pulse(), false)
      }
    }

    // Asks that the copy be kept now, for whoever wants to look at it.
    form.addEventListener("draft:keep", async () => {
      const data = fields()
      if (await send(data, true)) {
        sent = written(data)
        form.dispatchEvent(new CustomEvent("draft:kept"))
      }
    })

    form.addEventListener("submit", (event) => {
      isLeaving = event.submitter?.formTarget !== "_blank"
      // Whoever is still here then has stopped the save, or has got a file.
      if (isLeaving) setTimeout(() => (isLeaving = false), 15_000)
    })
    addEventListener("beforeunload", (event) => {
      if (isLeaving || written(fields()) === saved) return
      event.preventDefault()
    })
    addEventListener("pagehide", () => {
      if (isLeaving) return
      const data = pulse()
      data.set("_closed", "1")
      fetch(desk.dataset.copy, { method: "POST", body: data, keepalive: true }).catch(() => null)
    })
    addEventListener("pageshow", () => {
      isLeaving = false
    })
    setTimeout(() => {
      look()
      setInterval(look, LOOK)
    }, 1500)
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start)
  else start()
})()
