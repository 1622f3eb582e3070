// Chromium for tests: one browser on a fresh profile, always stopped and cleaned up.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

// Without these, Chromium looks for its maker's servers, which a closed network refuses.
const QUIET = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
]

/**
 * Starts Chromium (the environment variable CHROMIUM, else /usr/bin/chromium) without a window, calls
 * `use(page, context)`, and stops it, whether `use` succeeded or not. Resolves with what `use` did.
 * `moreArgs` are further switches. What the page writes to its console and the errors that it throws go to standard error.
 */
export async function withPage(use, moreArgs = []) {
  const profile = await mkdtemp(join(tmpdir(), 'sluicegate-chromium-'))
  // Chromium's own sandbox does not start for root, as whom containers and CI often run.
  const root = process.getuid?.() === 0
  try {
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      headless: true,
      chromiumSandbox: !root,
      args: [...QUIET, ...moreArgs],
    })
    try {
      const page = context.pages()[0] ?? await context.newPage()
      page.on('console', message => process.stderr.write(`console ${message.type()}: ${message.text()}\n`))
      page.on('pageerror', error => process.stderr.write(`page error: ${error.message}\n`))
      return await use(page, context)
    } finally {
      await context.close()
    }
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}
