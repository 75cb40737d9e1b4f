import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CertificateNames, namesOfCertificate } from "./certificate-names.ts";

function namesOf(uris: string[], dnsNames: string[] = [], isAuthority = false): CertificateNames {
  return namesOfCertificate({ uris, dnsNames, isAuthority, expiresAtMs: 0, fingerprint: "" });
}

describe("the names of a certificate", () => {
  const longest = `spiffe://example.org/${"a".repeat(2048 - "spiffe://example.org/".length)}`;
  const good: readonly (readonly [what: string, uris: string[], dnsNames: string[], names: string[]])[] = [
    ["a SPIFFE id", ["spiffe://example.org/shop/orders"], [], ["spiffe://example.org/shop/orders"]],
    ["a trust domain alone", ["spiffe://example.org"], [], ["spiffe://example.org"]],
    ["a SPIFFE id of 2048 bytes", [longest], [], [longest]],
    ["a trust domain of 255 bytes", [`spiffe://${"a".repeat(255)}/x`], [], [`spiffe://${"a".repeat(255)}/x`]],
    ["other URIs as they are", ["urn:uuid:1", "https://A.example/"], [], ["urn:uuid:1", "https://A.example/"]],
    ["DNS names behind URIs", ["urn:a"], ["a.example"], ["urn:a", "dns:a.example"]],
    ["DNS names, but not those with a star", [], ["*.example", "a.example"], ["dns:a.example"]],
  ];
  for (const [what, uris, dnsNames, names] of good) {
    it(`has ${what}`, () => assert.deepEqual(namesOf(uris, dnsNames), { names }));
  }

  const bad: readonly (readonly [what: string, uris: string[], dnsNames?: string[], isAuthority?: boolean])[] = [
    ["of a certificate without any", []],
    ["that are stars", [], ["*.example"]],
    ["of two SPIFFE ids", ["spiffe://a.example/x", "spiffe://b.example/y"]],
    ["of a SPIFFE id next to another URI", ["urn:a", "spiffe://a.example/x"], ["a.example"]],
    ["of an authority's SPIFFE id", ["spiffe://a.example/x"], [], true],
    ["with capitals in the scheme", ["SPIFFE://a.example/x"]],
    ["with capitals in the trust domain", ["spiffe://A.example/x"]],
    ["without a trust domain", ["spiffe:///x"]],
    ["with a port", ["spiffe://a.example:1/x"]],
    ["with a user", ["spiffe://u@a.example/x"]],
    ["with a query", ["spiffe://a.example/x?y"]],
    ["with a fragment", ["spiffe://a.example/x#y"]],
    ["with an escape", ["spiffe://a.example/%78"]],
    ["with an empty segment", ["spiffe://a.example/x//y"]],
    ["with a slash at the end", ["spiffe://a.example/x/"]],
    ["with dots to go up", ["spiffe://a.example/x/../y"]],
    ["with a dot to stay", ["spiffe://a.example/./y"]],
    ["with a star", ["spiffe://a.example/*"]],
    ["of 2049 bytes", [`${longest}a`]],
    ["of a trust domain of 256 bytes", [`spiffe://${"a".repeat(256)}/x`]],
    ["without slashes", ["spiffe:a.example/x"]],
  ];
  for (const [what, uris, dnsNames, isAuthority] of bad) {
    it(`are not those ${what}`, () => assert.ok("problem" in namesOf(uris, dnsNames, isAuthority)));
  }
});
