import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isForeignOrigin } from "./foreign-origin.ts";

const isForeign = (origin: string | undefined, authority: string | undefined = "api.example.com", scheme = "http") =>
  isForeignOrigin(
    { fields: origin === undefined ? [] : ["origin", origin], authority, scheme: scheme as "http" | "https" },
    (one) => one === "https://app.example.com",
  );

describe("isForeign", () => {
  it("is false for the server's own host, and without an origin", () => {
    assert.equal(isForeign(undefined), false);
    assert.equal(isForeign("http://api.example.com"), false);
    assert.equal(isForeign("https://api.example.com"), false, "a proxy in between may speak TLS");
    assert.equal(isForeign("https://api.example.com:8443", "api.example.com:8443"), false);
  });

  it("is true for another host, port or scheme, and for the origin null", () => {
    for (const origin of [
      "https://evil.example.com",
      "http://api.example.com:81",
      "null",
      "https://api.example.com.evil",
    ]) {
      assert.equal(isForeign(origin), true, origin);
    }
    assert.equal(isForeign("http://api.example.com", "api.example.com", "https"), true);
    assert.equal(isForeign("http://", ""), true);
  });

  it("is false for an origin that cors allows", () => {
    assert.equal(isForeign("https://app.example.com"), false);
    assert.equal(isForeign("http://app.example.com"), true);
  });
});
