// <copy-text>: adds a button that copies the text inside, where the browser can. Without it the text can be selected.

class CopyText extends HTMLElement {
  connectedCallback() {
    const text = this.querySelector("pre")
    if (!text || !navigator.clipboard || this.querySelector("button")) return
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Copy" })
    const name = text.getAttribute("aria-label")
    button.className = "copy-text__button"
    button.setAttribute("aria-label", `Copy: ${name}`)
    const status = Object.assign(document.createElement("span"), { className: "visually-hidden" })
    status.setAttribute("role", "status")
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.textContent)
      } catch {
        getSelection().selectAllChildren(text)
        status.textContent = "Selected: press Ctrl and C to copy."
        return
      }
      button.textContent = "Copied"
      status.textContent = `${name} copied.`
      setTimeout(() => {
        button.textContent = "Copy"
        status.textContent = ""
      }, 3000)
    })
    this.append(button, status)
  }
}

customElements.define("copy-text", CopyText)
