// For pages that show embeds: gives each frame the height that its embed tells. Only frames of this script's own site
// are heard; what a frame says changes nothing but its own height.

{
  const site = new URL(document.currentScript.src).origin
  const most = 20000
  const frames = () => [...document.querySelectorAll("iframe")].filter((frame) => frame.src.startsWith(`${site}/`))

  addEventListener("message", ({ data, source }) => {
    const height = data?.type === "veltrix:height" ? data.height : 0
    const frame = frames().find((frame) => frame.contentWindow === source)
    if (frame && Number.isInteger(height) && height > 0 && height <= most) frame.style.height = `${height}px`
  })

  // Embeds may have told it before this script came.
  for (const frame of frames()) frame.contentWindow.postMessage({ type: "veltrix:ask-height" }, "*")
}
