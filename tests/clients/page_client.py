#!/usr/bin/env python3
"""A browser's part in fakechat's page, with nothing but Python's own library.

    page_client.py HOME PORT say TEXT [--answer REGEX] [--timeout S]
    page_client.py HOME PORT upload FILE [TEXT]

Opens the page with the token of that home and keeps the cookie and the key. `say` opens the WebSocket, sends TEXT, waits until it
is acknowledged and, with --answer, until a message of Claude's matches; it prints each frame that it gets.
Ends with 0, or with 1 and the reason on standard error.
"""
import argparse, base64, http.client, json, os, re, socket, struct, sys, time, uuid


class Refused(Exception):
    pass


def visit(home, port):
    """Opens the page; gives the cookie, and the key without which nothing that is said there is a verdict."""
    token = open(os.path.join(home, 'secrets/page.token')).read().strip()
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=10)
    connection.request('GET', '/fakechat/?token=' + token)
    answer = connection.getresponse()
    answer.read()
    path, mark, key = (answer.headers['Location'] or '').partition('#key=')
    if answer.status != 303 or path != '/fakechat/' or not mark:
        raise Refused('the address with the token answers %d, %s' % (answer.status, answer.headers['Location']))
    kept = answer.headers['Set-Cookie'].split(';')[0]
    connection.request('GET', '/fakechat/', headers={'Cookie': kept})
    answer = connection.getresponse()
    if answer.status != 200 or b'<textarea' not in answer.read():
        raise Refused('the page answers %d' % answer.status)
    return kept, key


class WebSocket:
    """The client's side of RFC 6455, as far as it is needed."""

    def __init__(self, port, path, headers):
        self.stream = socket.create_connection(('127.0.0.1', port), timeout=10)
        self.buffer = b''
        lines = ['GET %s HTTP/1.1' % path, 'Host: 127.0.0.1:%d' % port, 'Upgrade: websocket', 'Connection: Upgrade',
                 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: ' + base64.b64encode(os.urandom(16)).decode()]
        lines += ['%s: %s' % header for header in headers.items()]
        self.stream.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode())
        while b'\r\n\r\n' not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(b'\r\n\r\n', 1)
        if b' 101 ' not in head.split(b'\r\n')[0]:
            raise Refused('the socket is refused: %s' % head.split(b'\r\n')[0].decode())

    def more(self):
        got = self.stream.recv(65536)
        if not got:
            raise Refused('the connection was closed')
        self.buffer += got

    def take(self, count):
        while len(self.buffer) < count:
            self.more()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def send(self, text, opcode=1):
        data, mask = text.encode() if isinstance(text, str) else text, os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b'\xfe' + struct.pack('>H', len(data))
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        self.stream.sendall(bytes([0x80 | opcode]) + size + mask + masked)

    def receive(self):
        """The next text frame."""
        while True:
            first, second = self.take(2)
            size = second & 0x7f
            if size == 126:
                size = struct.unpack('>H', self.take(2))[0]
            elif size == 127:
                size = struct.unpack('>Q', self.take(8))[0]
            data = self.take(size)
            if first & 0x0f == 8:
                raise Refused('the server closed the socket: %r' % data)
            if first & 0x0f == 9:
                self.send(data, opcode=10)
            if first & 0x0f == 1:
                return data.decode()


def say(arguments):
    cookie, key = visit(arguments.home, arguments.port)
    page = WebSocket(arguments.port, '/fakechat/socket?key=' + key, {
        'Origin': 'http://127.0.0.1:%d' % arguments.port, 'Cookie': cookie})
    name = str(uuid.uuid4())
    stored, answered, end = False, arguments.answer is None, time.time() + arguments.timeout
    page.send(json.dumps({'type': 'message', 'id': name, 'text': arguments.text}))
    while not (stored and answered):
        page.stream.settimeout(max(0.01, end - time.time()))
        text = page.receive()
        print(text, flush=True)
        frame = json.loads(text)
        if frame['type'] == 'refused':
            raise Refused(frame['reason'])
        stored = stored or frame == {'type': 'ack', 'id': name}
        said = frame.get('message') or {}
        if said.get('from') == 'claude' and arguments.answer and re.search(arguments.answer, said['text'], re.S):
            answered = True


def upload(arguments):
    boundary, name = uuid.uuid4().hex, str(uuid.uuid4())
    fields = {'id': name, **({'text': arguments.words} if arguments.words else {})}
    parts = [b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' %
             (boundary.encode(), key.encode(), value.encode()) for key, value in fields.items()]
    file = os.path.basename(arguments.text)
    parts.append(b'--%s\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n'
                 b'Content-Type: application/octet-stream\r\n\r\n%s\r\n--%s--\r\n' %
                 (boundary.encode(), file.encode(), open(arguments.text, 'rb').read(), boundary.encode()))
    connection = http.client.HTTPConnection('127.0.0.1', arguments.port, timeout=30)
    connection.request('POST', '/fakechat/upload', b''.join(parts), {
        'Cookie': visit(arguments.home, arguments.port)[0], 'Origin': 'http://127.0.0.1:%d' % arguments.port,
        'Content-Type': 'multipart/form-data; boundary=' + boundary})
    answer = connection.getresponse()
    if answer.status != 200:
        raise Refused('the upload answers %d: %s' % (answer.status, answer.read()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('home')
    parser.add_argument('port', type=int)
    parser.add_argument('do', choices=['say', 'upload'])
    parser.add_argument('text')
    parser.add_argument('words', nargs='?')
    parser.add_argument('--answer')
    parser.add_argument('--timeout', type=float, default=30)
    arguments = parser.parse_args()
    try:
        say(arguments) if arguments.do == 'say' else upload(arguments)
    except (Refused, OSError) as error:
        sys.exit('page_client: %s' % error)


main()
