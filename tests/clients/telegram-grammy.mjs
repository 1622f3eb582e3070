// grammY, a client library of the Bot API, against the fake:
//
//   node telegram-grammy.mjs URL TOKEN
//
// URL is that of `fake-telegram`; this is the bot and, through /fake/…, also the users. Every step is checked here.
// Prints one JSON object a line, {"step": …}, and ends with 0, or with 1 and the reason on standard error.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { autoRetry } from '@grammyjs/auto-retry'
import { Bot, GrammyError, InlineKeyboard, InputFile, InputMediaBuilder } from 'grammy'

const [url, token] = process.argv.slice(2)
if (!token) throw new Error('usage: telegram-grammy.mjs URL TOKEN')

const step = (name, fields = {}) => process.stdout.write(JSON.stringify({ step: name, ...fields }) + '\n')

/** Does something as a user, or looks what the bot did. */
async function fake(verb, body = {}) {
  const response = await fetch(`${url}/fake/${verb}`, { method: 'POST', body: JSON.stringify(body) })
  const answer = await response.json()
  assert.ok(answer.ok, `${verb}: ${answer.description}`)
  return answer.result
}

/** The updates that the bot has got, to be waited for. */
class Arrivals {
  #arrived = []
  #waiting = []

  add(context) {
    this.#arrived.push(context)
    this.#settle()
  }

  next(what, fits) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`this did not come: ${what}`)), 20_000)
      this.#waiting.push({ fits, resolve: context => (clearTimeout(timer), resolve(context)) })
      this.#settle()
    })
  }

  #settle() {
    this.#waiting = this.#waiting.filter(({ fits, resolve }) => {
      const index = this.#arrived.findIndex(fits)
      if (index >= 0) resolve(this.#arrived.splice(index, 1)[0])
      return index < 0
    })
  }
}

/** The error that Telegram has to answer with. */
async function refused(code, description, promise) {
  const error = await promise.then(
    () => assert.fail(`it must be refused: ${description}`),
    error => error,
  )
  assert.ok(error instanceof GrammyError, String(error))
  assert.equal(error.error_code, code)
  assert.equal(error.description, description)
  return error
}

const newBot = () => new Bot(token, { client: { apiRoot: url } })
const bot = newBot()
const arrivals = new Arrivals()
bot.on(['message', 'edited_message', 'callback_query:data', 'message_reaction'], context => arrivals.add(context))
bot.catch(({ error }) => {
  throw error
})

// Nobody is there yet.
const me = await bot.api.getMe()
assert.ok(me.is_bot && me.id > 2 ** 32 && me.username.endsWith('bot'), JSON.stringify(me))
await refused(401, 'Unauthorized', new Bot('1:wrong', { client: { apiRoot: url } }).api.getMe())
const alice = await fake('user', { name: 'Alice' })
await refused(403, "Forbidden: bot can't initiate conversation with a user", bot.api.sendMessage(alice, 'Hi'))
await refused(400, 'Bad Request: chat not found', bot.api.sendMessage(alice + 1, 'Hi'))
step('me', { username: me.username })

// Ends with the error that ends it.
const polling = bot
  .start({
    allowed_updates: ['message', 'edited_message', 'callback_query', 'message_reaction'],
    timeout: 30,
    onStart: () => step('started'),
  })
  .catch(error => error)

// A text, answered with a reply, buttons and a reaction.
await fake('wait', { method: 'deleteWebhook' })
const hello = await fake('post', { from: alice, message: { text: '/start hello 👋 @someone' } })
const first = await arrivals.next('the text', context => context.message?.text?.startsWith('/start'))
assert.equal(first.message.message_id, hello.message)
assert.deepEqual(first.message.entities.map(entity => [entity.type, entity.offset, entity.length]), [
  ['bot_command', 0, 6],
  ['mention', 16, 8],
])
assert.deepEqual([first.from.id, first.from.first_name, first.from.language_code], [alice, 'Alice', 'en'])
assert.deepEqual([first.chat.id, first.chat.type, first.chat.username], [alice, 'private', 'alice'])
await first.replyWithChatAction('typing')
const keyboard = new InlineKeyboard().text('Allow', 'allow:abcde').text('Deny', 'deny:abcde')
const answer = await first.reply('*bold* and _italic_', {
  parse_mode: 'MarkdownV2',
  reply_parameters: { message_id: hello.message, quote: 'hello' },
  reply_markup: keyboard,
})
assert.equal(answer.text, 'bold and italic')
assert.deepEqual(answer.entities, [
  { type: 'bold', offset: 0, length: 4 },
  { type: 'italic', offset: 9, length: 6 },
])
assert.equal(answer.reply_to_message.message_id, hello.message)
assert.deepEqual(answer.quote, { text: 'hello', position: 7, is_manual: true })
await first.react('👀')
await refused(400, 'Bad Request: REACTION_INVALID', first.react('🧨'))
step('text')

// The button.
const query = await fake('press', { user: alice, chat: alice, message: answer.message_id, data: 'allow:abcde' })
const pressed = await arrivals.next('the button', context => context.callbackQuery)
assert.deepEqual([pressed.callbackQuery.id, pressed.callbackQuery.data], [query, 'allow:abcde'])
assert.equal(pressed.callbackQuery.message.text, 'bold and italic')
await pressed.answerCallbackQuery({ text: 'done' })
await pressed.editMessageText('allowed')
await refused(
  400,
  'Bad Request: query is too old and response timeout expired or query ID is invalid',
  bot.api.answerCallbackQuery('12345'),
)
await refused(
  400,
  'Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a ' +
    'current content and reply markup of the message',
  pressed.editMessageText('allowed'),
)
await refused(400, "Bad Request: message can't be edited", bot.api.editMessageText(alice, hello.message, 'mine'))
await refused(400, 'Bad Request: message to edit not found', bot.api.editMessageText(alice, 9_999, 'gone'))
step('button')

// An edit and a reaction of the user.
await fake('edit', { chat: alice, message: hello.message, text: 'hello again' })
const edited = await arrivals.next('the edit', context => context.editedMessage)
assert.deepEqual([edited.editedMessage.text, edited.editedMessage.message_id], ['hello again', hello.message])
assert.ok(edited.editedMessage.edit_date >= edited.editedMessage.date)
await fake('react', { user: alice, chat: alice, message: answer.message_id, emoji: '👍' })
const reacted = await arrivals.next('the reaction', context => context.messageReaction)
assert.deepEqual(reacted.reactions().emojiAdded, ['👍'])
step('edit')

// A photo, downloaded; an album.
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
await fake('post', { from: alice, media: 'photo', base64: picture.toString('base64'), message: { caption: 'look' } })
const photo = await arrivals.next('the photo', context => context.message?.photo)
assert.equal(photo.message.caption, 'look')
const file = await photo.getFile()
assert.equal(file.file_size, picture.length)
const downloaded = await fetch(`${url}/file/bot${token}/${file.file_path}`)
assert.deepEqual(Buffer.from(await downloaded.arrayBuffer()), picture)
await fake('album', { posts: [1, 2, 3].map(() => ({ from: alice, media: 'photo', size: 3_000 })) })
const album = []
for (const _ of [1, 2, 3]) album.push(await arrivals.next('the album', context => context.message?.media_group_id))
assert.equal(new Set(album.map(context => context.message.media_group_id)).size, 1)
await fake('post', { from: alice, media: 'document', size: 21 * 2 ** 20, name: 'big.bin' })
const big = await arrivals.next('the document', context => context.message?.document)
await refused(400, 'Bad Request: file is too big', big.getFile())
await refused(
  400,
  'Bad Request: wrong file_id or the file is temporarily unavailable',
  bot.api.getFile('AgACAgIAAxkBAAEnothing'),
)
step('photo')

// Files of the bot.
const sent = await bot.api.sendPhoto(alice, new InputFile(picture, 'a.png'), { caption: 'a picture' })
assert.equal(sent.photo.at(-1).width, 1)
const bytes = Buffer.alloc(3 * 2 ** 20, 'sluicegate ')
const document = await bot.api.sendDocument(alice, new InputFile(bytes, 'notes.txt'))
assert.deepEqual([document.document.file_name, document.document.file_size], ['notes.txt', bytes.length])
const again = await bot.api.sendDocument(alice, document.document.file_id)
const { file_path } = await bot.api.getFile(again.document.file_id)
const back = await fetch(`${url}/file/bot${token}/${file_path}`).then(response => response.arrayBuffer())
const hash = data => createHash('sha256').update(Buffer.from(data)).digest('hex')
assert.equal(hash(back), hash(bytes))
const group = await bot.api.sendMediaGroup(alice, [
  InputMediaBuilder.photo(new InputFile(picture, '1.png'), { caption: 'one' }),
  InputMediaBuilder.photo(new InputFile(picture, '2.png')),
])
assert.deepEqual([group.length, group[0].caption, group[0].media_group_id], [2, 'one', group[1].media_group_id])
await refused(400, 'Bad Request: file must be non-empty', bot.api.sendDocument(alice, new InputFile(Buffer.alloc(0), 'x')))
await refused(400, 'Bad Request: IMAGE_PROCESS_FAILED', bot.api.sendPhoto(alice, new InputFile(bytes, 'a.png')))
step('files')

// Telegram's strictness.
await refused(
  400,
  "Bad Request: can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
  bot.api.sendMessage(alice, 'Well.', { parse_mode: 'MarkdownV2' }),
)
await refused(400, 'Bad Request: message text is empty', bot.api.sendMessage(alice, ''))
await refused(400, 'Bad Request: message is too long', bot.api.sendMessage(alice, 'x'.repeat(4_097)))
assert.equal((await bot.api.sendMessage(alice, '👍'.repeat(2_048))).text.length, 4_096)
await refused(
  400,
  'Bad Request: message to be replied not found',
  bot.api.sendMessage(alice, 'to whom?', { reply_parameters: { message_id: 9_999 } }),
)
step('strictness')

// A 429 is waited for and sent again, with the plugin that grammY has for it.
const patient = newBot()
patient.api.config.use(autoRetry())
await fake('fault', { too_many: 1, method: 'sendMessage' })
const asked = Date.now()
assert.equal((await patient.api.sendMessage(alice, 'patience')).text, 'patience')
assert.ok(Date.now() - asked >= 1_000, 'it waits as long as it was told')
await fake('fault', { too_many: 7, method: 'sendMessage' })
const limited = await refused(429, 'Too Many Requests: retry after 7', bot.api.sendMessage(alice, 'hurry'))
assert.equal(limited.parameters.retry_after, 7)
step('429')

// A second poller ends the first: grammY gives up with the error that Telegram answers.
await fake('wait', { polled: true })
const { confirmed, conflicts } = await fake('seen')
assert.deepEqual(await newBot().api.getUpdates({ timeout: 1, offset: confirmed }), [])
const ended = await polling
assert.equal(ended?.error_code, 409)
assert.equal(
  ended.description,
  'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
)
assert.equal((await fake('seen')).conflicts, conflicts + 1)
step('409')

// Polling starts and stops again.
const calm = newBot()
calm.on('message:text', context => arrivals.add(context))
const calmly = calm.start({ timeout: 30 })
await fake('post', { from: alice, message: { text: 'still there?' } })
await arrivals.next('the last text', context => context.message?.text === 'still there?')
await calm.stop()
await calmly
step('done')
