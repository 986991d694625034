// Tells the page around the frame how high this embed is: whenever that changes, and when the page asks.

const measure = () => Math.ceil(document.body.getBoundingClientRect().height)
let told = 0

const tell = () => {
  told = measure()
  parent.postMessage({ type: "veltrix:height", height: told }, "*")
}

const tellChange = () => {
  if (measure() !== told) tell()
}

if (parent !== window) {
  new ResizeObserver(tellChange).observe(document.body)
  // A frame that the browser does not paint observes no sizes, though fonts that come late change them.
  setInterval(tellChange, 500)
  addEventListener("message", (event) => {
    if (event.source === parent && event.data?.type === "veltrix:ask-height") tell()
  })
}
