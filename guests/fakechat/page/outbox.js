// What was written and is not yet stored: sent one after another, in order, until the host has it. Each entry
// keeps its id, so one that is sent twice is still one message.

const STORE = "fakechat.outbox";
const PATIENCE = 30_000;

/**
 * `sendFrame` sends over the socket and says whether it could; `stuck` is called when an answer is overdue.
 * `onChange(entry, state, detail)` gets "pending", "progress" (0 to 1), "stored", "failed" (the reason) and
 * "discarded".
 */
export function outbox({ sendFrame, stuck, onChange }) {
  const queue = restore();
  const failed = new Map();
  let open = false;
  let flying; // The entry that is on its way.
  let timer;
  let attempts = 0;

  function save() {
    // Files cannot be kept over a reload; texts can.
    const texts = queue.filter((entry) => !entry.files.length);
    sessionStorage.setItem(STORE, JSON.stringify(texts));
  }

  function next() {
    if (flying || timer !== undefined || !open || !queue.length) return;
    const entry = queue[0];
    flying = entry;
    if (entry.files.length) {
      upload(entry);
      return;
    }
    const frame = { type: "message", id: entry.id, text: entry.text };
    if (entry.reply_to) frame.reply_to = entry.reply_to;
    if (!sendFrame(frame)) {
      flying = undefined;
      return;
    }
    later(PATIENCE, () => {
      flying = undefined;
      stuck();
    });
  }

  function later(delay, run) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      run();
    }, delay);
  }

  function settle(id, state, detail) {
    const index = queue.findIndex((entry) => entry.id === id);
    if (index < 0) return;
    const [entry] = queue.splice(index, 1);
    if (flying === entry) {
      flying = undefined;
      clearTimeout(timer);
      timer = undefined;
    }
    attempts = 0;
    if (state === "failed") failed.set(id, entry);
    save();
    onChange(entry, state, detail);
    next();
  }

  function upload(entry) {
    const form = new FormData();
    form.append("id", entry.id);
    if (entry.text) form.append("text", entry.text);
    if (entry.reply_to) form.append("reply_to", entry.reply_to);
    for (const file of entry.files) form.append("file", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", "upload");
    request.upload.onprogress = ({ loaded, total }) => {
      // The socket may have told already that it is stored.
      if (flying === entry) onChange(entry, "progress", total ? loaded / total : 0);
    };
    request.onloadend = () => {
      if (flying !== entry) return;
      const { status } = request;
      if (status >= 200 && status < 300) settle(entry.id, "stored");
      else if (status === 401 || status === 403) settle(entry.id, "failed", "this page is no longer signed in.");
      else if (status === 413) settle(entry.id, "failed", "the files are too large.");
      else if (status >= 400 && status < 500) settle(entry.id, "failed", "the host refused it.");
      else {
        // Not answered, or not now: the same again after a while.
        flying = undefined;
        onChange(entry, "pending");
        later(Math.min(15_000, 1000 * 2 ** attempts++), next);
      }
    };
    request.send(form);
  }

  return {
    waiting: queue,
    add(entry) {
      queue.push(entry);
      save();
      onChange(entry, "pending");
      next();
    },
    /** The connection is there or not. A frame that was on its way when it went is sent again. */
    connected(yes) {
      open = yes;
      if (flying && !flying.files.length) {
        flying = undefined;
        clearTimeout(timer);
        timer = undefined;
      }
      next();
    },
    stored: (id) => settle(id, "stored"),
    refused: (id, reason) => settle(id, "failed", reason),
    retry(id) {
      const entry = failed.get(id);
      if (failed.delete(id)) this.add(entry);
    },
    discard(id) {
      const entry = failed.get(id);
      if (failed.delete(id)) onChange(entry, "discarded");
    },
    /** Whether leaving the page would lose something. */
    losing: () => queue.some((entry) => entry.files.length),
  };
}

function restore() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE)) ?? [];
  } catch {
    return [];
  }
}
