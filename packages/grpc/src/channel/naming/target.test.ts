import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress } from "./address-text.ts";
import { type ParseTargetOptions, parseTarget } from "./target.ts";

function read(text: string, options?: ParseTargetOptions) {
  const target = parseTarget(text, options);
  assert.equal(target.text, text);
  return {
    scheme: target.scheme,
    addresses: target.addresses.map(formatAddress).join(" "),
    authority: target.authority,
  };
}

test("a target without a scheme is told as one of dns, so that it has one name", () => {
  for (const [text, uri] of [
    ["orders:50051", "dns:///orders:50051"],
    ["[::1]:1", "dns:///[::1]:1"],
    ["dns:///orders:50051", "dns:///orders:50051"],
    ["unix:/run/orders.sock", "unix:/run/orders.sock"],
    ["ipv4:192.0.2.1:1,192.0.2.2:1", "ipv4:192.0.2.1:1,192.0.2.2:1"],
  ] as const) {
    assert.equal(parseTarget(text).uri, uri);
  }
});

test("reads hosts and ports with and without the dns scheme", () => {
  const rows: [text: string, addresses: string, authority: string][] = [
    ["localhost:50051", "localhost:50051", "localhost:50051"],
    ["Example.com:1", "Example.com:1", "Example.com:1"],
    ["my_service:65535", "my_service:65535", "my_service:65535"],
    ["example.com", "example.com:80", "example.com"],
    ["127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1:8080"],
    ["[::1]:8080", "[::1]:8080", "[::1]:8080"],
    ["[::1]", "[::1]:80", "[::1]"],
    ["::1", "[::1]:80", "[::1]"],
    [":8080", "localhost:8080", "localhost:8080"],
    ["dns:example.com:8080", "example.com:8080", "example.com:8080"],
    ["dns:/example.com:8080", "example.com:8080", "example.com:8080"],
    ["dns:///example.com:8080", "example.com:8080", "example.com:8080"],
    ["DNS:///example.com", "example.com:80", "example.com"],
    ["dns:///%65xample.com", "example.com:80", "example.com"],
    ["dns:///[fe80::1%25eth0]:1", "[fe80::1%eth0]:1", "[fe80::1%25eth0]:1"],
    ["dns://8.8.8.8/example.com:8080", "example.com:8080", "example.com:8080"],
  ];
  for (const [text, addresses, authority] of rows) {
    assert.deepEqual(read(text), { scheme: "dns", addresses, authority }, text);
  }
});

test("keeps the DNS server to ask", () => {
  assert.equal(parseTarget("dns:///a:1").resolverAuthority, "");
  assert.equal(parseTarget("dns://8.8.8.8/a:1").resolverAuthority, "8.8.8.8");
  assert.equal(parseTarget("dns://8.8.8.8:5353/a:1").resolverAuthority, "8.8.8.8:5353");
  assert.equal(parseTarget("dns://[2001:db8::1]:53/a:1").resolverAuthority, "[2001:db8::1]:53");
});

test("takes the port that HTTP gives to the scheme of the calls", () => {
  assert.equal(read("example.com", { tls: true }).addresses, "example.com:443");
  assert.equal(read("example.com", { tls: false }).addresses, "example.com:80");
  assert.equal(read("ipv4:1.2.3.4", { tls: true }).addresses, "1.2.3.4:443");
});

test("reads paths of Unix sockets, relative and absolute", () => {
  const rows: [text: string, addresses: string][] = [
    ["unix:run/a.sock", "unix:run/a.sock"],
    ["unix:/run/a.sock", "unix:/run/a.sock"],
    ["unix:///run/a.sock", "unix:/run/a.sock"],
    ["unix:///run/a%20b%3Fc.sock", "unix:/run/a b?c.sock"],
    ["unix:8080", "unix:8080"],
  ];
  for (const [text, addresses] of rows) {
    assert.deepEqual(read(text), { scheme: "unix", addresses, authority: "localhost" }, text);
  }
});

test("reads lists of addresses, whose first is the authority", () => {
  const rows: [text: string, scheme: string, addresses: string, authority: string][] = [
    ["ipv4:1.2.3.4:50051,5.6.7.8:50052", "ipv4", "1.2.3.4:50051 5.6.7.8:50052", "1.2.3.4:50051"],
    ["ipv6:[::1]:50051,[::2]:50052", "ipv6", "[::1]:50051 [::2]:50052", "[::1]:50051"],
    ["ipv6:::1", "ipv6", "[::1]:80", "[::1]:80"],
    ["static:///a:1,b:2", "static", "a:1 b:2", "a:1"],
    ["static:a:1,127.0.0.1:2,[::1]:3", "static", "a:1 127.0.0.1:2 [::1]:3", "a:1"],
  ];
  for (const [text, scheme, addresses, authority] of rows) {
    assert.deepEqual(read(text), { scheme, addresses, authority }, text);
  }
});

test("hands names of further schemes to their resolvers", () => {
  const target = parseTarget("discovery://zone/user%20service/1", { schemes: ["discovery"] });
  assert.equal(target.scheme, "discovery");
  assert.equal(target.resolverAuthority, "zone");
  assert.equal(target.endpoint, "user service/1");
  assert.deepEqual(target.addresses, []);
  assert.equal(target.authority, "user%20service%2F1");
});

test("hands a query to the resolver of a further scheme, and to no built-in one", () => {
  const target = parseTarget("discovery:///orders%3F?version=v2&zone=a%20b", { schemes: ["discovery"] });
  assert.equal(target.endpoint, "orders?");
  assert.equal(target.query, "version=v2&zone=a%20b");
  assert.equal(target.authority, "orders%3F");
  assert.equal(parseTarget("discovery:///orders", { schemes: ["discovery"] }).query, undefined);
  assert.throws(() => parseTarget("discovery:///?version=v2", { schemes: ["discovery"] }), /nothing follows/);
  assert.throws(() => parseTarget("discovery:///orders#1", { schemes: ["discovery"] }), /cannot have a fragment/);
});

test("names the known schemes when it refuses an unknown one", () => {
  for (const text of ["http://localhost:8080", "consul:user", "xds:///a", "discovery:///a"]) {
    assert.throws(() => parseTarget(text), {
      name: "TypeError",
      message: /unknown scheme "[a-z]+"; known are dns, ipv4, ipv6, static, unix\. .*localhost:8080/,
    });
  }
});

test("suggests the target that was probably meant", () => {
  assert.throws(() => parseTarget("dns://example.com:8080"), /did you mean "dns:\/\/\/example\.com:8080"/);
  assert.throws(() => parseTarget("dns://example.com/a"), /"example\.com" has to be an IP address/);
  assert.throws(() => parseTarget("::1:8080:"), /\[::1\]:8080/);
  assert.throws(() => parseTarget("bücher.example:80"), /ASCII form/);
});

test("refuses invalid targets", () => {
  const malformed = [
    ["", /host is missing/],
    ["localhost:", /is not a port/],
    ["localhost:0", /is not a port/],
    ["localhost:65536", /is not a port/],
    ["localhost:8080/path", /is not a port/],
    ["localhost:80a", /is not a port/],
    ["[::1]8080", /is not a port/],
    ["[localhost]:80", /do not contain an IPv6 address/],
    ["[::1", /do not contain an IPv6 address/],
    ["a b:80", /is not a host/],
    ["user@host:80", /is not a host/],
    [`${"a".repeat(255)}:80`, /longer than/],
    ["dns:", /nothing follows/],
    ["dns:///", /nothing follows/],
    ["dns:///a?b", /cannot have a query/],
    ["unix:///a#b", /cannot have a query/],
    ["unix://run/a.sock", /does not take an authority/],
    ["unix:///a%00b", /must not contain NUL/],
    ["unix:///a%zz", /not followed by the code/],
    ["ipv4:localhost:80", /is not an IPv4 address/],
    ["ipv4:1.2.3.4:80,", /host is missing/],
    ["ipv6:1.2.3.4:80", /is not an IPv6 address/],
    ["static:///a:1,,b:2", /host is missing/],
  ] as const;
  for (const [text, message] of malformed) {
    assert.throws(() => parseTarget(text), { name: "TypeError", message }, text);
  }
});

test("reads a host as long as a name may be", () => {
  assert.equal(read(`${"a".repeat(254)}:80`).authority.length, 257);
});
