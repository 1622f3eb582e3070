// Puts text into the page as nodes, never as markup.

const SAFE = /^(https?:|mailto:)/i;
const ADDRESS = /https?:\/\/[^\s<>"']+/g;
const LIGHT = /```([\w+#.-]*)[ \t]*\n?([\s\S]*?)```|`([^`\n]+)`|\*\*([^\s*](?:[^*\n]*[^\s*])?)\*\*/g;
const BLOCKS = ["block", "quote"];
const ELEMENTS = { bold: "strong", italic: "em", strike: "s", code: "code", quote: "blockquote" };

/**
 * Replaces what is in the element by the text, in the style of its spans or else of its own marks. `verbatim`: its
 * spans alone, and no address becomes a link.
 */
export function render(element, text, spans, { verbatim = false } = {}) {
  element.replaceChildren();
  if (verbatim || spans?.length) {
    const sorted = [...(spans ?? [])].sort((a, b) => a.start - b.start || b.end - a.end);
    fill(element, Array.from(text), 0, Infinity, sorted, !verbatim);
  } else {
    light(element, text);
  }
}

/** One line of a text, for quotes and titles. */
export function excerpt(text, length = 120) {
  const line = text.replace(/```[\w+#.-]*|`|\*\*/g, "").replace(/\s+/g, " ").trim();
  const characters = Array.from(line);
  return characters.length > length ? characters.slice(0, length - 1).join("") + "…" : line;
}

// Spans may nest and overlap; what overlaps the end of its outer span is cut there and goes on after it.
// Offsets count code points, so `characters` is an array of them.
function fill(parent, characters, start, end, spans, links) {
  let at = start;
  end = Math.min(end, characters.length);
  const rest = spans.filter((span) => span.start < span.end && span.start < end && span.end > start);
  while (rest.length) {
    const span = rest.shift();
    const from = Math.max(span.start, at);
    const to = Math.min(span.end, end);
    if (from >= to) continue;
    leaf(parent, characters.slice(at, from).join(""), links, BLOCKS.includes(span.style));
    const [outer, inner] = element(span.style, span.value);
    const inside = rest.filter((other) => other.start < to);
    const verbatim = span.style === "code" || span.style === "block";
    fill(inner, characters, from, to, verbatim ? [] : inside, links && !verbatim && span.style !== "link");
    parent.append(outer);
    at = to;
  }
  leaf(parent, characters.slice(at, end).join(""), links);
}

// The element to insert, and the one to fill.
function element(style, value) {
  if (style === "block") return block(value);
  if (style === "link") {
    if (!SAFE.test(value ?? "")) return same(document.createElement("span"));
    return same(anchor(value));
  }
  return same(document.createElement(ELEMENTS[style] ?? "span"));
}

function same(node) {
  return [node, node];
}

function block(language) {
  const outer = document.createElement("pre");
  const inner = document.createElement("code");
  outer.tabIndex = 0;
  if (language) outer.dataset.language = language;
  outer.append(inner);
  return [outer, inner];
}

// The page's sandbox opens no windows, so a link that asked for one would do nothing: it opens in this one.
function anchor(address) {
  const link = document.createElement("a");
  link.href = address;
  link.rel = "noreferrer";
  return link;
}

// A block starts and ends a line by itself: the line breaks around it are not shown.
function leaf(parent, text, links, beforeBlock = false) {
  if (parent.lastChild?.nodeName === "PRE" || parent.lastChild?.nodeName === "BLOCKQUOTE") text = text.replace(/^\n/, "");
  if (beforeBlock) text = text.replace(/\n$/, "");
  if (!text) return;
  let at = 0;
  for (const match of links ? text.matchAll(ADDRESS) : []) {
    const address = match[0].replace(/[.,;:!?)\]}*_]+$/, "");
    const link = anchor(address);
    link.textContent = address;
    parent.append(text.slice(at, match.index), link);
    at = match.index + address.length;
  }
  parent.append(text.slice(at));
}

// Code, code blocks and bold, as people type them.
function light(parent, text) {
  let at = 0;
  for (const match of text.matchAll(LIGHT)) {
    const [all, language, code, inline, bold] = match;
    leaf(parent, text.slice(at, match.index), true, code !== undefined);
    if (code !== undefined) {
      const [outer, inner] = block(language);
      inner.textContent = code.replace(/\n$/, "");
      parent.append(outer);
    } else {
      const node = document.createElement(inline === undefined ? "strong" : "code");
      if (inline === undefined) leaf(node, bold, true);
      else node.textContent = inline;
      parent.append(node);
    }
    at = match.index + all.length;
  }
  leaf(parent, text.slice(at), true);
}
