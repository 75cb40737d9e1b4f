import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import { isIpv4, isIpv6 } from "./ip-address.ts";

// Node's own reader is the judge; sources of this package may not import it.
const samples = [
  "0.0.0.0 255.255.255.255 127.0.0.1 256.1.1.1 1.2.3 1.2.3.4.5 01.2.3.4 1.2.3. .1.2.3 1..2.3 a.b.c.d 1.2.3.4a -1.2.3.4",
  ":: ::1 1:: fe80::1 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 1:2:3:4:5:6:7:: ::2:3:4:5:6:7:8 1:2:3:4::5:6:7:8",
  "1::2::3 ::: :1 1: 12345:: g:: ::ffff:1.2.3.4 1:2:3:4:5:6:1.2.3.4 1:2:3:4:5:6:7:1.2.3.4 ::1.2.3 1.2.3.4:: ::256.1.1.1",
  "fe80::1%eth0 fe80::1% %eth0 FE80::ABCD [::1] localhost 2001:0db8:0000:0000:0000:0000:0000:0001 ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
].flatMap((line) => line.split(" "));

test("tells IPv4 and IPv6 addresses from everything else", () => {
  for (const text of [...samples, "", " 1.2.3.4", "1.2.3.4\n", "::1\n", "1".repeat(1000)]) {
    const version = isIP(text);
    assert.equal(isIpv4(text), version === 4, JSON.stringify(text));
    assert.equal(isIpv6(text), version === 6, JSON.stringify(text));
  }
});
