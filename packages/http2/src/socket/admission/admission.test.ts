import assert from "node:assert/strict";
import { test } from "node:test";
import { Admission, networkOf } from "./admission.ts";

function enter(admission: Admission, address: string | undefined): string | undefined {
  const limit = admission.limitFor(address);
  if (limit === undefined) admission.enter(address);
  return limit;
}

test("lets in as many of one address as it may have, and one again when one has left", () => {
  const admission = new Admission(100, 2);
  assert.deepEqual(
    [1, 2, 3].map(() => enter(admission, "192.0.2.1")),
    [undefined, undefined, "connections_per_address"],
  );
  assert.equal(enter(admission, "192.0.2.2"), undefined);
  admission.leave("192.0.2.1");
  assert.equal(enter(admission, "192.0.2.1"), undefined);
  assert.equal(enter(admission, "192.0.2.1"), "connections_per_address");
});

test("lets in as many as it may have of all, whatever their address", () => {
  const admission = new Admission(3, 2);
  for (const address of ["192.0.2.1", undefined, "::1"]) assert.equal(enter(admission, address), undefined);
  assert.equal(enter(admission, undefined), "connections");
  assert.equal(enter(admission, "192.0.2.9"), "connections");
  admission.leave(undefined);
  assert.equal(enter(admission, "192.0.2.9"), undefined);
});

test("does not count this machine and Unix sockets by address", () => {
  const admission = new Admission(1000, 1);
  for (const address of [undefined, "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
    for (let i = 0; i < 100; i++) assert.equal(enter(admission, address), undefined);
  }
});

test("takes an IPv4 address for the same in both of its forms, and 64 bits of IPv6 for one peer", () => {
  for (const [address, network] of [
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8:1:2::6", "2001:db8:1:2"],
    ["2001:db8:1:2:3::", "2001:db8:1:2"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["2001:db8:0:1::1", "2001:db8:0:1"],
    ["::2", "0:0:0:0"],
    ["::", "0:0:0:0"],
    ["fe80::1%eth0", "fe80:0:0:0"],
  ] as const) {
    assert.equal(networkOf(address), network, address);
  }
});
