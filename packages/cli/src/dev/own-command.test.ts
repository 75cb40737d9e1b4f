import assert from "node:assert/strict";
import { it } from "node:test";
import { ownCommand } from "./own-command.ts";

it("is npx, and in a checkout of Tercel the sources", () => {
  assert.equal(ownCommand("/home/ada/shop", "/home/ada/shop/node_modules/tercel/dist/main.js"), "npx tercel");
  assert.equal(ownCommand("/home/ada/shop", "/opt/tercel/packages/cli/src/main.ts"), "npx tercel");
  const sources = "npx node --conditions=source packages/cli/src/main.ts";
  assert.equal(ownCommand("/opt/tercel", "/opt/tercel/packages/cli/src/main.ts"), sources);
});
