import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hasConflictBlock } from "./conflict-block.ts";
import { mergeTexts, mergeWithoutBase } from "./merge-texts.ts";

const labels = { mine: "yours", theirs: "tercel 0.2.0" };
const base = "a\nb\nc\nd\ne\n";

describe("merging texts", () => {
  it("keeps changes of both sides at different places", () => {
    const merged = mergeTexts({ base, mine: "A\nb\nc\nd\ne\n", theirs: "a\nb\nc\nd\ne\nf\n" }, labels);
    assert.deepEqual(merged, { text: "A\nb\nc\nd\ne\nf\n", hasConflict: false });
  });

  it("takes the one side that changed, and a change that both made once", () => {
    const changed = "a\nB\nc\nd\ne\n";
    for (const versions of [
      { base, mine: base, theirs: changed },
      { base, mine: changed, theirs: base },
      { base, mine: changed, theirs: changed },
    ]) {
      assert.deepEqual(mergeTexts(versions, labels), { text: changed, hasConflict: false });
    }
  });

  it("shows both sides and what they began with where both changed the same line", () => {
    const merged = mergeTexts({ base, mine: "a\nb\nmine\nd\ne\n", theirs: "a\nb\ntheirs\nd\ne\n" }, labels);
    assert.deepEqual(merged, {
      text: "a\nb\n<<<<<<< yours\nmine\n||||||| before\nc\n=======\ntheirs\n>>>>>>> tercel 0.2.0\nd\ne\n",
      hasConflict: true,
    });
    assert.ok(hasConflictBlock(merged.text));
    assert.equal(hasConflictBlock(base), false);
    assert.equal(hasConflictBlock("# Title\n=======\n"), false);
  });

  it("shows every difference where it is not known what they began with", () => {
    assert.deepEqual(mergeWithoutBase("a\nmine\nc\n", "a\nc\ntheirs\n", labels), {
      text: "a\n<<<<<<< yours\nmine\n=======\n>>>>>>> tercel 0.2.0\nc\n<<<<<<< yours\n=======\ntheirs\n>>>>>>> tercel 0.2.0\n",
      hasConflict: true,
    });
    assert.deepEqual(mergeWithoutBase("a\n", "a\n", labels), { text: "a\n", hasConflict: false });
  });

  it("loses no line that one side has added, whatever both sides do", () => {
    const random = createRandom(7);
    for (let round = 0; round < 400; round++) {
      const start = Array.from({ length: random(12) }, (_, at) => `line ${at}`);
      const [mine, theirs] = [edited(start, "mine", random), edited(start, "theirs", random)];
      const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");
      const merged = mergeTexts({ base: text(start), mine: text(mine), theirs: text(theirs) }, labels);
      const lines = merged.text.split("\n");
      for (const line of [...mine, ...theirs]) {
        if (!start.includes(line)) assert.ok(lines.includes(line), `round ${round} lost ${line}`);
      }
      // A line that no one removed is there as well.
      for (const line of start) {
        if (mine.includes(line) && theirs.includes(line))
          assert.ok(lines.includes(line), `round ${round} lost ${line}`);
      }
      assert.equal(merged.hasConflict, lines.includes("======="), `round ${round}`);
    }
  });
});

/** Numbers that are the same in every run (mulberry32). */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function edited(lines: readonly string[], who: string, random: (below: number) => number): string[] {
  const result = [...lines];
  for (let count = random(4); count > 0; count--) {
    const at = random(result.length + 1);
    result.splice(at, random(3), ...Array.from({ length: random(3) }, () => `${who} ${random(1000)}`));
  }
  return result;
}
