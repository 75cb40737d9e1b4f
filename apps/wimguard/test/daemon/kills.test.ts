import { describe, it } from "node:test";
import { createRandom } from "../crash/crash-points.ts";
import { withoutPython } from "../trees/trees.ts";
import { killDaemons } from "./kills.ts";

describe("a daemon that is killed", () => {
  it("loses no completed backup and leaves nothing else, whenever that is", { skip: withoutPython }, async (test) => {
    const seed = Math.floor(Math.random() * 1_000_000);
    await killDaemons(test, { kills: 3, random: createRandom(seed) }).catch((error) => {
      throw new Error(`seed ${seed}`, { cause: error });
    });
  });
});
