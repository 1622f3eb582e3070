// A person in front of an adapter's page:
//
//   node page.mjs URL [SCREENSHOT.png]
//
// Opens the page and prints {"step": "opened", "status": …, "title": …}. The steps of one page (typing,
// uploading, reading the answer) belong where this says so.
import { withPage } from './browser.mjs'

const print = (step, fields) => process.stdout.write(JSON.stringify({ step, ...fields }) + '\n')

async function main([url, screenshot]) {
  if (!url) throw new Error('usage: page.mjs URL [SCREENSHOT.png]')
  await withPage(async page => {
    const response = await page.goto(url)
    print('opened', { status: response?.status(), title: await page.title() })
    // The steps of the page go here.
    if (screenshot) await page.screenshot({ path: screenshot })
  })
  print('closed', {})
}

main(process.argv.slice(2)).catch(error => {
  print('error', { message: error.message })
  process.exitCode = 1
})
