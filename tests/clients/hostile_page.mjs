// What a page of somebody else's tries in the browser in which the user has opened fakechat:
//
//   PORT=… TOKEN=… node hostile_page.mjs frames|workers|cookie
//
// The adapter of that page is the guest `pretender`; all pages of one listener share an origin. Prints one line of JSON:
// what came of each try.
import { createServer } from 'node:http'
import { withPage } from './browser.mjs'

const { PORT, TOKEN } = process.env
const base = `http://127.0.0.1:${PORT}`
const address = name => `${base}/${name}/?token=${TOKEN}`

const ATTACKS = {
  /** Windows and frames of every kind, each of which then opens fakechat's socket or reads its page. */
  async frames(page) {
    await page.goto(address('fakechat'))
    await page.locator('.status[data-state="open"]').waitFor()
    await page.goto(address('pretender'))
    const tried = await page.evaluate(tryFrames)
    // The answers of the host's own are of no origin, so nobody scripts them, whatever shows them.
    for (const path of ['/pretender/no/such/path', '/nothing', '/pretender/no?key=0']) {
      await page.goto(base + path)
      tried[`answer ${path}`] = await page.evaluate(() => (self.origin === 'null' ? '' : self.origin))
    }
    return tried
  },
  /** Workers of every kind, from a script that the adapter answers with. */
  async workers(page) {
    await page.goto(address('fakechat'))
    await page.locator('.status[data-state="open"]').waitFor()
    await page.goto(address('pretender'))
    const tried = await page.evaluate(tryWorkers)
    await page.goto(`${base}/pretender/assets/x`)
    return { ...tried, title: await page.title(), afterwards: await page.evaluate(reach) }
  },
  /** A server on another port of this machine, to which the browser sends the cookie: cookies know no ports. */
  async cookie(page) {
    let cookie
    const thief = createServer((request, response) => {
      if (request.url.startsWith('/fakechat/')) cookie = request.headers.cookie
      response.setHeader('content-type', 'text/html')
      response.end('<img src="/fakechat/x.png">')
    })
    await new Promise(done => thief.listen(0, '127.0.0.1', done))
    try {
      await page.goto(address('fakechat'))
      await page.locator('.status[data-state="open"]').waitFor()
      await page.goto(`http://127.0.0.1:${thief.address().port}/`)
      // What is kept for fakechat's origin is not this one's.
      const kept = await page.evaluate(() => ({ ...localStorage }))
      return { cookie, kept }
    } finally {
      thief.close()
      thief.closeAllConnections()
    }
  },
}

/** What a window reaches of fakechat: "" if nothing. Runs in the page, and knows nothing from outside. */
async function reach() {
  const host = '127.0.0.1:' + new URL(document.URL).port
  const socket = await new Promise(done => {
    try {
      const socket = new WebSocket(`ws://${host}/fakechat/socket`)
      socket.onopen = () => done('socket')
      socket.onerror = () => done('')
    } catch {
      done('')
    }
  })
  const read = await fetch(`http://${host}/fakechat/`).then(answer => answer.text()).catch(() => '')
  return socket + read.slice(0, 40)
}

/** Runs in the page. */
async function tryFrames() {
  const host = location.host
  const through = async window => {
    const reached = await new Promise(done => {
      try {
        const socket = new window.WebSocket(`ws://${host}/fakechat/socket`)
        socket.onopen = () => done('socket')
        socket.onerror = () => done('')
        setTimeout(() => done(''), 5000)
      } catch {
        done('')
      }
    })
    const read = async () => (await window.fetch('/fakechat/')).text()
    return reached + (await read().catch(() => '')).slice(0, 40)
  }
  const tried = { page: await through(window) }
  const frame = (name, attribute, value) => new Promise(done => {
    const element = document.createElement(name)
    if (attribute) element[attribute] = value
    element.onload = element.onerror = () => done(element)
    setTimeout(() => done(element), 2000)
    document.body.append(element)
  })
  const blob = URL.createObjectURL(new Blob(['<!doctype html>'], { type: 'text/html' }))
  for (const [what, name, attribute, value] of [
    ['a blank frame', 'iframe'],
    ['a frame of its own words', 'iframe', 'srcdoc', '<!doctype html>'],
    ['a frame of a blob', 'iframe', 'src', blob],
    ['a frame of a path that is none', 'iframe', 'src', '/pretender/no/such/path'],
    ['a frame of an adapter that is none', 'iframe', 'src', '/nothing'],
    ['a frame of itself', 'iframe', 'src', '/pretender/'],
    ['a frame of fakechat', 'iframe', 'src', '/fakechat/'],
    ['a frame of a redirect', 'iframe', 'src', '/fakechat'],
    ['a frame of what it may not read', 'iframe', 'src', '/fakechat/files/none'],
    ['an object', 'object', 'data', '/pretender/no/such/path'],
    ['an embed', 'embed', 'src', '/pretender/no/such/path'],
  ]) {
    const element = await frame(name, attribute, value)
    let shown = ''
    try {
      // A frame that was let in shows words, whoever's they are.
      shown = element.contentWindow?.document.body?.textContent.trim().slice(0, 40) ?? ''
    } catch {
      // Another origin.
    }
    tried[what] = shown + (element.contentWindow ? await through(element.contentWindow).catch(() => '') : '')
    element.remove()
  }
  const opened = open('/fakechat/')
  tried['a window'] = opened ? 'opened' : ''
  return tried
}

/** Runs in the page. */
async function tryWorkers() {
  const tried = {}
  const script = '/pretender/assets/sw.js'
  tried.service = await navigator.serviceWorker.register(script, { scope: '/pretender/assets/' })
    .then(async registration => {
      const worker = registration.installing ?? registration.waiting ?? registration.active
      if (worker.state !== 'activated') await new Promise(done => (worker.onstatechange = () => worker.state === 'activated' && done()))
      return 'registered'
    })
    .catch(() => '')
  for (const [what, make] of [['worker', () => new Worker(script)], ['shared', () => new SharedWorker(script)]]) {
    tried[what] = await new Promise(done => {
      try {
        const worker = make()
        const port = worker.port ?? worker
        port.onmessage = () => done('runs')
        worker.onerror = () => done('')
        setTimeout(() => done(''), 5000)
      } catch {
        done('')
      }
    })
  }
  return tried
}

// Where scripts may not run, what waits for them waits for ever.
setTimeout(() => process.exit(1), 90_000).unref()
const attack = ATTACKS[process.argv[2]]
const came = await withPage(page => attack(page))
process.stdout.write(JSON.stringify(came) + '\n')
