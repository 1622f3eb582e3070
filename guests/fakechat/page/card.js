// A question of the host's. Its text is shown as it is, without marks and links of the page's own making, and it looks
// like nothing that can be said in the chat.

import { render } from "./text.js";

// New buttons rest for a moment: whoever presses twice must not press what took the first one's place.
const REST = 600;

/** `onPress(token)` is called when the user answers. */
export function card(element, onPress) {
  const part = (name) => element.querySelector(name);
  const article = part("article");
  let drawn;
  let resting = false;
  let press;

  function draw(choices) {
    const key = JSON.stringify(choices);
    if (key === drawn) return;
    drawn = key;
    const focused = element.contains(document.activeElement);
    part(".choices").hidden = !choices.length;
    part(".choices").replaceChildren(
      ...choices.map(({ label, token }) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = label;
        button.onclick = () => {
          if (!resting && (!press || press.overdue)) onPress(token);
        };
        return button;
      }),
    );
    if (focused && !element.contains(document.activeElement)) article.focus({ preventScroll: true });
    resting = true;
    setTimeout(() => {
      if (key !== drawn) return;
      resting = false;
      mark(choices);
    }, REST);
  }

  function mark(choices) {
    const busy = Boolean(press) && !press.overdue;
    [...part(".choices").children].forEach((button, index) => {
      // `disabled` would take the focus away.
      button.setAttribute("aria-disabled", busy || resting);
      button.classList.toggle("pressed", press?.token === choices[index]?.token);
    });
    part(".sending").textContent = busy ? "sending…" : press ? "No answer yet. You can press again." : "";
  }

  return {
    /** Shows the question, and the press that waits for its answer, if there is one. `open`: it can be answered here. */
    fill({ text, spans = [], choices = [] }, pressed, open) {
      const locked = choices.length > 0 && !open;
      press = locked ? undefined : pressed;
      render(part(".text"), text, spans, { verbatim: true });
      element.dataset.state = locked ? "locked" : !choices.length ? "settled" : press && !press.overdue ? "sending" : "waiting";
      part(".title").textContent = choices.length ? "Permission request" : "Permission request · closed";
      part(".locked").hidden = !locked;
      draw(locked ? [] : choices);
      mark(locked ? [] : choices);
    },
  };
}
