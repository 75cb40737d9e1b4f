import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSubjectAltNames } from "./subject-alt-names.ts";

const rows: readonly (readonly [what: string, text: string | undefined, uris: string[], dnsNames: string[]])[] = [
  ["no extension", undefined, [], []],
  ["an empty one", "", [], []],
  ["a SPIFFE id", "URI:spiffe://example.org/orders", ["spiffe://example.org/orders"], []],
  ["names of both kinds", "DNS:a.example, URI:urn:b, DNS:c.example", ["urn:b"], ["a.example", "c.example"]],
  ["names in capitals", "DNS:A.Example, URI:urn:B", ["urn:B"], ["a.example"]],
  ["kinds that are not looked at", "IP Address:127.0.0.1, email:a@b.example, DNS:c", [], ["c"]],
  ["a directory name", 'DirName:"CN=x, O=y", Registered ID:1.2.3, othername:<unsupported>, DNS:c', [], ["c"]],
  ["a value that plays the next entry", 'URI:"urn:a\\u002cDNS:evil"', ["urn:a,DNS:evil"], []],
  ["an escaped quote", 'URI:"urn:a\\"b"', ['urn:a"b'], []],
];

for (const [what, text, uris, dnsNames] of rows) {
  test(`reads ${what}`, () => assert.deepEqual(parseSubjectAltNames(text), { uris, dnsNames }));
}

const broken: readonly (readonly [what: string, text: string])[] = [
  ["spaces in a name", 'DNS:"good.example, DNS:evil.example"'],
  ["control characters", 'DNS:"a\\u0000b"'],
  ["letters beyond ASCII", 'URI:"urn:\\u00e4"'],
  ["an empty name", "DNS:, URI:urn:a"],
  ["a quote that does not end", 'URI:"urn:a'],
  ["text after a quote", 'URI:"urn:a"b'],
  ["an escape that JSON does not know", 'URI:"urn:\\x41"'],
  ["an entry without a type", "urn, URI:a"],
];

for (const [what, text] of broken) {
  test(`makes nothing of ${what}`, () => assert.equal(parseSubjectAltNames(text), undefined));
}
