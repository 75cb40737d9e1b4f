// Own process: Playwright brings a copy of zod, which defines globals.

import assert from "node:assert/strict";
import { it } from "node:test";
import { createWebSocketTransport } from "@tercel/gateway/browser";
import { bundlePage } from "./support/bundle-page.ts";

it("@tercel/gateway/browser needs nothing of Node's, so that any bundler takes it", () => {
  // It fails where a module that a browser does not have is imported.
  const code = bundlePage();
  assert.doesNotMatch(code, /require\("node:|from "node:|\bBuffer\.(from|alloc)/);
});

it("createWebSocketTransport refuses what it cannot use", () => {
  assert.throws(() => createWebSocketTransport("api.example.com"), /has to begin with http:/);
  assert.throws(
    () => createWebSocketTransport("http://a", { interceptor: [] } as never),
    /did you mean "interceptors"/,
  );
  assert.throws(() => createWebSocketTransport("http://a", { defaultTimeoutMs: 0 }), /defaultTimeoutMs is 0/);
});
