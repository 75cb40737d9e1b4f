// Long: it fills four disks with backups until not a byte is left.
import { describe, it } from "node:test";
import { createRandom } from "../crash/crash-points.ts";
import { fillDisk, withoutSmallDisks } from "./fillings.ts";

/** In the first, the record of a run is what the disk has no room for; in the others, that of a deletion. */
const seeds = [20_261_208, 540_803, 117_436_562, Math.floor(Math.random() * 1_000_000)];

describe("a disk that becomes full", { skip: withoutSmallDisks() }, () => {
  for (const seed of seeds) {
    it(`costs no completed backup and no record, and can be used again when there is space, seed ${seed}`, async (test) => {
      await fillDisk(test, createRandom(seed));
    });
  }
});
