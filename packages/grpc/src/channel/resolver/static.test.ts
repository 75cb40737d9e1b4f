import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClock } from "../../time/fake-clock.ts";
import { parseTarget } from "../naming/target.ts";
import { createBackoff } from "../retry/backoff.ts";
import type { ResolverResult } from "./index.ts";
import { staticResolvers } from "./static.ts";
import { unixResolver } from "./unix.ts";

test("reports the addresses of the target at once, each an endpoint, and never again", () => {
  const rows = [
    [
      "ipv4:1.2.3.4:1,5.6.7.8:2",
      [{ host: "1.2.3.4", port: 1, authority: "1.2.3.4:1" }],
      [{ host: "5.6.7.8", port: 2, authority: "5.6.7.8:2" }],
    ],
    ["ipv6:[::1]:1", [{ host: "::1", port: 1 }]],
    ["static:///a:1,b:2", [{ host: "a", port: 1, authority: "a:1" }], [{ host: "b", port: 2, authority: "b:2" }]],
    ["unix:///run/a.sock", [{ path: "/run/a.sock" }]],
  ] as const;
  for (const [text, ...endpoints] of rows) {
    const target = parseTarget(text);
    const factory = [...staticResolvers, unixResolver].find(({ scheme }) => scheme === target.scheme);
    assert.ok(factory, text);
    const results: ResolverResult[] = [];
    const listener = {
      onResult: (result: ResolverResult) => results.push(result) > 0,
      onError: (error: Error) => assert.fail(error),
    };
    const clock = createFakeClock();
    const resolver = factory.create(target, listener, { clock, backoff: createBackoff() });
    resolver.resolveNow();
    resolver.close();
    assert.deepEqual(results, [{ endpoints: endpoints.map((addresses) => ({ addresses })) }], text);
    assert.equal(clock.pendingTimers, 0);
  }
});
