import assert from "node:assert/strict";
import { it } from "node:test";
import { checks } from "../../../tools/verify/checks.ts";
import { peerNames } from "./run.ts";

it("a check of npm run verify runs each peer", () => {
  const asked = checks.flatMap(({ command }) => command.filter((word) => word.startsWith("interop:")));
  assert.deepEqual(asked.map((word) => word.slice("interop:".length)).toSorted(), peerNames.toSorted());
});
