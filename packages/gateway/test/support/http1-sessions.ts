/** HTTP/1.1 sessions for tests that compare two servers: valid requests and mutations of them. */

const requests = [
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET /a?b=c&d=%20 HTTP/1.1\r\nhost: a:80\r\naccept: */*\r\nx-a:\r\nx-b: \t b \t\r\n\r\n",
  "HEAD /h HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET / HTTP/1.0\r\n\r\n",
  "GET / HTTP/1.0\r\nConnection: keep-alive\r\nHost: a\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
  "PUT /p HTTP/1.1\r\nHost: a\r\nContent-Length: 34\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
  "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
  'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\nA;x="y"\r\n0123456789\r\n000\r\nX-T: 1\r\n\r\n',
  "PATCH /c HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
  "DELETE /d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
];

const pieces = [
  ...["\r\n", "\n", "\r", "\r\n\r\n", " ", "\t", ":", ";", ",", "\0", "\x0b", "\x7f", "\xe9", "0", "1", "-", "+", "a"],
  ...["Content-Length: 5\r\n", "content-length: 3\r\n", "Content-Length: 5, 5\r\n", "Content-Length : 5\r\n"],
  ...["Transfer-Encoding: chunked\r\n", "transfer-encoding: gzip, chunked\r\n", "Transfer-Encoding: identity\r\n"],
  ...["Transfer-Encoding:\r\n chunked\r\n", "Transfer-Encoding\t: chunked\r\n", "X-Transfer-Encoding: chunked\r\n"],
  ...["Host: b\r\n", "Connection: close\r\n", "Expect: x\r\n", " folded: b\r\n", "X: a\rb\r\n", "GET / HTTP/1.1\r\n"],
  ...["0\r\n\r\n", "5\r\n", "0x5", "fffffffff\r\n", "HTTP/1.1", "HTTP/2.0"],
];

/** The bytes of a session, and the positions at which they are split. */
export interface Http1Session {
  readonly text: string;
  readonly splits: readonly number[];
}

/** Creates the session of a number, always the same one. */
export function makeSession(seed: number): Http1Session {
  const random = randomOf(seed);
  const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
  let text = "";
  for (let count = 1 + random(3); count > 0; count--) text += pick(requests);
  for (let changes = random(4); changes > 0; changes--) {
    const at = random(text.length + 1);
    const removed = random(2) === 0 ? random(4) : 0;
    text = text.slice(0, at) + (random(4) === 0 ? "" : pick(pieces)) + text.slice(at + removed);
  }
  const splits = Array.from({ length: random(4) }, () => random(text.length + 1)).sort((a, b) => a - b);
  return { text, splits };
}

/** Creates a generator of numbers below a bound (Marsaglia's xorshift). */
function randomOf(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761 + 1) | 0;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
