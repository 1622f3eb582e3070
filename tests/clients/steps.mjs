// The small language in which tests tell a client what to do, one step after another.
//
//   {"wait": "regex", "times": 1, "timeout": 10}   until so many notifications match, from where the last wait ended
//   {"call": "tool", "arguments": {…}}            call a tool and print its result
//   {"list": true}                                list the tools again
//   {"sleep": 0.5}                                give the server time in which nothing may happen
//   {"exit": true}                                close the connection; also what the end of the steps does
//
// `timeout` and `sleep` are in seconds.

const KINDS = ['wait', 'call', 'list', 'sleep', 'exit']

/** Parses the JSON array of steps; throws an Error that names the step that is wrong. */
export function parseSteps(text) {
  const steps = JSON.parse(text)
  if (!Array.isArray(steps)) throw new Error('the steps must be a JSON array')
  return steps.map((step, index) => {
    const kinds = KINDS.filter(kind => kind in Object(step))
    if (kinds.length !== 1) throw new Error(`step ${index} must have one of ${KINDS.join(', ')}: ${JSON.stringify(step)}`)
    return { kind: kinds[0], ...step }
  })
}

/** Keeps what arrived, and lets one reader wait for what matches a pattern. */
export class Inbox {
  #arrived = []
  #taken = 0
  #wake = () => {}

  /** Adds one item. */
  add(item) {
    this.#arrived.push(item)
    this.#wake()
  }

  /**
   * Resolves with the first `times` items, from where the last call ended, whose JSON matches
   * `pattern`; rejects after `timeout` seconds.
   */
  async wait(pattern, times = 1, timeout = 10) {
    const expression = new RegExp(pattern, 's')
    const matched = []
    const end = Date.now() + timeout * 1000
    for (;;) {
      while (this.#taken < this.#arrived.length && matched.length < times) {
        const item = this.#arrived[this.#taken++]
        if (expression.test(JSON.stringify(item))) matched.push(item)
      }
      if (matched.length === times) return matched
      const left = end - Date.now()
      if (left <= 0) {
        throw new Error(`${matched.length} of ${times} notifications matched ${pattern} within ${timeout} s; ` +
          `${this.#arrived.length} arrived in all`)
      }
      await new Promise(resolve => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => { clearTimeout(timer); resolve() }
      })
    }
  }
}
