// The conversation as elements.

import { card } from "./card.js";
import { excerpt, render } from "./text.js";

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];
export const NAMES = { you: "You", claude: "Claude", host: "Sluicegate" };
const dayOf = (time) => new Date(time).toDateString();
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

/**
 * `onQuote(id)`, `onRetry(id)`, `onDiscard(id)`, `onPicture(address, name)` and `onPress(id, token)` are called when the
 * user asks for it; `pressOf(id)` gives the press of a question that waits for its answer, `canPress()` whether there
 * can be one.
 */
export function view(log, scroller, { onQuote, onRetry, onDiscard, onPicture, onPress, pressOf, canPress }) {
  const templates = { message: document.getElementById("message"), prompt: document.getElementById("prompt") };
  const shown = new Map(); // id → { message, element, local, card }
  let following = true;

  scroller.addEventListener("scroll", () => {
    following = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 48;
  });
  new ResizeObserver(() => follow()).observe(log);
  new ResizeObserver(() => follow()).observe(scroller);

  function follow() {
    if (following) scroller.scrollTop = scroller.scrollHeight;
  }

  /** Shows a message that is new, or has changed. `local` ones are not stored yet and stay at the end. */
  function show(message, { local = false } = {}) {
    let entry = shown.get(message.id);
    const fresh = !entry;
    if (fresh) {
      entry = message.from === "host" ? createCard(message.id) : { element: create(message.id) };
      shown.set(message.id, entry);
    } else if (local) {
      return false;
    }
    const moved = fresh || entry.local !== local || entry.message.time !== message.time;
    Object.assign(entry, { message, local });
    fillMessage(entry);
    if (moved) place(entry);
    return fresh;
  }

  function clone(template, id) {
    const element = template.content.firstElementChild.cloneNode(true);
    element.dataset.id = id;
    element.querySelector(".reply").onclick = () => onQuote(id);
    return element;
  }

  function createCard(id) {
    const element = clone(templates.prompt, id);
    return { element, card: card(element, (token) => onPress(id, token)) };
  }

  function create(id) {
    const element = clone(templates.message, id);
    element.querySelector(".retry").onclick = () => onRetry(id);
    element.querySelector(".discard").onclick = () => onDiscard(id);
    element.querySelector(".quote").onclick = () => jump(shown.get(id).message.reply_to);
    element.querySelector("article").onclick = (event) => {
      const selected = getSelection()?.toString();
      if (!selected && !event.target.closest("a, button, pre")) onQuote(id);
    };
    return element;
  }

  function fillMessage(entry) {
    const { element, message } = entry;
    const part = (name) => element.querySelector(name);
    part(".head .who").textContent = NAMES[message.from];
    const time = part("time");
    time.dateTime = new Date(message.time).toISOString();
    time.textContent = clock.format(message.time);
    time.title = new Date(message.time).toLocaleString();
    part(".reply").setAttribute("aria-label", `Quote: ${summary(message)}`);
    if (entry.card) entry.card.fill(message, pressOf(message.id), canPress());
    else fillWords(entry);
    // What quotes this message shows its new words.
    for (const other of shown.values()) {
      if (other.message?.reply_to === message.id) quote(other.element.querySelector(".quote"), message.id);
    }
  }

  function fillWords({ element, message, local }) {
    const part = (name) => element.querySelector(name);
    element.classList.toggle("mine", message.from === "you");
    render(part(".text"), message.text, message.spans);
    part(".text").hidden = !message.text;
    part(".edited").hidden = !message.edited;
    part(".reply").hidden = local;
    files(part(".files"), message.files ?? []);
    list(part(".reactions"), message.reactions ?? [], (emoji) => emoji);
    quote(part(".quote"), message.reply_to);
    mark(message.id, local ? "pending" : "stored");
  }

  function quote(button, id) {
    button.hidden = !id;
    if (!id) return;
    const original = shown.get(id)?.message;
    button.querySelector(".who").textContent = original ? NAMES[original.from] : "";
    button.querySelector(".what").textContent = original ? summary(original) : "an earlier message";
    button.disabled = !original;
  }

  function files(element, all) {
    list(element, all, (file) => {
      if (file.local) return `${file.name} · ${bytes(file.size)}`;
      const link = document.createElement("a");
      link.href = `files/${encodeURIComponent(file.file)}`;
      if (PICTURES.includes(file.media_type)) {
        const image = document.createElement("img");
        image.src = link.href;
        image.alt = file.name;
        image.loading = "lazy";
        link.append(image);
        link.onclick = (event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          onPicture(link.href, file.name);
        };
      } else {
        link.download = file.name;
        link.append(file.name, small(bytes(file.size)));
      }
      return link;
    });
  }

  function list(element, all, node) {
    element.hidden = !all.length;
    element.replaceChildren(
      ...all.map((one) => {
        const item = document.createElement("li");
        item.append(node(one));
        return item;
      }),
    );
  }

  // Stored messages stand in the order of their times, the others after them.
  function place(entry) {
    const { element, message, local } = entry;
    let after = log.lastElementChild;
    while (after && !local) {
      const other = shown.get(after.dataset.id);
      if (other !== entry && !other.local && other.message.time <= message.time) break;
      after = after.previousElementSibling;
    }
    const old = element.nextElementSibling;
    if (after !== element) {
      if (after) after.after(element);
      else log.prepend(element);
    }
    for (const each of [old, element, element.nextElementSibling]) if (each?.isConnected) relate(each);
    follow();
  }

  // The day above the first message of a day; less space between messages of the same side.
  function relate(element) {
    const { message } = shown.get(element.dataset.id);
    const before = shown.get(element.previousElementSibling?.dataset.id)?.message;
    const day = element.querySelector(".day");
    const sameDay = before && dayOf(before.time) === dayOf(message.time);
    day.hidden = Boolean(sameDay);
    day.textContent = dayOf(message.time) === dayOf(Date.now()) ? "Today" : calendar.format(message.time);
    const close = sameDay && before.from === message.from && message.time - before.time < 300_000;
    element.classList.toggle("follows", Boolean(close));
  }

  /** Shows how far a message of the user's has come. */
  function mark(id, state, detail) {
    const entry = shown.get(id);
    if (!entry) return;
    if (state === "discarded") {
      const next = entry.element.nextElementSibling;
      entry.element.remove();
      shown.delete(id);
      if (next) relate(next);
      return;
    }
    const part = (name) => entry.element.querySelector(name);
    const mine = entry.message.from === "you";
    const words = { pending: "Waiting to be sent", progress: "Uploading", stored: "Stored", failed: "Not sent" };
    entry.element.dataset.state = state;
    const label = part(".state");
    label.textContent = !mine ? "" : state === "stored" ? "✓" : state === "failed" ? "" : "…";
    label.title = mine ? words[state] : "";
    if (mine) {
      label.setAttribute("role", "img");
      label.setAttribute("aria-label", words[state]);
    }
    part("progress").hidden = state !== "progress";
    if (state === "progress") part("progress").value = detail;
    part(".failed").hidden = state !== "failed";
    if (state === "failed") part(".reason").textContent = `Not sent: ${detail}`;
    follow();
  }

  function jump(id) {
    const element = shown.get(id)?.element;
    if (!element) return;
    element.scrollIntoView({ block: "center" });
    element.classList.remove("found");
    void element.offsetWidth; // Starts the animation again.
    element.classList.add("found");
    element.querySelector(".reply").focus({ preventScroll: true });
  }

  return {
    show,
    mark,
    /** Shows anew what is known of a question. */
    refresh(id) {
      const entry = shown.get(id);
      if (entry) fillMessage(entry);
    },
    refreshAll() {
      for (const entry of shown.values()) if (entry.card) fillMessage(entry);
    },
    has: (id) => shown.has(id),
    message: (id) => shown.get(id)?.message,
    empty: () => shown.size === 0,
    isFollowing: () => following,
    toLatest() {
      following = true;
      follow();
    },
  };
}

/** A message in one line. */
export function summary(message) {
  return excerpt(message.text) || (message.files ?? []).map((file) => file.name).join(", ");
}

/** A size in bytes, for people. */
export function bytes(size) {
  if (size < 1000) return `${size} bytes`;
  if (size < 999_500) return `${Math.round(size / 1000)} kB`;
  return `${(size / 1e6).toFixed(1)} MB`;
}

function small(text) {
  const element = document.createElement("small");
  element.textContent = text;
  return element;
}
