import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { safeParse } from "valibot";
import { listenAddress, parseListenAddress } from "./listen-address.ts";

describe("parseListenAddress", () => {
  test("takes a port alone for every interface", () => assert.deepEqual(parseListenAddress(":9090"), { port: 9090 }));

  test("reads hosts, IPv4 and IPv6 addresses", () => {
    assert.deepEqual(parseListenAddress("localhost:1"), { host: "localhost", port: 1 });
    assert.deepEqual(parseListenAddress("127.0.0.1:65535"), { host: "127.0.0.1", port: 65_535 });
    assert.deepEqual(parseListenAddress("[::1]:0"), { host: "::1", port: 0 });
  });

  for (const text of [
    "",
    "9090",
    ":",
    "::1:80",
    ":65536",
    "a b:1",
    "[::1]",
    "http://a:1",
    "a:1/x",
    "[]:1",
    ":123456",
  ]) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseListenAddress(text), undefined));
  }
});

test("listenAddress() says what it is", () => {
  assert.equal(
    safeParse(listenAddress(), "9090").issues?.[0].message,
    "expected an address to listen on, such as :9090 or 127.0.0.1:9090",
  );
});
