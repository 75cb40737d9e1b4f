import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { FailoverClient } from "./failover-client.ts";
import type { HttpClient, HttpResponse } from "./http-client.ts";

/** Servers with the given statuses; 0 means no response. */
function setUp(...statuses: number[]) {
  const asked: number[] = [];
  const controller = new AbortController();
  const clients = statuses.map(
    (_, at) =>
      ({
        async request(): Promise<HttpResponse> {
          asked.push(at);
          const status = statuses[at] ?? 0;
          if (status === 0) throw new ConnectError(`${at} is away`, Code.Unavailable);
          return { status, headers: {}, text: String(at) };
        },
        close() {},
      }) as unknown as HttpClient,
  );
  const first = new FailoverClient(clients);
  const ask = () => first.request({ path: "/", timeoutMs: 1000, signal: controller.signal });
  return { asked, statuses, ask, first, controller };
}

test("stays with a server that responds, even with a 4xx status", async () => {
  const { asked, ask } = setUp(404, 200);
  await ask();
  await ask();
  assert.deepEqual(asked, [0, 0]);
});

test("moves to the next server on a 5xx status or without a response, and stays there", async () => {
  const { asked, statuses, ask } = setUp(0, 500, 200);
  assert.equal((await ask()).text, "2");
  statuses[0] = 200;
  assert.equal((await ask()).text, "2");
  statuses[2] = 0;
  assert.equal((await ask()).text, "0");
  assert.deepEqual(asked, [0, 1, 2, 2, 2, 0]);
});

test("tries each server once, and reports the failure of the last", async () => {
  const { asked, ask, statuses } = setUp(500, 0);
  await assert.rejects(ask(), /1 is away/);
  statuses[1] = 503;
  statuses[0] = 0;
  assert.equal((await ask()).status, 503);
  assert.deepEqual(asked, [0, 1, 0, 1]);
});

test("tries no further server after a cancellation", async () => {
  const { asked, ask, controller } = setUp(0, 200);
  controller.abort();
  await assert.rejects(ask(), /0 is away/);
  assert.deepEqual(asked, [0]);
});

test("several requests that fail at one server do not skip the next", async () => {
  const { first, ask } = setUp(0, 200, 200);
  await Promise.all([ask(), ask()]);
  assert.equal(first.current, 1);
});

test("rejects an empty list of servers", () => {
  assert.throws(() => new FailoverClient([]), TypeError);
});
