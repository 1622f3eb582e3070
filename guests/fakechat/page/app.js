// The page: what the user does goes to the outbox, what the host says goes to the view.

import { connect } from "./connection.js";
import { readKey, takeKey } from "./key.js";
import { outbox } from "./outbox.js";
import { presses } from "./presses.js";
import { NAMES, bytes, summary, view } from "./view.js";

const LARGEST = 50 * 1024 * 1024;
const TYPING = 6000;
const DRAFT = "fakechat.draft";
const STATES = {
  connecting: "Connecting…",
  open: "Connected",
  waiting: "Connection lost, trying again…",
  "signed-out": "Signed out: open the page's address from Sluicegate again",
};

const get = (id) => document.getElementById(id);
const [log, scroller, form, text, picker, notice] = ["log", "scroller", "composer", "text", "files", "notice"].map(get);

takeKey();
// Whether the host takes answers to its questions over this connection.
let keyed = Boolean(readKey());
let chosen = [];
let quoted;
let unread = 0;
let typing;

const messages = view(log, scroller, {
  onQuote: quote,
  onRetry: (id) => box.retry(id),
  onDiscard: (id) => box.discard(id),
  onPicture: showPicture,
  onPress: (message, token) => pressed.add({ id: newId(), message, text: messages.message(message).text, token }),
  pressOf: (id) => pressed.of(id),
  canPress: () => keyed,
});
const connection = { send: () => false, renew: () => {} };
const pressed = presses({
  sendFrame: (frame) => connection.send(frame),
  question: (id) => messages.message(id),
  stuck: () => connection.renew(),
  onChange: (id) => messages.refresh(id),
});
const box = outbox({
  sendFrame: (frame) => connection.send(frame),
  stuck: () => connection.renew(),
  onChange(entry, state, detail) {
    if (state === "pending") messages.show(local(entry), { local: true });
    messages.mark(entry.id, state, detail);
    emptiness();
  },
});
box.waiting.forEach((entry) => messages.show(local(entry), { local: true }));
Object.assign(connection, connect("socket", { onFrame: frame, onState: state }));

function state(name, hasKey) {
  if (name === "open" && keyed !== hasKey) {
    keyed = hasKey;
    messages.refreshAll();
  }
  document.querySelector(".status").dataset.state = name;
  get("status").textContent = STATES[name];
  if (name !== "open") hideTyping();
  // While it is down, new words must not be announced one by one when it is back.
  if (name !== "open") log.setAttribute("aria-live", "off");
  if (name !== "open") box.connected(false);
  if (name !== "open") pressed.connected(false);
}

function frame(value) {
  if (value.type === "history") {
    for (const message of value.messages) receive(message);
    if (!value.more) {
      log.setAttribute("aria-live", "polite");
      emptiness();
      // Only now is it known which of the waiting messages have arrived already.
      box.connected(true);
      pressed.connected(keyed);
    }
  } else if (value.type === "message") {
    const fresh = receive(value.message);
    if (value.message.from === "you") return;
    hideTyping();
    if (fresh && document.hidden) title(unread + 1);
  } else if (value.type === "ack") {
    box.stored(value.id);
  } else if (value.type === "refused") {
    box.refused(value.id, value.reason);
  } else if (value.type === "typing") {
    get("typing").hidden = false;
    clearTimeout(typing);
    typing = setTimeout(hideTyping, TYPING);
    if (messages.isFollowing()) messages.toLatest();
  }
}

function receive(message) {
  box.stored(message.id);
  const earlier = messages.message(message.id);
  const fresh = messages.show(message);
  if (message.from === "host") asked(message, earlier);
  emptiness();
  latest();
  return fresh;
}

// A question is told at once, and so is how it ended; what was over before the page opened is not.
function asked({ id, text, choices = [] }, earlier) {
  pressed.settle(id);
  if (earlier ? earlier.text === text : !choices.length) return;
  const buttons = choices.length && keyed ? ` (${choices.map(({ label }) => label).join(", ")})` : "";
  get("announcement").textContent = `Permission request: ${text.split("\n")[0]}${buttons}`;
}

function local({ id, text, reply_to, files, time }) {
  const named = files.map(({ name, size }) => ({ name, size, local: true }));
  return { id, from: "you", time, text, reply_to, files: named };
}

function emptiness() {
  get("empty").hidden = !messages.empty();
}

function hideTyping() {
  clearTimeout(typing);
  get("typing").hidden = true;
}

function title(count) {
  unread = count;
  document.title = `${count ? `(${count}) ` : ""}Claude Code · fakechat`;
}

function latest() {
  get("latest").hidden = messages.isFollowing();
}

// A picture as large as the window; a click anywhere or Escape closes it.

const viewer = get("viewer");

function showPicture(address, name) {
  Object.assign(viewer.querySelector("img"), { src: address, alt: name });
  Object.assign(viewer.querySelector("a"), { href: address, download: name });
  viewer.showModal();
}

viewer.onclick = (event) => {
  if (!event.target.closest("a")) viewer.close();
};

// Writing and sending.

function send() {
  const words = text.value.trim();
  if (!words && !chosen.length) return;
  messages.toLatest();
  const entry = { id: newId(), text: words, reply_to: quoted, files: chosen, time: Date.now() };
  chosen = [];
  text.value = "";
  sessionStorage.removeItem(DRAFT);
  unquote();
  listChosen();
  resize();
  box.add(entry);
  text.focus();
}

// `randomUUID` exists only where the browser trusts the address: localhost, or https.
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function resize() {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
  get("send").disabled = !text.value.trim() && !chosen.length;
}

function quote(id) {
  const message = messages.message(id);
  if (!message) return;
  quoted = id;
  get("quote").hidden = false;
  get("quote").querySelector(".who").textContent = NAMES[message.from];
  get("quote").querySelector(".what").textContent = summary(message);
  text.focus();
}

function unquote() {
  quoted = undefined;
  get("quote").hidden = true;
}

function choose(files) {
  const all = [...chosen, ...files];
  if (all.reduce((sum, file) => sum + file.size, 0) > LARGEST) {
    tell("These are more than 50 MB together, so they were not attached.");
    return;
  }
  tell("");
  chosen = all;
  listChosen();
  resize();
  text.focus();
}

function listChosen() {
  get("chosen").hidden = !chosen.length;
  get("chosen").replaceChildren(
    ...chosen.map((file, index) => {
      const item = document.createElement("li");
      const remove = document.createElement("button");
      remove.type = "button";
      remove.textContent = "×";
      remove.setAttribute("aria-label", `Remove ${file.name}`);
      remove.onclick = () => {
        chosen = chosen.filter((_, other) => other !== index);
        listChosen();
        resize();
        text.focus();
      };
      item.append(`${file.name} · ${bytes(file.size)} `, remove);
      return item;
    }),
  );
}

function tell(words) {
  notice.textContent = words;
  notice.hidden = !words;
}

form.onsubmit = (event) => {
  event.preventDefault();
  send();
};
text.oninput = () => {
  sessionStorage.setItem(DRAFT, text.value);
  resize();
};
get("attach").onclick = () => picker.click();
picker.onchange = () => {
  choose(picker.files);
  picker.value = "";
};
get("quote").querySelector("button").onclick = () => {
  unquote();
  text.focus();
};
get("latest").onclick = () => {
  messages.toLatest();
  text.focus();
};
scroller.addEventListener("scroll", latest);

// Keys: Enter sends, Escape takes the quote away, arrows walk through the messages.

text.onkeydown = (event) => {
  if (event.isComposing) return;
  if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.altKey) {
    event.preventDefault();
    send();
  } else if (event.key === "Escape") {
    unquote();
  } else if (event.key === "ArrowUp" && !text.value) {
    event.preventDefault();
    walk(-1);
  }
};
log.onkeydown = (event) => {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (event.key === "Escape") text.focus();
  if (!step || event.target.closest("pre")) return;
  event.preventDefault();
  walk(step);
};

function walk(step) {
  const stops = [...log.querySelectorAll(".reply:not([hidden])")];
  const at = stops.findIndex((stop) => stop.closest("li").contains(document.activeElement));
  const next = at < 0 ? stops.length - 1 : at + step;
  if (next >= stops.length) text.focus();
  else stops[Math.max(next, 0)]?.focus();
}

// Whoever starts typing anywhere means the message.
document.addEventListener("keydown", (event) => {
  const plain = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (plain && !event.target.closest("textarea, input, button, a")) text.focus();
});

// Files by paste and by drop.

document.addEventListener("paste", (event) => {
  if (!event.clipboardData?.files.length) return;
  event.preventDefault();
  choose(event.clipboardData.files);
});

let depth = 0;
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
const overlay = () => (get("drop").hidden = depth === 0);
addEventListener("dragenter", (event) => {
  if (!carriesFiles(event)) return;
  depth += 1;
  overlay();
});
addEventListener("dragleave", (event) => {
  if (!carriesFiles(event)) return;
  depth = Math.max(0, depth - 1);
  overlay();
});
addEventListener("dragover", (event) => {
  if (carriesFiles(event)) event.preventDefault();
});
addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  depth = 0;
  overlay();
  choose(event.dataTransfer.files);
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) title(0);
});
addEventListener("beforeunload", (event) => {
  if (box.losing()) event.preventDefault();
});

text.value = sessionStorage.getItem(DRAFT) ?? "";
resize();
