import assert from "node:assert/strict";
import { test } from "node:test";
import { clientPreface } from "../../connection/settings/client-preface.ts";
import { classifyFirstBytes, prefaceBytes } from "./first-bytes.ts";

const classify = (text: string): string => classifyFirstBytes(Buffer.from(text, "latin1"));

test("waits for more at every byte of the preface, and knows it at the last", () => {
  for (let bytes = 0; bytes < clientPreface.length; bytes++) {
    assert.equal(classify(clientPreface.slice(0, bytes)), "more", `after ${bytes}`);
  }
  assert.equal(classify(clientPreface), "http2");
  assert.equal(prefaceBytes, 24);
});

test("knows the preface whatever follows it", () => {
  assert.equal(classify(`${clientPreface}\0\0\0\x04\0\0\0\0\0`), "http2");
});

test("refuses the preface with any one byte changed", () => {
  for (let at = 0; at < clientPreface.length; at++) {
    const wrong = `${clientPreface.slice(0, at)}\x01${clientPreface.slice(at + 1)}`;
    assert.equal(classify(wrong), "unknown", `byte ${at}`);
    assert.equal(classify(wrong.slice(0, at + 1)), "unknown", `byte ${at}, with nothing after it`);
  }
});

const longest = "M".repeat(32);

for (const method of ["GET", "POST", "CONNECT", "PATCH"]) {
  test(`waits for more at every byte of the method ${method}, and knows HTTP/1.1 at the space after it`, () => {
    for (let bytes = 0; bytes <= method.length; bytes++) {
      assert.equal(classify(method.slice(0, bytes)), "more", `after ${bytes}`);
    }
    assert.equal(classify(`${method} `), "http1");
    assert.equal(classify(`${method} / HTTP/1.1\r\n`), "http1");
  });
}

for (const method of ["PROPFIND", "PRIX", "get", "M-SEARCH", "!#$%&'*+-.^_`|~09", longest]) {
  test(`waits for more at every byte of the method ${method}, and knows HTTP/1.1 at the target after it`, () => {
    const text = `${method} `;
    for (let bytes = 0; bytes <= text.length; bytes++) {
      assert.equal(classify(text.slice(0, bytes)), "more", `after ${bytes}`);
    }
    assert.equal(classify(`${text}/`), "http1");
    assert.equal(classify(`${text}* HTTP/1.1\r\n`), "http1");
    assert.equal(classify(`${text}words of another protocol`), "unknown");
  });
}

for (const text of [
  "\x16\x03\x01",
  "GET\t",
  "GET\r\n",
  "G(T /",
  "G\x80T /",
  "PRI ",
  "PRI\t",
  "SSH-2.0-OpenSSH\r\n",
  "\0",
  " GET /",
  "\r\nGET /",
  "INVALID CONNECTION PREFACE\r\n\r\n",
  `${longest}M`,
  `${longest}M /`,
]) {
  const expected = text === "PRI " ? "more" : "unknown";
  test(`calls ${JSON.stringify(text)} ${expected}`, () => {
    assert.equal(classify(text), expected);
  });
}

test("reads only the bytes of the view that it is given", () => {
  const bytes = Buffer.from("xxGET / HTTP/1.1", "latin1").subarray(2);
  assert.equal(classifyFirstBytes(bytes), "http1");
  assert.equal(classifyFirstBytes(bytes.subarray(0, 3)), "more");
});
