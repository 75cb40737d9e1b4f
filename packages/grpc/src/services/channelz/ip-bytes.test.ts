import assert from "node:assert/strict";
import { test } from "node:test";
import { ipBytes } from "./ip-bytes.ts";

const zeros = (count: number): number[] => new Array<number>(count).fill(0);

for (const [text, bytes] of [
  ["127.0.0.1", [127, 0, 0, 1]],
  ["::ffff:10.0.0.255", [10, 0, 0, 255]],
  ["::1", [...zeros(15), 1]],
  ["::", zeros(16)],
  ["2001:db8::8:800:200c:417a", [0x20, 0x01, 0x0d, 0xb8, ...zeros(4), 0, 8, 8, 0, 0x20, 0x0c, 0x41, 0x7a]],
  ["1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
  ["64:ff9b::192.0.2.33", [0, 0x64, 0xff, 0x9b, ...zeros(8), 192, 0, 2, 33]],
  ["fe80::1%eth0", [0xfe, 0x80, ...zeros(13), 1]],
] as const) {
  test(`${text} is ${bytes.length} bytes in network order`, () => assert.deepEqual([...(ipBytes(text) ?? [])], bytes));
}

test("a name and a half address are none", () => {
  for (const text of ["localhost", "1.2.3", "1:2:3", ""]) assert.equal(ipBytes(text), undefined);
});
