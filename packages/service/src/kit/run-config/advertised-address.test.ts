import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { advertisedAddress } from "./advertised-address.ts";

const address = (family: "IPv4" | "IPv6", text: string, internal: boolean) =>
  ({ family, address: text, internal, netmask: "", mac: "", cidr: null }) as never;
const interfaces = {
  lo: [address("IPv4", "127.0.0.1", true)],
  eth0: [address("IPv6", "fe80::1", false), address("IPv4", "10.0.0.7", false)],
};
const listen = (host: string) => ({ host, port: 50051 });

test("a service that listens on one address is found there", () => {
  assert.deepEqual(advertisedAddress(listen("192.0.2.1"), { metadata: {} }, interfaces), listen("192.0.2.1"));
});

test("a service on every interface is found at the machine's first address that others can reach", () => {
  for (const host of ["0.0.0.0", "::"]) {
    assert.deepEqual(advertisedAddress(listen(host), { metadata: {} }, interfaces), listen("10.0.0.7"));
  }
});

test("a machine without such an address is known by its name", () => {
  assert.deepEqual(advertisedAddress(listen("0.0.0.0"), { metadata: {} }, { lo: interfaces.lo }), listen(hostname()));
});

test("what is configured goes before", () => {
  const advertise = { host: "users.example", port: 443, metadata: {} };
  assert.deepEqual(advertisedAddress(listen("0.0.0.0"), advertise, interfaces), { host: "users.example", port: 443 });
});
