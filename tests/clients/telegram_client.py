#!/usr/bin/env python3
"""The users' part in the fake Telegram, with nothing but Python's own library.

    telegram_client.py URL user NAME [ID]                      the new user's id
    telegram_client.py URL say USER TEXT…                      the ids of the messages, posted at once
    telegram_client.py URL photo USER FILE [CAPTION]           the message's id
    telegram_client.py URL document USER FILE [CAPTION]        the message's id
    telegram_client.py URL album USER CAPTION FILE…            the ids of the messages
    telegram_client.py URL answer USER REGEX                   waits for such a text of the bot: its id, or what (…) matched
    telegram_client.py URL file USER MESSAGE KIND              the bytes of what the bot sent, as a photo or a document
    telegram_client.py URL call METHOD REGEX                   waits for such a call that was carried out
    telegram_client.py URL seen                                what the bot did beside messages, as JSON
    telegram_client.py URL unpolled                            waits until no getUpdates waits
    telegram_client.py URL poll                                one short getUpdates of somebody else's

USER is an id. Ends with 0, or with 1 and the reason on standard error.
"""
import base64, json, os, re, sys, time, urllib.error, urllib.request

WAIT = 30  # seconds


def post(path, body):
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), {'Content-Type': 'application/json'})
    try:
        with urllib.request.urlopen(request, timeout=WAIT) as answer:
            return json.load(answer)['result']
    except urllib.error.HTTPError as error:
        sys.exit('telegram_client: %s answers %d: %s' % (path.rpartition('/')[2], error.code, error.read().decode()))


def fake(verb, **body):
    return post('/fake/' + verb, body)


def bot(path=''):
    return '%s/bot%s' % (path, fake('about')['token'])


def media(user, kind, file, caption=None):
    return {'from': int(user), 'media': kind, 'base64': base64.b64encode(open(file, 'rb').read()).decode(),
            'message': {'caption': caption} if caption else {},
            **({'name': os.path.basename(file), 'mime': 'text/plain'} if kind == 'document' else {})}


def wait(what, look):
    end = time.time() + WAIT
    while time.time() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    sys.exit('telegram_client: this did not come: %s; the last calls: %s' % (what, json.dumps(fake('calls')[-6:])))


def user(name, given=None):
    print(fake('user', name=name, **({'id': int(given), 'username': name.lower()} if given else {})))


def say(user, *texts):
    for text in texts:
        print(fake('post', **{'from': int(user)}, message={'text': text})['message'])


def photo(user, file, caption=None):
    print(fake('post', **media(user, 'photo', file, caption))['message'])


def document(user, file, caption=None):
    print(fake('post', **media(user, 'document', file, caption))['message'])


def album(user, caption, *files):
    posts = [media(user, 'photo', file, None if at else caption) for at, file in enumerate(files)]
    for said in fake('album', posts=posts):
        print(said['message'])


def answer(user, regex):
    def look():
        for message in reversed(fake('sent', chat=int(user))):
            found = re.search(regex, message.get('text') or message.get('caption') or '', re.S)
            if found:
                return found[1] if found.groups() else str(message['message_id'])
    print(wait('a message of the bot like %r' % regex, look))


def file(user, message, kind):
    sent = next(sent for sent in fake('sent', chat=int(user)) if sent['message_id'] == int(message))
    if kind not in sent:
        sys.exit('telegram_client: it is no %s: %s' % (kind, json.dumps(sent)))
    named = sent['photo'][-1] if kind == 'photo' else sent[kind]
    path = post(bot() + '/getFile', {'file_id': named['file_id']})['file_path']
    with urllib.request.urlopen(URL + bot('/file') + '/' + path, timeout=WAIT) as answer:
        sys.stdout.buffer.write(answer.read())


def call(method, regex):
    wait('a call of %s like %r' % (method, regex), lambda: [
        call for call in fake('calls', method=method)
        if call['status'] == 200 and re.search(regex, json.dumps(call['arguments'], ensure_ascii=False))])


def seen():
    print(json.dumps(fake('seen')))


def unpolled():
    wait('the end of the last getUpdates', lambda: not fake('seen')['is_polled'])


def poll():
    post(bot() + '/getUpdates', {'timeout': 0})


URL = sys.argv[1]
{'user': user, 'say': say, 'photo': photo, 'document': document, 'album': album, 'answer': answer, 'file': file,
 'call': call, 'seen': seen, 'unpolled': unpolled, 'poll': poll}[sys.argv[2]](*sys.argv[3:])
