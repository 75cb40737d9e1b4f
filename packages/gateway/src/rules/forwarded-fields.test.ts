import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addressOf, hasForwardedFields, readForwardedFields, withoutForwardedFields } from "./forwarded-fields.ts";

const isTrusted = (address: string): boolean => address.startsWith("10.");
const read = (...fields: string[]) => readForwardedFields(fields, isTrusted);

describe("readForwardedFields", () => {
  it("returns the last address that is not a trusted proxy", () => {
    assert.equal(read("x-forwarded-for", "203.0.113.7").peerAddress, "203.0.113.7");
    assert.equal(read("x-forwarded-for", "203.0.113.7, 10.0.0.2").peerAddress, "203.0.113.7");
    assert.equal(read("x-forwarded-for", "203.0.113.7", "x-forwarded-for", "10.0.0.2").peerAddress, "203.0.113.7");
  });

  it("removes the entries that the client can forge", () => {
    const { peerAddress, fields } = read("x-forwarded-for", "1.1.1.1, 203.0.113.7:4711, 10.0.0.2", "x-a", "b");
    assert.equal(peerAddress, "203.0.113.7:4711");
    assert.deepEqual(fields, ["x-a", "b", "x-forwarded-for", "203.0.113.7:4711, 10.0.0.2"]);
    assert.equal(read("x-forwarded-for", "unknown, 10.0.0.2").peerAddress, "10.0.0.2");
    assert.equal(read("x-forwarded-for", "10.0.0.9, evil").peerAddress, undefined);
  });

  it("returns the first proxy if all addresses are trusted", () => {
    assert.equal(read("x-forwarded-for", "10.0.0.9, 10.0.0.2").peerAddress, "10.0.0.9");
  });

  it("returns the scheme and host that the client used", () => {
    const { scheme, authority } = read("x-forwarded-proto", "https", "x-forwarded-host", "shop.example.com:8443");
    assert.deepEqual([scheme, authority], ["https", "shop.example.com:8443"]);
    const odd = read("x-forwarded-proto", "javascript", "x-forwarded-host", "a/b");
    assert.deepEqual([odd.scheme, odd.authority], [undefined, undefined]);
  });
});

describe("withoutForwardedFields", () => {
  it("removes the forwarding headers and nothing else", () => {
    const fields = [
      "x-forwarded-for",
      "1.1.1.1",
      "x-a",
      "forwarded",
      "Forwarded".toLowerCase(),
      "for=1.1.1.1",
      "x-real-ip",
      "1",
    ];
    assert.equal(hasForwardedFields(fields), true);
    assert.deepEqual(withoutForwardedFields(fields).fields, ["x-a", "forwarded"]);
    assert.equal(hasForwardedFields(["x-a", "x-forwarded-for"]), false);
  });
});

describe("an entry of X-Forwarded-For", () => {
  it("is an address with or without a port", () => {
    for (const [entry, address] of [
      ["203.0.113.7", "203.0.113.7"],
      ["203.0.113.7:80", "203.0.113.7"],
      ["2001:db8::1", "2001:db8::1"],
      ["[2001:db8::1]:80", "2001:db8::1"],
      ["_hidden", undefined],
      ["", undefined],
    ] as const) {
      assert.equal(addressOf(entry), address, entry);
    }
  });
});
