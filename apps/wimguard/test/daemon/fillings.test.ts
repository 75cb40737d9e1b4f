import { describe, it } from "node:test";
import { createRandom } from "../crash/crash-points.ts";
import { fillDisk, withoutSmallDisks } from "./fillings.ts";

describe("a disk that becomes full", { skip: withoutSmallDisks() }, () => {
  it("costs no completed backup and no record, and can be used again when there is space", async (test) => {
    await fillDisk(test, createRandom(Math.floor(Math.random() * 1_000_000)));
  });
});
