import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError, createClient, createRouterTransport, type ServiceImpl } from "@connectrpc/connect";
import { UserService } from "../gen/user/user_pb.ts";
import { createJsonLog } from "../log/json-log.ts";
import { createReportFailures } from "./report-failures.ts";

function serve(handler: Partial<ServiceImpl<typeof UserService>>) {
  const lines: Record<string, unknown>[] = [];
  const log = createJsonLog("user-service", (line) => lines.push(JSON.parse(line)));
  const transport = createRouterTransport(({ service }) =>
    service(UserService, handler, { interceptors: [createReportFailures(log)] }),
  );
  return { lines, users: createClient(UserService, transport) };
}

async function drain(stream: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of stream) count++;
  return count;
}

const neutral = { code: Code.Internal, rawMessage: "internal error" };

test("an unforeseen error is logged and answered without its details", async () => {
  const { lines, users } = serve({
    getUser() {
      throw new Error("disk full at /secret");
    },
  });
  await assert.rejects(users.getUser({}), neutral);
  assert.equal(lines.length, 1);
  assert.equal(lines[0]?.event, "call_failed");
  assert.equal(lines[0]?.method, "user.UserService/GetUser");
  assert.match(String(lines[0]?.error), /disk full at \/secret/);
});

test("an unforeseen error in the middle of a stream is logged and answered without its details", async () => {
  const { lines, users } = serve({
    async *streamUsers() {
      yield { name: "Ada" };
      throw new Error("disk full");
    },
  });
  await assert.rejects(drain(users.streamUsers({})), neutral);
  assert.equal(lines[0]?.method, "user.UserService/StreamUsers");
});

test("an error that the handler chose passes without a line in the log", async () => {
  const { lines, users } = serve({
    getUser() {
      throw new ConnectError("gone", Code.NotFound);
    },
    async *streamUsers() {
      yield { name: "Ada" };
      throw new ConnectError("gone", Code.NotFound);
    },
  });
  await assert.rejects(users.getUser({}), { code: Code.NotFound, rawMessage: "gone" });
  await assert.rejects(drain(users.streamUsers({})), { code: Code.NotFound, rawMessage: "gone" });
  assert.deepEqual(lines, []);
});

test("a handler that stops because its caller has gone is no failure", async () => {
  const controller = new AbortController();
  let stopped: unknown;
  const { lines, users } = serve({
    async getUser(_request, context) {
      const aborted = new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      controller.abort();
      await aborted;
      stopped = context.signal.reason;
      throw stopped;
    },
  });
  await assert.rejects(users.getUser({}, { signal: controller.signal }), { code: Code.Canceled });
  // The caller's promise may settle before the interceptor has seen the handler's error.
  await new Promise((resolve) => setImmediate(resolve));
  assert.notEqual(stopped, undefined);
  assert.deepEqual(lines, []);
});

test("a call that goes well is left alone", async () => {
  const { lines, users } = serve({
    getUser: () => ({ user: { name: "Ada" } }),
    async *streamUsers() {
      yield { name: "Ada" };
      yield { name: "Eve" };
    },
  });
  assert.equal((await users.getUser({})).user?.name, "Ada");
  assert.equal(await drain(users.streamUsers({})), 2);
  assert.deepEqual(lines, []);
});
