import assert from "node:assert/strict";
import { test } from "node:test";
import { accessRules, isOldPackageOpen } from "./access-rules.ts";

test("the package user is open on this machine in development, and for admins everywhere else", () => {
  const here = { environment: "development", host: "127.0.0.1" } as const;
  assert.equal(isOldPackageOpen(here), true);
  assert.equal(accessRules(here)["user.UserService/*"], "public");
  for (const settings of [
    { ...here, host: "0.0.0.0" },
    { ...here, host: "::" },
    { ...here, environment: "production" as const },
  ]) {
    assert.equal(isOldPackageOpen(settings), false);
    assert.deepEqual(accessRules(settings)["user.UserService/*"], { roles: ["admin"] });
  }
});
