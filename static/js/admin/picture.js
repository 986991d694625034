// Takes a picture in as soon as it is chosen, and sets its focus by a click on it or with the arrow keys. Without this
// script the picture goes with the form, and the focus is two numbers.

(() => {
  const STEP = 1
  const LEAP = 10
  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

  const say = (input, text, isWrong = false) => {
    const status = input.querySelector(".picture-input__status")
    status.textContent = text
    status.classList.toggle("picture-input__status--wrong", isWrong)
  }

  const takeIn = async (input, chooser) => {
    const file = chooser.files[0]
    if (!file) return
    const data = new FormData()
    data.set("picture", file)
    data.set("csrfmiddlewaretoken", chooser.form.elements.csrfmiddlewaretoken.value)
    say(input, `Taking in ${file.name} …`)
    try {
      const answer = await fetch(input.dataset.upload, { method: "POST", body: data, redirect: "error" })
      if (answer.status !== 200 && answer.status !== 400) throw new Error(String(answer.status))
      const { name, url, error } = await answer.json()
      // Another file may have been chosen meanwhile.
      if (chooser.files[0] !== file) return
      chooser.value = ""
      if (error) return say(input, error, true)
      const kept = input.querySelector("input[type=hidden]")
      kept.value = name
      const frame = input.querySelector(".picture-input__frame")
      frame.querySelector("img").src = url
      frame.hidden = false
      say(input, `${file.name} is kept here. It is part of the draft once you save.`)
    } catch {
      say(input, `${file.name} is sent when you save.`)
    }
  }

  // The fields of the picture's focus, by their names' ends.
  const fields = (input) => {
    const form = input.closest(".inline-related")
    return ["x", "y"].map((axis) => form?.querySelector(`input[name$="-focus_${axis}"]`))
  }

  const place = (input) => {
    const mark = input.querySelector(".picture-input__focus")
    const [x, y] = fields(input).map((field) => Math.min(100, Math.max(0, Number(field.value) || 0)))
    mark.style.insetInlineStart = `${x}%`
    mark.style.insetBlockStart = `${y}%`
    mark.setAttribute("aria-label", `Focus: ${x}% from the left, ${y}% from the top. Move it with the arrow keys.`)
  }

  const set = (input, values) => {
    for (const [index, field] of fields(input).entries()) {
      field.value = Math.round(Math.min(100, Math.max(0, values[index])))
    }
    place(input)
  }

  const equip = (input) => {
    if (input.querySelector(".picture-input__focus") || fields(input).includes(null)) return
    const frame = input.querySelector(".picture-input__frame")
    const mark = Object.assign(document.createElement("button"), { type: "button", className: "picture-input__focus" })
    frame.append(mark)
    place(input)
    frame.addEventListener("click", (event) => {
      // A click by keyboard has no place.
      if (!event.detail) return
      const box = frame.querySelector("img").getBoundingClientRect()
      set(input, [(100 * (event.clientX - box.left)) / box.width, (100 * (event.clientY - box.top)) / box.height])
      mark.focus()
    })
    mark.addEventListener("keydown", (event) => {
      const way = KEYS[event.key]
      if (!way || event.altKey || event.ctrlKey || event.metaKey) return
      event.preventDefault()
      const step = event.shiftKey ? LEAP : STEP
      const now = fields(input).map((field) => Number(field.value) || 0)
      set(input, now.map((value, axis) => value + step * way[axis]))
    })
    for (const field of fields(input)) field.addEventListener("input", () => place(input))
  }

  // Blocks that are added later come from a template, whose own input stays as it is.
  const equipAll = () => {
    for (const input of document.querySelectorAll(".inline-related:not(.empty-form) .picture-input")) equip(input)
  }

  document.addEventListener("change", (event) => {
    const input = event.target.closest?.(".picture-input")
    if (input && event.target.type === "file") takeIn(input, event.target)
  })
  document.addEventListener("formset:added", equipAll)
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", equipAll)
  else equipAll()
})()
