// Pressed buttons that the host has not answered yet. It answers by rewriting the question. Each press keeps its id,
// so one that is sent twice is still one press.

const STORE = "fakechat.presses";
const PATIENCE = 15_000;

/**
 * `sendFrame` sends over the socket; `question(id)` gives the question as the page has it now; `stuck` is called when
 * an answer is overdue. `onChange(id)` is called when what is known of that question's press has changed.
 */
export function presses({ sendFrame, question, stuck, onChange }) {
  const waiting = new Map(restore().map((press) => [press.message, press])); // by the question's id
  let open = false;

  function save() {
    const kept = [...waiting.values()].map(({ id, message, text, token }) => ({ id, message, text, token }));
    sessionStorage.setItem(STORE, JSON.stringify(kept));
  }

  function send(press) {
    const { id, message, token } = press;
    if (!open || !sendFrame({ type: "button", id, message, token })) return;
    clearTimeout(press.timer);
    if (press.overdue) return;
    press.timer = setTimeout(() => {
      press.overdue = true;
      onChange(message);
      stuck();
    }, PATIENCE);
  }

  /** Forgets a press whose question has other words now, other buttons, or is gone. */
  function settle(id) {
    const press = waiting.get(id);
    const now = question(id);
    if (!press || (now?.text === press.text && now.choices?.some(({ token }) => token === press.token))) return;
    clearTimeout(press.timer);
    waiting.delete(id);
    save();
    onChange(id);
  }

  return {
    /** `{ id, message, text, token }`: the press's own id, the question's id and words, and the button's token. */
    add(press) {
      const earlier = waiting.get(press.message);
      if (earlier && !earlier.overdue) return;
      waiting.set(press.message, press);
      save();
      onChange(press.message);
      send(press);
    },
    /** The connection and the history are there or not. What was pressed is sent again. */
    connected(yes) {
      open = yes;
      for (const id of yes ? [...waiting.keys()] : []) settle(id);
      for (const press of waiting.values()) {
        clearTimeout(press.timer);
        send(press);
      }
    },
    settle,
    /** The press of that question: its token, and whether the answer is overdue. */
    of: (id) => waiting.get(id),
  };
}

function restore() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE)) ?? [];
  } catch {
    return [];
  }
}
