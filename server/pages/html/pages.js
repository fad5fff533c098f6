// Comfort for the password form, which works without it: show and hide what is
// typed, and measure it by the server's own rules.
(() => {
  "use strict";

  const form = document.querySelector("form[data-strength]");
  if (!form) return;
  const password = form.querySelector("#password");
  const confirm = form.querySelector("#confirm");
  const toggle = document.createElement("button"); // of no use, and not there, without the script
  const meter = form.querySelector("#meter");
  const verdict = form.querySelector("#verdict");
  const patience = 250; // milliseconds without a key before the server is asked

  const show = (visible) => {
    password.type = confirm.type = visible ? "text" : "password";
    toggle.textContent = visible ? form.dataset.hide : form.dataset.show;
  };
  Object.assign(toggle, { id: "toggle", type: "button", className: "toggle" });
  toggle.setAttribute("aria-describedby", "password-label");
  toggle.setAttribute("aria-controls", "password confirm");
  toggle.addEventListener("click", () => show(password.type === "password"));
  password.after(toggle);
  show(false);

  // A link works once: sent by a double click, the second form would be told
  // that the first one has used it. Password managers and the browser's own
  // history must see password fields.
  const pause = 5000; // milliseconds
  let sent = -pause;
  form.addEventListener("submit", (event) => {
    if (event.timeStamp - sent < pause) {
      event.preventDefault();
      return;
    }
    sent = event.timeStamp;
    show(false);
  });

  // The verdict takes the place of the rules: nothing moves under the pointer
  // once a password is measured, and screen readers know where to listen.
  const display = (answer) => {
    meter.dataset.score = answer.score;
    meter.classList.toggle("good", answer.good);
    verdict.textContent = `${form.dataset.label} ${answer.label}. ${answer.text}`;
  };
  const clear = () => {
    delete meter.dataset.score;
    meter.classList.remove("good");
    verdict.textContent = "";
  };

  let timer = 0;
  let asked = new AbortController();

  const measure = async () => {
    asked = new AbortController();
    const body = new URLSearchParams();
    for (const field of form.querySelectorAll("input[type=hidden]")) body.set(field.name, field.value);
    body.set("member-password", password.value);
    try {
      const answer = await fetch(form.dataset.strength, { method: "POST", body, signal: asked.signal, redirect: "error" });
      if (!answer.ok) throw new Error("no answer");
      display(await answer.json());
    } catch (error) {
      if (error.name !== "AbortError") clear(); // the server decides anyway
    }
  };

  password.addEventListener("input", () => {
    clearTimeout(timer);
    asked.abort();
    if (password.value === "") {
      clear();
      return;
    }
    timer = setTimeout(measure, patience);
  });
})();
