// Tells the page around the frame how high this embed is: whenever that changes, and when the page asks.

const tell = () => {
  const height = Math.ceil(document.body.getBoundingClientRect().height)
  parent.postMessage({ type: "veltrix:height", height }, "*")
}

if (parent !== window) {
  new ResizeObserver(tell).observe(document.body)
  addEventListener("message", (event) => {
    if (event.source === parent && event.data?.type === "veltrix:ask-height") tell()
  })
}
