import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { commandReference } from "./command-reference.ts";

it("docs/reference/cli.md says what the commands say (UPDATE_GOLDEN=1 writes it)", () => {
  const file = join(import.meta.dirname, "../../../docs/reference/cli.md");
  const reference = commandReference();
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(file, reference);
  assert.equal(reference, readFileSync(file, "utf8"));
});
