import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

/** Prints the packages of which a module is loaded, besides the one that is imported. */
const program = `
import { registerHooks } from "node:module";
const loaded = new Set();
registerHooks({
  load(url, context, next) {
    if (url.startsWith("file:") && !url.includes("/packages/service/")) loaded.add(/node_modules\\/((?:@[^/]+\\/)?[^/]+)|packages\\/[^/]+/.exec(url)?.[0]);
    return next(url, context);
  },
});
await import("@tercel/service");
console.log(JSON.stringify([...loaded]));
`;

test("what a service imports to declare itself loads no other package, so that what runs it is loaded with little memory", () => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=source", "--input-type=module", "--eval", program],
    { cwd: import.meta.dirname, encoding: "utf8" },
  );
  assert.equal(stderr, "");
  assert.deepEqual(JSON.parse(stdout), ["node_modules/sql-template-tag"]);
});
