// The WebSocket, opened again whenever it is lost.

const FIRST_DELAY = 500;
const LONGEST_DELAY = 15_000;

/**
 * `onFrame` gets each frame; `onState` gets "connecting", "open", "waiting" or "signed-out".
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
    const mine = new WebSocket(address);
    socket = mine;
    let opened = false;
    mine.onopen = () => {
      opened = true;
      attempts = 0;
      onState("open");
    };
    mine.onmessage = (event) => {
      if (mine === socket && typeof event.data === "string") onFrame(JSON.parse(event.data));
    };
    mine.onclose = async () => {
      if (mine !== socket) return;
      socket = undefined;
      onState("waiting");
      wait();
      if (!opened && (await signedOut())) {
        clearTimeout(timer);
        onState("signed-out");
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
async function signedOut() {
  try {
    const { status } = await fetch("./", { cache: "no-store" });
    return status === 401 || status === 403;
  } catch {
    return false;
  }
}
