import assert from "node:assert/strict";
import { test } from "node:test";
import { readTokenRequest } from "./token-request.ts";

function read(args: string[]) {
  return readTokenRequest(args, {}, "/srv");
}

function problemOf(args: string[]): string {
  const request = read(args);
  assert.equal(request.kind, "refused", JSON.stringify(request));
  return request.problem;
}

test("without flags it is a user's token for an hour, with the secret of the shop in this folder", () => {
  const request = read([]);
  assert.equal(request.kind, "token");
  const { subject, role, lifeMinutes, settings } = request;
  assert.deepEqual({ subject, role, lifeMinutes }, { subject: "developer", role: "user", lifeMinutes: 60 });
  assert.equal(settings.secretFile, "/srv/data/shop/secret.key");
});

test("its own flags stand among the settings of the shop", () => {
  const request = read(["--data-dir=a", "--subject", "id-1", "--secret-file=b", "--role=admin", "--minutes=10080"]);
  assert.equal(request.kind, "token");
  assert.deepEqual([request.subject, request.role, request.lifeMinutes], ["id-1", "admin", 10_080]);
  assert.equal(request.settings.secretFile, "/srv/b");
});

for (const { promise, args, says } of [
  {
    promise: "a role that is none is refused",
    args: ["--role=root"],
    says: /--role must be one of user, moderator, admin/,
  },
  {
    promise: "a life of no minutes is refused",
    args: ["--minutes=0"],
    says: /--minutes must be a whole number from 1 to 10080/,
  },
  { promise: "a life of more than a week is refused", args: ["--minutes=10081"], says: /not "10081"/ },
  { promise: "a forgotten value is refused", args: ["--subject", "--role=user"], says: /--subject needs a value/ },
  {
    promise: "an unknown flag is refused naming the nearest",
    args: ["--secret-fil=a"],
    says: /did you mean --secret-file/,
  },
  {
    promise: "where an issuer makes tokens, none is made here",
    args: ["--jwks-url=https://login.example/keys", "--token-issuer=login.example"],
    says: /come from the issuer/,
  },
]) {
  test(promise, () => assert.match(problemOf(args), says));
}

test("help shows its flags and those of the shop", () => {
  const request = read(["--help"]);
  assert.equal(request.kind, "help");
  for (const flag of ["--subject", "--role", "--minutes", "--secret-file"])
    assert.ok(request.text.includes(flag), flag);
});
