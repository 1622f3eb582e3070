// The page's key, without which the host takes no answers to its questions: the address with the token leads to one whose
// fragment has it. It is kept for this origin, which no other port of this machine reads; cookies know no ports.

const STORE = "fakechat.key";
let known;

/** Takes the key out of the page's own address, where it must not stay. */
export function takeKey() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (!given) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  known = given;
  try {
    localStorage.setItem(STORE, given);
  } catch {
    // Then it is known until the page is left.
  }
}

/** The key, if this browser has it. */
export function readKey() {
  try {
    return localStorage.getItem(STORE) ?? known;
  } catch {
    return known;
  }
}

/** Forgets a key that the host does not take any more. */
export function forgetKey() {
  known = undefined;
  try {
    localStorage.removeItem(STORE);
  } catch {
    // It was not kept.
  }
}
