// Proves a passkey, or makes one, and sends what came of it with the form. Without passkeys the form stays hidden.

class PasskeyForm extends HTMLElement {
  connectedCallback() {
    if (!globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON) return
    this.hidden = false
    this.addEventListener("submit", this.#submit)
  }

  #submit = async (event) => {
    const form = event.target
    event.preventDefault()
    const button = form.querySelector("button")
    const problem = form.querySelector("[role=alert]")
    problem.textContent = ""
    button.disabled = true
    try {
      const credential = await this.#ask(form)
      form.elements.credential.value = JSON.stringify(credential)
      form.submit()
    } catch (error) {
      problem.textContent = this.#inWords(error)
      button.disabled = false
    }
  }

  async #ask(form) {
    const body = new FormData()
    body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value)
    const answer = await fetch(this.dataset.options, { method: "POST", body, redirect: "error" })
    if (!answer.ok) throw new Error(String(answer.status))
    const { publicKey } = await answer.json()
    if ("makes" in this.dataset) {
      return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
    }
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) })
  }

  #inWords(error) {
    if (error.name === "InvalidStateError") return "This device has a passkey of yours already."
    if (error.name === "NotAllowedError") return "Nothing was chosen, or it took too long. Please try again."
    if (error.message === "429") return "Too many attempts from your network. Please wait a few minutes."
    return "That did not work. Please load the page anew and try again."
  }
}

customElements.define("passkey-form", PasskeyForm)
