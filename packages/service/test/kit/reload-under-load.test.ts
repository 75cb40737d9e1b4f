// Files that are swapped as Kubernetes swaps them, and broken ones, while calls run over real sockets.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { createChannel, createClient } from "@tercel/grpc";
import type { Registry } from "@tercel/interceptors/metrics";
import { defineService, startService } from "@tercel/service";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";
import { onEnd } from "./on-end.ts";

const swaps = 10;
const callers = 8;

/** A folder whose files are reached through `..data`, a link that is swapped in one step. */
function mountedFolder(folder: string) {
  let version = 0;
  return function swap(text: string): void {
    version += 1;
    const versioned = `..v${version}`;
    mkdirSync(join(folder, versioned));
    writeFileSync(join(folder, versioned, "config.yaml"), text);
    symlinkSync(versioned, join(folder, "..next"));
    renameSync(join(folder, "..next"), join(folder, "..data"));
    if (version === 1) symlinkSync("..data/config.yaml", join(folder, "config.yaml"));
  };
}

it("a service loses no call while its files are swapped and broken under load", { timeout: 120_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tercel-swaps-"));
  onEnd(t, () => rmSync(folder, { recursive: true }));
  const swap = mountedFolder(folder);
  const yaml = (timeout: string): string =>
    `service: {port: 0}\nlogging: {providers: {console: {level: error}}}\ncommunication: {providers: {grpc: {timeout: ${timeout}}}}\n`;
  swap(yaml("60s"));

  let metrics: Registry | undefined;
  const definition = defineService({
    routes(router, parts) {
      metrics = parts.metrics;
      router.service(EchoService, {
        unary: ({ text }, { timeoutMs }) => ({ text, count: Math.ceil((timeoutMs() ?? 0) / 1000) }),
      });
    },
  });
  const service = await startService(definition, { folder, overlays: false, variables: {} });
  onEnd(t, () => service.stop());
  const { port } = service.address as { readonly port: number };
  const channel = createChannel(`127.0.0.1:${port}`);
  onEnd(t, () => channel.close());
  const echo = createClient(EchoService, channel);

  let isOver = false;
  let calls = 0;
  const calling = Promise.all(
    Array.from({ length: callers }, async () => {
      for (; !isOver; calls++) await echo.unary({ text: "a" });
    }),
  );
  const reloads = (outcome: string): number => {
    const found = metrics?.collect().find(({ name }) => name === "tercel_config_reloads_total");
    return [...(found?.series.values() ?? [])]
      .filter(({ values }) => values[0] === outcome)
      .reduce((sum, { series }) => sum + (series as { readonly value: number }).value, 0);
  };
  for (let at = 1; at <= swaps; at++) {
    const isBroken = at % 3 === 0;
    const outcome = isBroken ? "refused" : "taken";
    const before = reloads(outcome);
    swap(isBroken ? yaml("soon") : yaml(`${100 + at}s`));
    while (reloads(outcome) === before) await echo.unary({ text: "b" });
  }
  isOver = true;
  await calling;
  assert.ok(calls > swaps * callers, `${calls} calls`);
  // The last one that was valid.
  assert.equal((await echo.unary({ text: "c" })).count, 100 + swaps);
});
