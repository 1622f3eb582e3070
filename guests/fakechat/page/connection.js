// The WebSocket, opened again whenever it is lost.

import { forgetKey, readKey } from "./key.js";

const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;

/**
 * `onFrame` gets each frame; `onState` gets "connecting", "open", "waiting" or "signed-out", and whether the connection
 * has the page's key.
 * The result sends a value as JSON, and says whether it could.
 */
export function connect(path, { onFrame, onState }) {
  const address = new URL(path, document.baseURI);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  let socket;
  let attempts = 0;
  let timer;

  function open() {
    clearTimeout(timer);
    timer = undefined;
    onState("connecting");
    const key = readKey();
    if (key) address.searchParams.set("key", key);
    else address.searchParams.delete("key");
    const mine = new WebSocket(address);
    socket = mine;
    let opened = false;
    mine.onopen = () => {
      opened = true;
      attempts = 0;
      onState("open", Boolean(key));
    };
    mine.onmessage = (event) => {
      if (mine === socket && typeof event.data === "string") onFrame(JSON.parse(event.data));
    };
    mine.onclose = async () => {
      if (mine !== socket) return;
      socket = undefined;
      onState("waiting");
      wait();
      if (!opened && (await refuses("./"))) {
        clearTimeout(timer);
        onState("signed-out");
      } else if (!opened && key && key === readKey() && (await refuses(`./?key=${encodeURIComponent(key)}`))) {
        // The next connection does without.
        forgetKey();
      }
    };
  }

  // Twice as long each time, and never the same for two pages.
  function wait() {
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempts++);
    timer = setTimeout(open, delay * (0.75 + Math.random() / 2));
  }

  function hurry() {
    if (timer !== undefined && document.visibilityState === "visible") {
      attempts = 0;
      open();
    }
  }

  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", hurry);
  open();

  return {
    send(value) {
      if (socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(value));
      return true;
    },
    /** Gives up a connection that no longer answers. */
    renew() {
      const old = socket;
      socket = undefined;
      old?.close();
      clearTimeout(timer);
      open();
    },
  };
}

// A socket that is refused does not say why; the page's own address does.
async function refuses(path) {
  try {
    const { status } = await fetch(path, { cache: "no-store" });
    return status === 401 || status === 403;
  } catch {
    return false;
  }
}
