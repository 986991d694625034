// While a figure is typed, shows how every place that prints it will read. Without it a button opens the same as a page.

(() => {
  const start = () => {
    const readings = document.querySelector(".uses__readings[data-preview]")
    if (!readings?.dataset.preview) return
    const form = readings.closest("form")
    const status = document.querySelector(".uses__status")
    document.querySelector(`[formaction="${readings.dataset.preview}"]`)?.remove()
    let waiting = 0
    let latest = 0

    const renew = async () => {
      const own = (latest += 1)
      const answer = await fetch(readings.dataset.preview, { method: "POST", body: new FormData(form) }).catch(() => null)
      // A slower answer to an earlier question says nothing new.
      if (!answer?.ok || own !== latest) return
      readings.innerHTML = await answer.text()
      const changed = readings.querySelectorAll("td strong").length
      const errors = readings.querySelectorAll(".errorlist li").length
      status.textContent = `${changed} places will read otherwise. ${errors ? `${errors} things to put right first.` : ""}`
    }

    const renewSoon = () => {
      clearTimeout(waiting)
      waiting = setTimeout(renew, 400)
    }
    form.addEventListener("input", renewSoon)
    form.addEventListener("change", renewSoon)
    // The fields that complete what is typed tell of a choice through jQuery alone.
    window.django?.jQuery(form).on("change", renewSoon)
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start)
  else start()
})()
