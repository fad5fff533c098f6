// Comfort for the inbox and the start page, which work without it: mails show
// as they come, frames are as high as the mails in them, and command lines can
// be copied.
(() => {
  "use strict";

  const mails = document.querySelector("#mails");
  const live = document.querySelector("#live");

  const refresh = async (announce) => {
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const focused = document.activeElement;
    for (const time of document.querySelectorAll("#mails time")) { // nothing else of a mail changes
      const address = CSS.escape(time.closest("a").getAttribute("href"));
      const next = page.querySelector(`#mails a[href="${address}"] time`);
      if (next && next.textContent !== time.textContent) time.textContent = next.textContent;
    }
    for (const part of ["#mails", ".tools"]) {
      const now = document.querySelector(part);
      const next = page.querySelector(part);
      if (now.innerHTML !== next.innerHTML) now.replaceChildren(...next.childNodes);
    }
    if (!focused.isConnected) { // its like takes its place
      const address = CSS.escape(focused.getAttribute("href"));
      document.querySelector(`main a[href="${address}"]`)?.focus({ preventScroll: true });
    }
    if (announce) live.textContent = "A mail has come in.";
  };

  if (mails && "EventSource" in window) {
    let events;
    // Browsers open few connections to a server, and each stream takes one:
    // pages that nobody sees must leave them to others.
    const listen = () => {
      events?.close();
      if (document.hidden) return;
      events = new EventSource(mails.dataset.events);
      events.addEventListener("open", () => refresh(false));
      events.addEventListener("mail", () => refresh(true));
    };
    document.addEventListener("visibilitychange", listen);
    listen();
    setInterval(() => document.hidden || refresh(false).catch(() => {}), 60_000); // "3 minutes ago"
  }

  const frame = document.querySelector("iframe.frame");
  if (frame) {
    window.addEventListener("message", (event) => {
      if (event.source !== frame.contentWindow) return;
      const height = Number(event.data?.height);
      if (height > 0) frame.style.blockSize = `${Math.min(Math.max(height, 200), 30_000) + 2}px`; // with its border
    });
    frame.contentWindow.postMessage("", "*"); // it may have loaded before this script
  }

  for (const block of document.querySelectorAll(".copy")) {
    if (!navigator.clipboard) break;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet-button";
    button.textContent = "Copy";
    button.setAttribute("aria-describedby", block.querySelector("pre").getAttribute("aria-labelledby"));
    button.setAttribute("aria-live", "polite"); // tells that it has copied
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.querySelector("code").textContent);
      button.textContent = "Copied";
    });
    block.append(button);
  }
})();
