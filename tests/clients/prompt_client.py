#!/usr/bin/env python3
"""An approver's part in the fake Telegram: the prompts of permission requests, with nothing but Python's own library.

    prompt_client.py URL open CHAT REGEX             waits for a prompt with buttons and such a text; it, as JSON
    prompt_client.py URL changed PROMPT REGEX        waits until it has other words, such ones, and buttons; it, as JSON
    prompt_client.py URL closed PROMPT REGEX [S]     waits until it reads like that, has no buttons and names no code
    prompt_client.py URL still PROMPT                it is as it was
    prompt_client.py URL press PROMPT LABEL          presses that button, and waits until the press is acknowledged
    prompt_client.py URL late PROMPT LABEL           as `press`, when the button is gone: clients can be made to do that
    prompt_client.py URL post JSON                   the members of a message: its id, once the bot has taken it
    prompt_client.py URL group TITLE USER…           the new group's id
    prompt_client.py URL nowhere WORD…               no request to the bot's API had such a word

PROMPT is a file with what `open` or `changed` gave: chat, message, text, buttons (label and what a press sends), code.
Ends with 0, or with 1 and the reason on standard error.
"""
import json, re, sys, time, urllib.error, urllib.request

WAIT = 60  # seconds


def fake(verb, **body):
    request = urllib.request.Request(URL + '/fake/' + verb, json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=WAIT) as answer:
            return json.load(answer)['result']
    except urllib.error.HTTPError as error:
        sys.exit('prompt_client: %s answers %d: %s' % (verb, error.code, error.read().decode()))


def wait(what, look, seconds=WAIT):
    end = time.time() + float(seconds)
    while True:
        found = look()
        if found:
            return found
        if time.time() > end:
            break
        time.sleep(0.05)
    sys.exit('prompt_client: this did not come: %s; the last calls: %s' % (what, json.dumps(fake('calls')[-6:])))


def prompt_of(message):
    text = message.get('text', '')
    rows = message.get('reply_markup', {}).get('inline_keyboard', [])
    code = re.search(r'reply no ([a-km-z]{5}) to deny it', text, re.I)
    return {'chat': message['chat']['id'], 'message': message['message_id'], 'text': text,
            'code': code[1] if code else None,
            'buttons': [[button['text'], button['callback_data']] for row in rows for button in row]}


def prompts(chat):
    return [prompt_of(message) for message in reversed(fake('sent', chat=chat))]


def kept(file):
    return json.load(open(file))


def now(prompt):
    found = [other for other in prompts(prompt['chat']) if other['message'] == prompt['message']]
    return found[0] if found else sys.exit('prompt_client: the message %d is gone' % prompt['message'])


def show(prompt):
    print(json.dumps(prompt, ensure_ascii=False))


def open_(chat, regex):
    show(wait('a prompt like %r' % regex, lambda: next(
        (prompt for prompt in prompts(int(chat)) if prompt['buttons'] and re.search(regex, prompt['text'], re.S)), None)))


def changed(file, regex):
    before = kept(file)

    def look():
        prompt = now(before)
        return prompt['text'] != before['text'] and prompt['buttons'] and re.search(regex, prompt['text'], re.S) and prompt
    show(wait('other words like %r in the prompt %r' % (regex, before['text']), look))


def closed(file, regex, seconds=WAIT):
    before = kept(file)

    def look():
        prompt = now(before)
        return re.search(regex, prompt['text'], re.S) and not (prompt['buttons'] or prompt['code']) and prompt
    show(wait('the end %r of the prompt, which reads %r' % (regex, now(before)), look, seconds))


def still(file):
    before = kept(file)
    if now(before) != before:
        sys.exit('prompt_client: the prompt was %r and is %r' % (before, now(before)))


def press(file, label, gone=False):
    prompt = kept(file)
    there = (prompt if gone else now(prompt))['buttons']
    token = next((token for shown, token in there if shown.endswith(label)), None)
    if token is None:
        sys.exit('prompt_client: there is no button %r: %r' % (label, there))
    query = fake('press', user=prompt['chat'], chat=prompt['chat'], message=prompt['message'], data=token)
    wait('an answer to the press', lambda: [
        call for call in fake('calls', method='answerCallbackQuery')
        if call['status'] == 200 and dict(call['arguments']).get('callback_query_id') == query])


def late(file, label):
    press(file, label, gone=True)


def post(members):
    posted = fake('post', **json.loads(members))
    wait('the end of the bot\'s work on the message', lambda: (fake('seen')['confirmed'] or 0) > posted['update'])
    print(posted['message'])


def group(title, *members):
    print(fake('group', title=title, members=[int(member) for member in members]))


def nowhere(*words):
    calls = json.dumps(fake('calls'))
    found = [word for word in words if re.search(r'\b%s\b' % re.escape(word), calls)]
    if found:
        sys.exit('prompt_client: these left: %r' % found)


URL = sys.argv[1]
{'open': open_, 'changed': changed, 'closed': closed, 'still': still, 'press': press, 'late': late, 'post': post,
 'group': group, 'nowhere': nowhere}[sys.argv[2]](*sys.argv[3:])
