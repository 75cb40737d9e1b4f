import assert from "node:assert/strict";
import { test } from "node:test";
import { createInstance, isSameInstance, type Registration } from "./instance.ts";

const minimal: Registration = { name: "orders", address: "127.0.0.1", port: 1 };
const text = (length: number): string => "x".repeat(length);

test("an instance is serving and has a random id by default", () => {
  const one = createInstance(minimal);
  const two = createInstance(minimal);
  assert.notEqual(one.id, two.id);
  assert.deepEqual(
    { ...one, id: "" },
    {
      id: "",
      name: "orders",
      version: "",
      address: "127.0.0.1",
      port: 1,
      metadata: new Map(),
      endpoints: [],
      dependencies: [],
      health: "serving",
    },
  );
});

const accepted: [promise: string, fields: Partial<Registration>][] = [
  ["a name of one character", { name: "a" }],
  ["a name of 128 characters", { name: text(128) }],
  ["a name with dots, hyphens and underscores inside", { name: "a.b-c_d" }],
  ["port 65535", { port: 65_535 }],
  ["an IPv6 address", { address: "2001:db8::1" }],
  ["a host name", { address: "orders-1.internal" }],
  ["64 entries of metadata", { metadata: Object.fromEntries(Array.from({ length: 64 }, (_, at) => [`k${at}`, ""])) }],
  ["a metadata value of 512 characters", { metadata: { a: text(512) } }],
  ["metadata as a Map", { metadata: new Map([["__proto__", "x"]]) }],
  ["256 endpoints", { endpoints: Array.from({ length: 256 }, (_, at) => `s${at}`) }],
];
for (const [promise, fields] of accepted) {
  test(`${promise} is accepted`, () => assert.ok(createInstance({ ...minimal, ...fields })));
}

const refused: [promise: string, fields: Record<string, unknown>, message: RegExp][] = [
  ["an empty name", { name: "" }, /the service's name is ""/],
  ["a name of 129 characters", { name: text(129) }, /the service's name/],
  ["a name with a slash", { name: "a/b" }, /the service's name is "a\/b"/],
  ["a name that ends with a dot", { name: "a." }, /first and last/],
  ["port 0", { port: 0 }, /port is 0/],
  ["port 65536", { port: 65_536 }, /port is 65536/],
  ["the address of every interface", { address: "0.0.0.0" }, /not an address that others can connect to/],
  ["the IPv6 address of every interface", { address: "::" }, /not an address that others can connect to/],
  ["an address with a space", { address: "a b" }, /address is "a b"/],
  ["an address with a port", { address: "a:1" }, /the port belongs in port/],
  ["an identifier with a space", { id: "a b" }, /id is "a b"/],
  [
    "65 entries of metadata",
    { metadata: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`k${at}`, ""])) },
    /65/,
  ],
  ["a metadata key with a dot", { metadata: { "a.b": "" } }, /a metadata key is "a.b"/],
  ["a metadata value of 513 characters", { metadata: { a: text(513) } }, /metadata a is/],
  ["a metadata value that is not a text", { metadata: { a: 1 } }, /metadata a is 1/],
  ["257 endpoints", { endpoints: Array.from({ length: 257 }, () => "s") }, /number of endpoints is 257/],
  ["an endpoint with a comma", { endpoints: ["a,b"] }, /an entry of endpoints is "a,b"/],
  ["an unknown health", { health: "fine" }, /health is "fine"/],
  ["an unknown field", { adress: "a" }, /did you mean "address"/],
];
for (const [promise, fields, message] of refused) {
  test(`${promise} is rejected by name`, () => {
    assert.throws(() => createInstance({ ...minimal, ...fields } as Registration), message);
  });
}

test("two instances are the same only if every field is equal", () => {
  const one = createInstance({ ...minimal, id: "a", metadata: { a: "1" }, endpoints: ["s"], dependencies: ["d"] });
  assert.ok(isSameInstance(one, { ...one, metadata: new Map(one.metadata), endpoints: ["s"] }));
  const others: Partial<typeof one>[] = [
    { id: "b" },
    { name: "b" },
    { version: "b" },
    { address: "b" },
    { port: 2 },
    { health: "unknown" },
    { metadata: new Map([["a", "2"]]) },
    { metadata: new Map([["b", "1"]]) },
    { metadata: new Map() },
    { endpoints: ["t"] },
    { endpoints: [] },
    { dependencies: ["e"] },
  ];
  for (const other of others) assert.ok(!isSameInstance(one, { ...one, ...other }), JSON.stringify(other));
});
