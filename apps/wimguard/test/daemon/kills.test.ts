import { describe, it } from "node:test";
import { createRandom } from "../crash/crash-points.ts";
import { withoutPython } from "../trees/trees.ts";
import { killDaemons } from "./kills.ts";

describe("a daemon that is killed", () => {
  it("loses no completed backup and leaves nothing else, whenever that is", { skip: withoutPython }, async (test) => {
    await killDaemons(test, 3, createRandom(Math.floor(Math.random() * 1_000_000)));
  });
});
