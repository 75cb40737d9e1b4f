import assert from "node:assert/strict";
import { it } from "node:test";
import { Code } from "@connectrpc/connect";
import type { LimitExceeded } from "@tercel/grpc/hooks";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { overBothTransports, recordingLog } from "./support/open-echo.ts";

/** More than a peer takes, which SETTINGS do not say: so it is sent. */
const manyFields = Array.from({ length: 140 }, (_, at): [name: string, value: string] => [`x-${at}`, "v"]);

overBothTransports((open) => {
  it("a server tells its log and onLimit that a client's metadata has too many fields, and serves the next call", async (t) => {
    const strikes: LimitExceeded[] = [];
    const { client, logged } = await open(
      t,
      { unary: (request) => ({ text: request.text }) },
      { server: { onLimit: (strike) => strikes.push(strike) } },
    );
    await assertStatus(client.unary({ text: "" }, { headers: manyFields }), Code.ResourceExhausted);
    assert.equal((await client.unary({ text: "next" })).text, "next");
    assert.deepEqual(
      strikes.map(({ limit, action }) => `${limit} ${action}`),
      ["header_list refused"],
    );
    const [line] = logged;
    assert.deepEqual(
      [line?.level, line?.message, line?.fields.limit, line?.fields.action],
      ["warn", "a peer exceeded a limit", "header_list", "refused"],
    );
  });

  it("a server serves a request whose metadata is large within the limit, says so once and counts each", async (t) => {
    const strikes: LimitExceeded[] = [];
    const { client, logged } = await open(
      t,
      { unary: (request) => ({ text: request.text }) },
      { server: { onLimit: (strike) => strikes.push(strike), clock: createFakeClock() } },
    );
    const headers = { "x-large": "v".repeat(8192) };
    for (const text of ["a", "b", "c"]) assert.equal((await client.unary({ text }, { headers })).text, text);
    await client.unary({ text: "small" }, { headers: { "x-large": "v".repeat(7000) } });
    assert.deepEqual(
      strikes.map(({ limit, action }) => `${limit} ${action}`),
      Array(3).fill("large_header_list warned"),
    );
    assert.deepEqual(
      logged.map(({ level, message }) => [level, message]),
      [["warn", "a peer came near a limit"]],
    );
  });

  it("drops metadata that gRPC writes itself, on both sides, and says so at debug level", async (t) => {
    const { log, logged: byChannel } = recordingLog();
    const { client, logged: byServer } = await open(
      t,
      {
        unary(_request, context) {
          context.responseHeader.set("grpc-encoding", "br");
          context.responseTrailer.set("grpc-status", "7");
          return {};
        },
      },
      { channel: { log } },
    );
    await client.unary({}, { headers: { "grpc-timeout": "secret" } });
    for (const [logged, names] of [
      [byChannel, ["grpc-timeout"]],
      [byServer, ["grpc-encoding", "grpc-status"]],
    ] as const) {
      assert.deepEqual(
        logged.map(({ level, fields }) => [level, fields.name]),
        names.map((name) => ["debug", name]),
      );
      assert.ok(!JSON.stringify(logged).includes("secret"));
    }
  });

  it("a channel tells its log and onLimit that a server's metadata has too many fields", async (t) => {
    const strikes: LimitExceeded[] = [];
    const { log, logged } = recordingLog();
    const { client } = await open(
      t,
      {
        unary(request, context) {
          if (request.text === "many") for (const field of manyFields) context.responseHeader.set(...field);
          return { text: request.text };
        },
      },
      { channel: { log, onLimit: (strike) => strikes.push(strike) } },
    );
    await assertStatus(client.unary({ text: "many" }), Code.ResourceExhausted);
    assert.equal((await client.unary({ text: "next" })).text, "next");
    assert.deepEqual(
      strikes.map(({ limit, action }) => `${limit} ${action}`),
      ["header_list reset"],
    );
    assert.equal(logged[0]?.fields.limit, "header_list");
  });
});
