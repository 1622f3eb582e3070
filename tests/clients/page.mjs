// A person in front of fakechat's page, told what to do by lines of JSON on standard input:
//
//   node page.mjs
//
// Each line is {"do": NAME, …}; STEPS says what there is. Each is answered with one line: what the step gives, or
// {"error": …}. Steps wait for what they name, at most PATIENCE. Ends when the input ends.
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { withPage } from './browser.mjs'

const PATIENCE = 30_000 * Number(process.env.SLUICEGATE_TEST_PATIENCE ?? 1)
// A name that leads here and is not the listener's, as an attacker's may after its address was changed.
const REBOUND = 'rebound.test'

/** What the steps act on: the page, its context, and what the browser complained about. */
let page, context
let complaints = []

const STEPS = {
  /** Opens the address; gives the status, the address where it ended, the cookie's properties and the words. */
  async open({ url }) {
    const response = await page.goto(url)
    const cookies = await context.cookies(url)
    const policy = response.headers()['content-security-policy']
    return { status: response.status(), url: page.url(), cookies, policy, words: await page.locator('body').innerText() }
  },
  async reload() {
    await page.reload()
  },
  async back() {
    await page.goBack()
  },
  /** Waits until the page says that of its connection: connecting, open, waiting, signed-out. */
  async connection({ is }) {
    await page.locator(`.status[data-state="${is}"]`).waitFor()
  },
  /** Writes the text and sends it with Enter; gives the message's id as soon as it stands on the page. */
  async say({ text }) {
    await page.locator('#text').fill(text)
    await page.locator('#text').press('Enter')
    return { id: await withText(text).getAttribute('data-id') }
  },
  /** Waits for the message of that id or text, in that state if one is named; gives how it looks. */
  async message({ id, text, state, edited, reaction }) {
    let message = id ? page.locator(`.message[data-id="${id}"]`) : withText(text)
    await message.waitFor()
    id ??= await message.getAttribute('data-id')
    message = page.locator(`.message[data-id="${id}"]${state ? `[data-state="${state}"]` : ''}`)
    if (text) message = message.filter({ has: page.locator('.text', { hasText: text }) })
    if (edited) message = message.filter({ has: page.locator('.edited:not([hidden])') })
    if (reaction) message = message.filter({ has: page.locator('.reactions li', { hasText: reaction }) })
    await message.waitFor()
    return message.evaluate(element => {
      const part = name => element.querySelector(name)
      const seen = name => (part(name) && !part(name).hidden ? part(name).textContent : null)
      const all = (name, what) => [...element.querySelectorAll(name)].map(what)
      return {
        id: element.dataset.id,
        state: element.dataset.state,
        mine: element.classList.contains('mine'),
        // A question of the host's.
        prompt: element.classList.contains('prompt'),
        text: seen('.text'),
        html: part('.text').innerHTML,
        quote: seen('article > .quote') === null ? null : seen('article > .quote .what'),
        tick: seen('.state'),
        edited: seen('.edited') !== null,
        files: all('.files a', link => link.getAttribute('download') ?? link.querySelector('img').alt),
        pictures: all('.files img', image => image.naturalWidth),
        reactions: all('.reactions li', item => item.textContent),
        buttons: all('.choices button', button => button.textContent),
        sending: seen('.sending') || null,
        locked: seen('.locked'),
      }
    })
  },
  /**
   * Presses the button of that label, as soon as it can be pressed: on the question of that id, or on the newest that
   * has one. `twice` presses the same place again at once. Gives the question's id.
   */
  async press({ label, id, twice = false }) {
    const question = page.locator(id ? `.prompt[data-id="${id}"]` : '.prompt')
    const button = question.locator('.choices button:not([aria-disabled="true"])', { hasText: label }).last()
    await button.waitFor()
    const pressed = await button.evaluate(element => element.closest('.prompt').dataset.id)
    await button.click({ clickCount: twice ? 2 : 1 })
    return { id: pressed }
  },
  /** How many messages stand on the page. */
  async count() {
    return { messages: await page.locator('.message').count() }
  },
  /** Waits until the page says that nothing was said yet. */
  async empty() {
    await page.locator('#empty').waitFor()
    return {}
  },
  /** Makes the next message a reply to that one. */
  async quote({ id }) {
    await page.locator(`.message[data-id="${id}"]`).hover()
    await page.locator(`.message[data-id="${id}"] .reply`).click()
    await page.locator('#quote').waitFor()
  },
  /** Picks files in the dialog of the paper clip and sends them with the text. */
  async upload({ paths, text }) {
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.locator('#attach').click()])
    await chooser.setFiles(paths)
    await page.locator('#text').fill(text)
    await page.locator('#send').click()
  },
  /** Drops a file onto the page and sends it. */
  async drop({ path, name, type }) {
    const bytes = [...await readFile(path)]
    const transfer = await page.evaluateHandle(([bytes, name, type]) => {
      const transfer = new DataTransfer()
      transfer.items.add(new File([new Uint8Array(bytes)], name, { type }))
      return transfer
    }, [bytes, name, type])
    await page.dispatchEvent('#scroller', 'dragenter', { dataTransfer: transfer })
    await page.locator('#drop').waitFor()
    await page.dispatchEvent('#scroller', 'dragover', { dataTransfer: transfer })
    await page.dispatchEvent('#scroller', 'drop', { dataTransfer: transfer })
    await page.locator('#drop').waitFor({ state: 'hidden' })
    await page.locator('#chosen li', { hasText: name }).waitFor()
    await page.locator('#send').click()
  },
  /** Downloads the file of that name; gives its suggested name and its bytes in base64. */
  async download({ name }) {
    const link = page.locator('.files a', { hasText: name })
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()])
    return { name: download.suggestedFilename(), bytes: (await readFile(await download.path())).toString('base64') }
  },
  /** Opens the picture of that name in the page's viewer and closes it again; gives its width. */
  async view({ name }) {
    await page.locator(`.files img[alt="${name}"]`).click()
    const picture = page.locator('#viewer[open] img')
    await picture.waitFor()
    const width = await picture.evaluate(async image => {
      await image.decode()
      return image.naturalWidth
    })
    await page.keyboard.press('Escape')
    await page.locator('#viewer[open]').waitFor({ state: 'detached' })
    return { width }
  },
  /** Clicks the link of that text, which leads away from the page; gives where it led. */
  async follow({ text }) {
    await page.route('https://example.org/**', route => route.fulfill({ contentType: 'text/html', body: '<p>elsewhere' }))
    await page.locator('.text a', { hasText: text }).click()
    await page.waitForURL('https://example.org/**')
    const url = page.url()
    await page.goBack()
    return { url }
  },
  /**
   * After this the page's next message reaches the server, but what the server says to it is lost, and with it the
   * connection. Later connections are whole.
   */
  async loseNextAnswer() {
    let lost = false
    await page.routeWebSocket(/\/socket(\?|$)/, socket => {
      const server = socket.connectToServer()
      let losing = false
      socket.onMessage(frame => {
        losing = !lost
        server.send(frame)
      })
      server.onMessage(frame => {
        if (!losing) return socket.send(frame)
        if (JSON.parse(frame).type !== 'ack') return
        lost = true
        socket.close()
        server.close()
      })
    })
    await page.reload()
  },
  /** Leaves the browser with the cookie alone, or with a key that is none, as if it had come here before. */
  async setKey({ key }) {
    await page.evaluate(key => (key ? localStorage.setItem('fakechat.key', key) : localStorage.removeItem('fakechat.key')), key)
    await page.reload()
  },
  /** The key that the browser has. */
  async key() {
    return { key: await page.evaluate(() => localStorage.getItem('fakechat.key')) }
  },
  /** What the console and the browser complained about since the last time. */
  complaints() {
    const all = complaints
    complaints = []
    return { all }
  },
  /**
   * A page of another site in the same browser, which holds the cookie, tries to post and to open the socket at
   * `http://HOST:PORT`. `from` is "port" (another port of this machine, so the same site), "localhost" (another
   * name of it) or "rebound" (its own name, which now leads to the listener).
   */
  async attack({ port, from }) {
    const attacker = createServer((_, response) => response.end('<!doctype html><title>attacker</title>'))
    await new Promise(resolve => attacker.listen(0, '127.0.0.1', resolve))
    const own = attacker.address().port
    const other = await context.newPage()
    try {
      const target = `${from === 'rebound' ? REBOUND : '127.0.0.1'}:${port}`
      if (from === 'rebound') {
        // It was loaded when its name still led to the attacker.
        const address = `http://${target}/attack`
        await other.route(address, route => route.fulfill({ contentType: 'text/html', body: 'attacker' }))
        await other.goto(address)
      } else {
        await other.goto(`http://${from === 'port' ? '127.0.0.1' : 'localhost'}:${own}/`)
      }
      const tried = await other.evaluate(tryEverything, target)
      // Chromium itself keeps such a page from framing this machine; the listener must not rely on it.
      if (from === 'rebound') return { ...tried, page: (await other.goto(`http://${target}/fakechat/`)).status() }
      // A form needs no permission to read the answer.
      const [answer] = await Promise.all([
        other.waitForResponse(`http://${target}/fakechat/upload`),
        other.evaluate(target => {
          const form = Object.assign(document.createElement('form'), {
            method: 'POST', enctype: 'multipart/form-data', action: `http://${target}/fakechat/upload`,
          })
          for (const [name, value] of [['id', crypto.randomUUID?.() ?? 'evil-form'], ['text', 'EVIL form']]) {
            form.append(Object.assign(document.createElement('input'), { name, value }))
          }
          // Into a frame, so that this page stays.
          document.body.append(form, Object.assign(document.createElement('iframe'), { name: 'sink' }))
          form.target = 'sink'
          form.submit()
        }, target),
      ])
      return { ...tried, form: answer.status() }
    } finally {
      await other.close()
      attacker.close()
      attacker.closeAllConnections()
    }
  },
  async screenshot({ path, width = 1200, height = 800, scheme = 'light', scale = 1 }) {
    await page.setViewportSize({ width, height })
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    await page.mouse.move(0, 0)
    await page.locator('#text').focus()
    await page.screenshot({ path, scale: scale === 1 ? 'css' : 'device' })
  },
}

function withText(text) {
  return page.locator('.message', { has: page.locator('.text', { hasText: text }) }).last()
}

/** Runs in the attacker's page. */
async function tryEverything(target) {
  const form = new FormData()
  form.append('id', 'evil-fetch')
  form.append('text', 'EVIL fetch')
  const fetched = async (path, options) => {
    try {
      const response = await fetch(`http://${target}/fakechat/${path}`, { credentials: 'include', ...options })
      return { type: response.type, status: response.status, words: (await response.text()).slice(0, 100) }
    } catch {
      return { type: 'error' }
    }
  }
  const socket = await new Promise(resolve => {
    const socket = new WebSocket(`ws://${target}/fakechat/socket`)
    socket.onopen = () => {
      socket.send(JSON.stringify({ type: 'message', id: 'evil-socket', text: 'EVIL socket' }))
      resolve('open')
    }
    socket.onerror = () => resolve('refused')
  })
  return {
    post: await fetched('upload', { method: 'POST', body: form }),
    blind: await fetched('upload', { method: 'POST', body: form, mode: 'no-cors' }),
    read: await fetched('', {}),
    socket,
  }
}

function complain(what) {
  complaints.push(what)
}

/** What runs inside the page has no deadline of its own. */
async function inTime(step) {
  let timer
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error('it takes too long')), 2 * PATIENCE)))
  try {
    return await Promise.race([step, late])
  } finally {
    clearTimeout(timer)
  }
}

async function main() {
  await withPage(async (first, its) => {
    [page, context] = [first, its]
    context.setDefaultTimeout(PATIENCE)
    page.on('console', message => {
      if (['error', 'warning'].includes(message.type())) complain(`${message.type()}: ${message.text()}`)
    })
    page.on('pageerror', error => complain(`page error: ${error.message}`))
    for await (const line of createInterface({ input: process.stdin })) {
      const { do: name, ...options } = JSON.parse(line)
      let answer
      try {
        answer = (await inTime(STEPS[name](options))) ?? {}
      } catch (error) {
        answer = { error: `${name}: ${error.message}` }
      }
      process.stdout.write(JSON.stringify(answer) + '\n')
    }
    // A browser that does not close in order is killed when this process ends.
    setTimeout(() => process.exit(1), 10_000).unref()
  }, [`--host-resolver-rules=MAP ${REBOUND} 127.0.0.1`])
}

main().catch(error => {
  process.stdout.write(JSON.stringify({ error: error.message }) + '\n')
  process.exitCode = 1
})
