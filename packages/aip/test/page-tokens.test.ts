import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, type ConnectError } from "@connectrpc/connect";
import { createPageTokens } from "@tercel/aip";
import { InvalidArgumentError, readFieldViolations } from "@tercel/grpc/errors";
import { assertStatus } from "@tercel/grpc/testing";

const key = (id: string, byte = 7): { id: string; secret: Uint8Array } => ({
  id,
  secret: new Uint8Array(32).fill(byte),
});
const query = { filter: "pages > 1", orderBy: "title", parent: "shelves/1" };
const tokens = createPageTokens<{ after: string }>({ keys: [key("k1")] });

describe("page tokens", () => {
  it("restore the cursor for the same query, whatever the order of its properties", () => {
    const token = tokens.create(query, { after: "ö/7" });
    assert.deepEqual(tokens.read({ parent: "shelves/1", orderBy: "title", filter: "pages > 1" }, token), {
      after: "ö/7",
    });
  });

  it("mean the first page when they are empty", () => {
    assert.equal(tokens.read(query, ""), undefined);
  });

  it("hide the cursor, and differ each time", () => {
    const [one, other] = [tokens.create(query, { after: "secret" }), tokens.create(query, { after: "secret" })];
    assert.notEqual(one, other);
    assert.doesNotMatch(Buffer.from(one, "base64url").toString("latin1"), /secret/);
    assert.match(one, /^[\w-]+$/);
  });

  it("are rejected for another query, with the name of the field", async () => {
    const token = tokens.create(query, { after: "7" });
    const reading = Promise.resolve().then(() => tokens.read({ ...query, filter: "" }, token));
    const error = await assertStatus(reading, Code.InvalidArgument);
    assert.equal(readFieldViolations(error)[0]?.field, "page_token");
  });

  it("use another noun in errors", () => {
    for (const [options, field] of [
      [{}, "resume_token"],
      [{ field: "after" }, "after"],
    ] as const) {
      const resume = createPageTokens<number>({ keys: [key("k1")], noun: "resume token", ...options });
      assert.equal(resume.read(query, resume.create(query, 7)), 7);
      assert.throws(
        () => resume.read(query, "another"),
        (error: ConnectError) => {
          const [violation] = readFieldViolations(error);
          assert.deepEqual([violation?.field, violation?.reason], [field, "RESUME_TOKEN_INVALID"]);
          assert.match(error.message, /is not a resume token for this request/);
          return true;
        },
      );
    }
  });

  it("are rejected when a character was changed, removed or added", () => {
    const token = tokens.create(query, { after: "7" });
    const broken = [`${token}A`, `A${token}`, token.slice(0, -1), token.slice(1), `${token}=`, ` ${token}`];
    for (let at = 0; at < token.length; at++) {
      broken.push(`${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`);
    }
    for (const one of broken) {
      assert.throws(
        () => tokens.read(query, one),
        (error) => error instanceof InvalidArgumentError,
        one,
      );
    }
  });

  it("are rejected when they are arbitrary text", () => {
    for (const one of ["x", "🦅", "AAAA", "AQ", "A".repeat(5000), "../../etc", "AQJrMQ"]) {
      assert.throws(
        () => tokens.read(query, one),
        (error) => error instanceof InvalidArgumentError,
        one,
      );
    }
  });

  it("stay valid after a key rotation while the old key is listed", () => {
    const token = tokens.create(query, { after: "7" });
    const changing = createPageTokens({ keys: [key("k2", 9), key("k1")] });
    assert.deepEqual(changing.read(query, token), { after: "7" });
    assert.deepEqual(changing.read(query, changing.create(query, 1)), 1);
    const changed = createPageTokens({ keys: [key("k2", 9)] });
    assert.throws(
      () => changed.read(query, token),
      (error) => error instanceof InvalidArgumentError,
    );
  });

  it("require a key with a secret of 32 bytes and a unique id", () => {
    for (const noun of ["Resume token", "resume_token", "resume  token", " token", "", "x".repeat(41)]) {
      assert.throws(() => createPageTokens({ keys: [key("a")], noun }), /lower-case words/, noun);
    }
    createPageTokens({ keys: [key("a")], noun: "x".repeat(40) });
    assert.throws(() => createPageTokens({ keys: [] }), /at least one key/);
    assert.throws(() => createPageTokens({ keys: [{ id: "k", secret: new Uint8Array(31) }] }), /has 31 bytes/);
    assert.throws(() => createPageTokens({ keys: [key("a"), key("a")] }), /two keys/);
    assert.throws(() => createPageTokens({ keys: [key("a b")] }), /key id "a b"/);
    assert.throws(() => createPageTokens({ keys: [key("x".repeat(17))] }), TypeError);
  });
});
