// Own process: Playwright includes a copy of zod, which defines globals.

import assert from "node:assert/strict";
import { it } from "node:test";
import { createWebSocketTransport } from "@tercel/gateway/browser";
import { bundlePage } from "./support/bundle-page.ts";

it("@tercel/gateway/browser uses no module of Node.js, so that any bundler can process it", () => {
  // Fails if a module is imported that browsers do not have.
  const code = bundlePage();
  assert.doesNotMatch(code, /require\("node:|from "node:|\bBuffer\.(from|alloc)/);
});

it("createWebSocketTransport rejects invalid options", () => {
  assert.throws(() => createWebSocketTransport("api.example.com"), /has to begin with http:/);
  assert.throws(
    () => createWebSocketTransport("http://a", { interceptor: [] } as never),
    /did you mean "interceptors"/,
  );
  assert.throws(() => createWebSocketTransport("http://a", { defaultTimeoutMs: 0 }), /defaultTimeoutMs is 0/);
});
