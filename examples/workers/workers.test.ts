import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { createChannel } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";

test("two workers serve one port, and either of them serves the metrics of both", async () => {
  const server = spawn(process.execPath, ["--conditions=source", join(import.meta.dirname, "server.ts")], {
    env: { ...process.env, PORT: "0", METRICS_PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(server, "exit");
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const said: string[] = [];
  while (!said.at(-1)?.startsWith("listening on")) said.push((await lines.next()).value as string);
  const workers = said.slice(0, -1).toSorted();
  assert.equal(workers.length, 2);
  assert.match(workers[0] ?? "", /^worker 1: /);
  assert.match(workers[1] ?? "", /^worker 2: /);
  const target = said.at(-1)?.replace("listening on ", "") ?? "";
  for (let calls = 0; calls < 4; calls++) {
    const channel = createChannel(target);
    await createClient(createHealth().service, channel).check({});
    await channel.close();
  }
  const metricsPort = /port (\d+)/.exec(workers[0] ?? "")?.[1];
  for (let scrapes = 0; scrapes < 2; scrapes++) {
    const scraped = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { headers: { connection: "close" } });
    const text = await scraped.text();
    assert.match(text, /^grpc_server_requests_total{service="grpc.health.v1.Health",method="Check",status="OK"} 4$/m);
    assert.match(text, /^tercel_workers_ready 2$/m);
  }
  server.kill("SIGTERM");
  assert.equal((await lines.next()).value, "stopped for SIGTERM");
  assert.deepEqual(await ended, [0, null]);
});
