import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { startService } from "@tercel/service";

for (const [what, values, key, variable] of [
  ["gRPC", (port: number) => ({ service: { port } }), "service.port", "TERCEL__SERVICE__PORT"],
  [
    "metrics",
    (port: number) => ({
      service: { port: 0 },
      monitoring: { providers: { prometheus: { endpoint: `127.0.0.1:${port}` } } },
    }),
    "monitoring.providers.prometheus.endpoint",
    "TERCEL__MONITORING__PROVIDERS__PROMETHEUS__ENDPOINT",
  ],
] as const) {
  test(`a start that finds the port of ${what} taken names the key, the variable and the flag that change it`, async (t) => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    const start = startService({ routes() {} }, { config: values(port) });
    await assert.rejects(start, (error: Error) => {
      assert.equal(
        error.message,
        `port ${port} of 127.0.0.1 is in use by another program; change ${key} in the file, or by ${variable} or --set ${key}=…`,
      );
      return true;
    });
  });
}
