// What callers are told of errors that a handler lets pass from its database.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { alreadyExists } from "@tercel/grpc/errors";
import { createHookedInterceptor } from "@tercel/grpc/hooks";
import { assertStatus } from "@tercel/grpc/testing";
import { database, defineService, sql, UniqueViolation } from "@tercel/service";
import { testService } from "@tercel/service/testing";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";

const keeper = defineService({
  needs: { db: database() },
  async routes(router, { db }) {
    await db.run(sql`CREATE TABLE IF NOT EXISTS texts (text TEXT PRIMARY KEY) STRICT`);
    router.service(EchoService, {
      async unary({ text }) {
        await db.run(sql`INSERT INTO texts VALUES (${text})`);
        return { text };
      },
    });
  },
});

describe("a handler that lets an error of its database pass", () => {
  it("fails with ALREADY_EXISTS for a row that exists, without words of the database", async (t) => {
    const lines: Readonly<Record<string, unknown>>[] = [];
    const service = await testService(keeper, { onLog: (line) => void lines.push(line) });
    t.after(() => service.stop());
    const client = service.client(EchoService);
    await client.unary({ text: "a" });
    const error = await assertStatus(client.unary({ text: "a" }), Code.AlreadyExists, {
      message: "already exists",
      reason: "UNIQUE_VIOLATION",
    });
    assert.doesNotMatch(JSON.stringify(error.details), /texts/);
    // No accident, which the recovery would log as an error.
    assert.deepEqual(
      lines.filter(({ level }) => level === "error"),
      [],
    );
    assert.ok(lines.some(({ message, method }) => message === "unique violation" && String(method).endsWith("/Unary")));
  });

  it("fails as the application's own interceptors say where they know better", async (t) => {
    const better = createHookedInterceptor({
      onError: (_request, _state, error) =>
        error instanceof UniqueViolation ? alreadyExists({ resource: `texts by ${error.columns.join()}` }) : error,
    });
    const service = await testService(defineService({ ...keeper, interceptors: () => ({ innermost: [better] }) }));
    t.after(() => service.stop());
    const client = service.client(EchoService);
    await client.unary({ text: "a" });
    await assertStatus(client.unary({ text: "a" }), Code.AlreadyExists, { resource: "texts by text" });
  });
});
