import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { AccountSchema, EchoRequestSchema } from "../../test/gen/tercel/interceptors/test/v1/echo_pb.ts";
import { defaultReadableLimits, readableMessage } from "./readable-message.ts";

/** A message in which every string must be masked, unless it starts with "seen". */
const account: MessageInitShape<typeof AccountSchema> = {
  name: "seen",
  password: "hidden",
  diary: "hidden",
  accessToken: ["hidden", "hidden"],
  settings: { color: "seen", api_key: "hidden", "X-Auth-Token": "hidden" },
  contact: { case: "apiKey", value: "hidden" },
  clientSecret: { name: "hidden" },
  visits: 3n,
};

describe("a readable message", () => {
  it("masks secrets that are marked in the proto or have secret names, in lists, maps and oneofs, at any depth", () => {
    const labelled = {
      seen: create(AccountSchema, account),
      password: create(AccountSchema, { name: "hidden" }),
    };
    const request = create(EchoRequestSchema, {
      text: "seen",
      payload: new Uint8Array(7),
      account: create(AccountSchema, {
        ...account,
        friends: [create(AccountSchema, account), create(AccountSchema, { byLabel: labelled })],
      }),
    });
    const shown = readableMessage(EchoRequestSchema, request);
    const text = JSON.stringify(shown);
    assert.ok(!text.includes("hidden"), text);
    assert.equal(text.match(/seen/g)?.length, 8);
    assert.deepEqual(JSON.parse(JSON.stringify((shown as { account: unknown }).account)).settings, {
      color: "seen",
      api_key: "[redacted]",
      "X-Auth-Token": "[redacted]",
    });
  });

  it("masks the names that the service adds", () => {
    const shown = readableMessage(AccountSchema, create(AccountSchema, { name: "x" }), (name) => name === "name");
    assert.deepEqual({ ...(shown as object) }, { name: "[redacted]" });
  });

  it("shows only the length of bytes and of the content of an Any", () => {
    const anything = create(AnySchema, {
      typeUrl: "type.googleapis.com/tercel.interceptors.test.v1.Account",
      value: toBinary(AccountSchema, create(AccountSchema, account)),
    });
    const shown = readableMessage(AccountSchema, create(AccountSchema, { anything })) as { anything: string };
    assert.match(shown.anything, /^type\.googleapis\.com\/tercel\.interceptors\.test\.v1\.Account, \d+ bytes$/);
    const request = readableMessage(EchoRequestSchema, create(EchoRequestSchema, { payload: new Uint8Array(7) }));
    assert.deepEqual({ ...(request as object) }, { payload: "7 bytes" });
  });

  it("shows 16 items of a list and counts the rest", () => {
    const shownOf = (count: number): unknown[] => {
      const friends = Array.from({ length: count }, () => ({ name: "f" }));
      return (readableMessage(AccountSchema, create(AccountSchema, { friends })) as { friends: unknown[] }).friends;
    };
    assert.equal(shownOf(16).length, 16);
    assert.equal(shownOf(17).length, 17);
    assert.equal(shownOf(17).at(-1), "… 1 more");
  });

  it("stops eight messages deep, and at 256 parts", () => {
    let deep = create(AccountSchema, { name: "deepest" });
    for (let at = 0; at < 8; at++) deep = create(AccountSchema, { friends: [deep] });
    assert.ok(!JSON.stringify(readableMessage(AccountSchema, deep)).includes("deepest"));
    const wide = create(AccountSchema, {
      friends: Array.from({ length: 16 }, () => ({ friends: Array.from({ length: 16 }, () => ({ name: "leaf" })) })),
    });
    const leaves = JSON.stringify(readableMessage(AccountSchema, wide)).match(/leaf/g)?.length ?? 0;
    assert.ok(leaves > 50 && leaves <= defaultReadableLimits.maxParts, String(leaves));
  });

  it("treats every map key as a plain key", () => {
    const settings = JSON.parse('{"__proto__":"polluted","a\\nb":"c\\u001b[0m"}') as Record<string, string>;
    const shown = readableMessage(AccountSchema, create(AccountSchema, { settings })) as { settings: object };
    assert.equal(Object.getPrototypeOf(shown.settings), null);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    assert.ok(JSON.stringify(shown).includes("a\\\\u{a}b"));
  });
});
