import assert from "node:assert/strict";
import { test } from "node:test";
import { readGreeting } from "./server-greeting.ts";

function read(text: string, hasEnded = false): string {
  const greeting = readGreeting(Buffer.from(text, "latin1"), hasEnded);
  return typeof greeting === "string" ? greeting : greeting.reason;
}

test("takes what may begin a frame for HTTP/2, from its first byte on", () => {
  assert.equal(read("\0"), "http2");
  assert.equal(read("\0\0\x12\x04\0\0\0\0\0"), "http2");
  assert.equal(read("\0\0\x08\x07\0\0\0\0\0"), "http2");
});

test("quotes the status line of HTTP/1.1, however its bytes come", () => {
  const line = "HTTP/1.1 400 Bad Request";
  for (let length = 1; length <= line.length; length++) assert.equal(read(line.slice(0, length)), "more");
  const reason = "the server responded with HTTP/1.1 (HTTP/1.1 400 Bad Request)";
  assert.equal(read(`${line}\r`), reason);
  assert.equal(read(`${line}\r\nConnection: close\r\n\r\n`), reason);
  assert.equal(read(line, true), reason);
  assert.equal(read("HTTP/1.0 200 \x1b[31mOK\n"), "the server responded with HTTP/1.0 (HTTP/1.0 200 ?[31mOK)");
  assert.equal(
    read(`HTTP/1.1 ${"x".repeat(1000)}`),
    `the server responded with HTTP/1.1 (HTTP/1.1 ${"x".repeat(247)})`,
  );
});

test("knows TLS by its first record", () => {
  for (const record of ["\x15\x03\x01\0\x02\x02\x46", "\x16\x03\x03", "\x15"]) {
    assert.equal(read(record), "the server responded with TLS: it does not accept cleartext on this port");
  }
});

test("shows the beginning of anything else", () => {
  assert.equal(read("SSH-2.0-OpenSSH_9.6\r\n"), 'the server does not speak HTTP/2: it sent "SSH-2.0-OpenSSH_9.6??"');
  assert.equal(read("J\0\0\0\n8.0.36"), 'the server does not speak HTTP/2: it sent "J????8.0.36"');
  assert.equal(read("+OK"), "more");
  assert.equal(read("+OK", true), 'the server does not speak HTTP/2: it sent "+OK"');
  assert.equal(read("x".repeat(256)), `the server does not speak HTTP/2: it sent "${"x".repeat(32)}"`);
});
