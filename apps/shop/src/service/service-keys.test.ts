import assert from "node:assert/strict";
import { test } from "node:test";
import { readSettings } from "../config/read-settings.ts";
import { keysOfCallers, maySendInCleartext, ownServiceKey } from "./service-keys.ts";
import type { ServiceSecret } from "./service-secret.ts";

function settingsOf(...args: string[]) {
  const request = readSettings(args, {}, "/srv");
  if (request.kind !== "run") return assert.fail(JSON.stringify(request));
  return request.settings;
}

const secretOf = (byte: number): ServiceSecret => ({ key: () => new Uint8Array(32).fill(byte) });

test("in development the key that user-service sends is the one that order-service knows it by", () => {
  const settings = settingsOf();
  const key = ownServiceKey(settings, () => secretOf(1));
  assert.deepEqual(
    keysOfCallers(settings, () => secretOf(1)),
    [{ name: "user-service", key }],
  );
  assert.notDeepEqual(
    keysOfCallers(settings, () => secretOf(2)),
    [{ name: "user-service", key }],
  );
});

test("a key goes in cleartext to where a registry of this machine leads, and otherwise only if told so", () => {
  const cases: [string[], boolean][] = [
    [[], false],
    [["--registry=127.0.0.1:7000"], true],
    [["--registry=[::1]:7000"], true],
    [["--registry=localhost:7000"], true],
    [["--registry=192.0.2.1:7000"], false],
    [["--registry=127.0.0.1:7000", "--order-address=192.0.2.1:1"], false],
    [["--registry=192.0.2.1:7000", "--cleartext-keys=yes"], true],
    [["--order-address=192.0.2.1:1", "--cleartext-keys=yes"], true],
  ];
  for (const [args, expected] of cases) assert.equal(maySendInCleartext(settingsOf(...args)), expected, args.join(" "));
});
