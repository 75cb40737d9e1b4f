import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseKeyFile } from "./key-file.ts";
import { KeyRing, type ServiceKeyEntry } from "./key-ring.ts";

const first = "a".repeat(32);
const second = "b".repeat(32);

describe("a ring of keys", () => {
  it("finds the name of a key, and several keys of one name", () => {
    const ring = new KeyRing("here", [
      { name: "orders", key: first },
      { name: "orders", key: second },
      { name: "payments", key: "c".repeat(512) },
    ]);
    assert.equal(ring.find(first), "orders");
    assert.equal(ring.find(second), "orders");
    assert.equal(ring.find("c".repeat(512)), "payments");
  });

  const strangers = ["", " ", first.slice(1), `${first}a`, first.toUpperCase(), "c".repeat(513), "x".repeat(100_000)];
  for (const key of strangers) {
    it(`finds nothing for ${key.length} bytes of ${JSON.stringify(key.slice(0, 4))}`, () => {
      assert.equal(new KeyRing("here", [{ name: "orders", key: first }]).find(key), undefined);
    });
  }

  const mistakes: readonly (readonly [what: string, entries: unknown, message: RegExp])[] = [
    ["no keys", [], /expected at least one key/],
    ["what is not a list", { name: "orders", key: first }, /expected at least one key/],
    ["a key of 31 bytes", [{ name: "orders", key: first.slice(1) }], /key of orders must be 32 to 512/],
    ["a key of 513 bytes", [{ name: "orders", key: "c".repeat(513) }], /32 to 512/],
    ["a key with a space", [{ name: "orders", key: `${first} a` }], /without spaces/],
    ["a key beyond ASCII", [{ name: "orders", key: `${first}ä` }], /printable/],
    ["a key that is missing", [{ name: "orders" }], /openssl rand -hex 32/],
    ["a name that looks like a certificate's", [{ name: "dns:orders", key: first }], /"dns:orders" cannot name a key/],
    ["an empty name", [{ name: "", key: first }], /cannot name a key/],
    ["a name of 65 letters", [{ name: "n".repeat(65), key: first }], /1 to 64/],
    ["an entry that is none", [undefined], /cannot name a key/],
    [
      "one key of two programs",
      [
        { name: "orders", key: first },
        { name: "payments", key: first },
      ],
      /orders and payments have the same key/,
    ],
    ["1001 keys", Array.from({ length: 1001 }, (_, at) => ({ name: "n", key: `${first}${at}` })), /at most 1000/],
  ];
  for (const [what, entries, message] of mistakes) {
    it(`rejects ${what}, without showing a key`, () => {
      assert.throws(
        () => new KeyRing("here", entries as ServiceKeyEntry[]),
        (error: Error) => {
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /a{20}|c{20}/);
          return true;
        },
      );
    });
  }
});

describe("a file of keys", () => {
  it("has a name and a key in each line, and may have empty lines and comments", () => {
    const text = `# rotated in May\n\norders ${first}\r\n  orders\t${second}  \n`;
    assert.deepEqual(parseKeyFile("here", text), [
      { name: "orders", key: first },
      { name: "orders", key: second },
    ]);
  });

  for (const line of [first, `orders ${first} more`]) {
    it(`is rejected with a line of ${line.split(" ").length} words, which is not shown`, () => {
      assert.throws(() => parseKeyFile("here", `# one\n${line}`), {
        message: "here: line 2 must be a name, a space and a key",
      });
    });
  }
});
