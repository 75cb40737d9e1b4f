import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeGrpcMessage, encodeGrpcMessage, maxEncodedMessageBytes } from "./percent-encoding.ts";

test("leaves printable ASCII as it is", () => {
  const text = Array.from({ length: 0x7f - 0x20 }, (_, at) => String.fromCharCode(0x20 + at))
    .join("")
    .replace("%", "");
  assert.equal(encodeGrpcMessage(`a${text}`), `a${text}`);
  assert.equal(decodeGrpcMessage(`a${text}`), `a${text}`);
  assert.equal(encodeGrpcMessage(""), "");
});

test("escapes percent, controls and everything beyond ASCII as UTF-8", () => {
  assert.equal(encodeGrpcMessage("100%"), "100%25");
  assert.equal(encodeGrpcMessage("a\r\n\0\x7f"), "a%0D%0A%00%7F");
  assert.equal(encodeGrpcMessage("naïve ☺ 😀"), "na%C3%AFve %E2%98%BA %F0%9F%98%80");
});

test("escapes a space at either end, where HTTP/2 allows none", () => {
  assert.equal(encodeGrpcMessage(" a b "), "%20a b%20");
  assert.equal(encodeGrpcMessage(" "), "%20");
  assert.equal(encodeGrpcMessage("  "), "%20%20");
});

test("writes half a surrogate pair as U+FFFD", () => {
  assert.equal(encodeGrpcMessage("a\ud83d!"), "a%EF%BF%BD!");
  assert.equal(encodeGrpcMessage("\ude00"), "%EF%BF%BD");
});

test("decodes what it encodes", () => {
  for (const text of [
    "",
    "plain",
    " edges ",
    "50 % off",
    "\t\b",
    "grüße, 世界 😀",
    "a".repeat(maxEncodedMessageBytes),
  ]) {
    assert.equal(decodeGrpcMessage(encodeGrpcMessage(text)), text);
  }
});

test("decodes lower-case escapes", () => {
  assert.equal(decodeGrpcMessage("%e2%98%ba"), "☺");
});

test("leaves broken escapes as they are", () => {
  for (const text of ["%", "100%", "a%2", "%zz", "%2g", "%%", "%-1", "% 1"])
    assert.equal(decodeGrpcMessage(text), text);
  assert.equal(decodeGrpcMessage("%%41"), "%A");
  assert.equal(decodeGrpcMessage("%4%41"), "%4A");
});

test("replaces bytes that are not UTF-8", () => {
  assert.equal(decodeGrpcMessage("a%FFb"), "a\ufffdb");
  assert.equal(decodeGrpcMessage("%E2%98"), "\ufffd");
  assert.equal(decodeGrpcMessage("%C0%80"), "\ufffd\ufffd");
});

test("reads unescaped UTF-8 bytes of careless peers", () => {
  assert.equal(decodeGrpcMessage(Buffer.from("☺", "utf8").toString("latin1")), "☺");
});

test("never throws, whatever comes", () => {
  let state = 1;
  for (let round = 0; round < 2000; round++) {
    let text = "";
    for (let at = 0; at < 12; at++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      text += (state >> 16) % 3 === 0 ? "%" : String.fromCharCode((state >> 8) & 0xff);
    }
    assert.equal(typeof decodeGrpcMessage(text), "string");
    assert.ok(/^[\x20-\x7e]*$/.test(encodeGrpcMessage(text)));
  }
});

test("keeps a text of the cap and cuts one byte more", () => {
  const longest = "a".repeat(maxEncodedMessageBytes);
  assert.equal(encodeGrpcMessage(longest), longest);
  assert.equal(encodeGrpcMessage(`${longest}b`), longest);
  assert.equal(encodeGrpcMessage(`${"a".repeat(maxEncodedMessageBytes - 3)}%`).length, maxEncodedMessageBytes);
});

test("cuts neither an escape nor a character in half", () => {
  for (let lead = 0; lead <= 12; lead++) {
    const text = "a".repeat(maxEncodedMessageBytes - lead) + "😀".repeat(3);
    const encoded = encodeGrpcMessage(text);
    assert.ok(encoded.length <= maxEncodedMessageBytes);
    assert.ok(text.startsWith(decodeGrpcMessage(encoded)));
    assert.equal(encoded.length, maxEncodedMessageBytes - lead + (lead === 12 ? 12 : 0));
  }
});

test("ends in no space where the cap falls behind one", () => {
  const exact = encodeGrpcMessage(`${"a".repeat(maxEncodedMessageBytes - 1)} b`);
  assert.equal(exact, "a".repeat(maxEncodedMessageBytes - 1));
  const roomy = encodeGrpcMessage(`%${"a".repeat(maxEncodedMessageBytes - 6)} ☺`);
  assert.equal(roomy, `%25${"a".repeat(maxEncodedMessageBytes - 6)}%20`);
});
