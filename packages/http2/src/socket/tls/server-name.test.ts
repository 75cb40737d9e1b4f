import assert from "node:assert/strict";
import { test } from "node:test";
import type { PeerCertificate } from "node:tls";
import { withServerName } from "./server-name.ts";

function certificate(subjectaltname: string | undefined, commonName = "cn.example"): PeerCertificate {
  return { subject: { CN: commonName }, subjectaltname } as unknown as PeerCertificate;
}

/** What is sent as SNI, and what the check says of a certificate. */
function applied(
  tls: Parameters<typeof withServerName>[0],
  serverName: string,
  shown = certificate("DNS:orders.internal"),
) {
  const { servername, checkServerIdentity } = withServerName(tls, serverName);
  return [servername, checkServerIdentity?.("127.0.0.1", shown)?.message];
}

test("sends and verifies the name, whatever address the connection is made to", () => {
  assert.deepEqual(applied({}, "orders.internal"), ["orders.internal", undefined]);
  assert.deepEqual(applied({}, "orders.internal."), ["orders.internal", undefined]);
  assert.deepEqual(applied({ servername: "orders.internal" }, "localhost"), ["orders.internal", undefined]);
  assert.deepEqual(applied({ servername: "" }, "orders.internal"), ["", undefined]);
});

test("verifies an IP address and does not send it", () => {
  const addresses = certificate("IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1");
  assert.deepEqual(applied({}, "192.0.2.1", addresses), ["", undefined]);
  assert.deepEqual(applied({}, "2001:db8::1", addresses), ["", undefined]);
  assert.match(
    String(applied({ servername: "192.0.2.2" }, "192.0.2.1", addresses)),
    /not for 192\.0\.2\.2, but for IP/,
  );
});

test("names what was expected and what the certificate is for", () => {
  for (const [shown, names] of [
    [certificate("DNS:a.example, DNS:b.example"), "DNS:a.example, DNS:b.example"],
    [certificate(undefined), "CN:cn.example"],
    [{ subject: {} } as PeerCertificate, "no name"],
    [certificate(`DNS:${"a".repeat(300)}`), `DNS:${"a".repeat(252)}…`],
  ] as const) {
    const expected = `the server's certificate is not for orders.internal, but for ${names}`;
    assert.deepEqual(applied({}, "orders.internal", shown), ["orders.internal", expected]);
  }
});

test("hands the name to a check of the application's own", () => {
  const given: string[] = [];
  const checkServerIdentity = (name: string): undefined => void given.push(name);
  applied({ checkServerIdentity }, "orders.internal");
  assert.deepEqual(given, ["orders.internal"]);
});
