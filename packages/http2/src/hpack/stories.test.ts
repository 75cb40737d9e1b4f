import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";

/** See test-data/README.md. */
const archive = fileURLToPath(new URL("../../test-data/hpack-stories.tar.xz", import.meta.url));

interface Story {
  readonly cases: readonly StoryBlock[];
}

interface StoryBlock {
  readonly wire?: string;
  /** swift-nio's stories say null where others say nothing. */
  readonly header_table_size?: number | null;
  readonly headers: readonly Readonly<Record<string, string>>[];
}

/** Stories carry pages' whole header lists, with cookies far above what calls need. */
const storyLimits = { maxListBytes: 1 << 20, maxFields: 1000 };

const missingTool = ["tar", "xz"].find((tool) => spawnSync(tool, ["--version"]).status !== 0);
const skip = missingTool === undefined ? false : `${missingTool} is missing`;

describe("the stories of http2jp/hpack-test-case", { skip }, () => {
  let folder = "";
  const stories: Story[] = [];

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "hpack-stories-"));
    const unpacked = spawnSync("tar", ["-xJf", archive, "-C", folder], { encoding: "utf8" });
    assert.equal(unpacked.status, 0, unpacked.stderr);
    for (const encoder of readdirSync(folder)) {
      // The unencoded originals that the encoders were fed with.
      if (encoder === "raw-data") continue;
      for (const file of readdirSync(join(folder, encoder))) {
        stories.push(JSON.parse(readFileSync(join(folder, encoder, file), "utf8")) as Story);
      }
    }
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  test("decode field by field, from every encoder", (context) => {
    let blocks = 0;
    let fields = 0;
    for (const story of stories) {
      const decoder = new HpackDecoder(storyLimits);
      for (const block of story.cases) {
        if (typeof block.header_table_size === "number") decoder.setMaxTableBytes(block.header_table_size);
        const bytes = Buffer.from(block.wire ?? "", "hex");
        const decoded = decoder.decode(bytes, 0, bytes.length);
        assert.deepEqual(decoded.fields, fieldsOf(block));
        blocks++;
        fields += decoded.fieldCount;
      }
    }
    context.diagnostic(`${stories.length} stories, ${blocks} blocks, ${fields} fields`);
    assert.deepEqual([stories.length, blocks, fields], [446, 47_142, 548_382]);
  });

  test("come back from our encoder", (context) => {
    const target = Buffer.alloc(1 << 20);
    let theirBytes = 0;
    let ourBytes = 0;
    for (const story of stories) {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder(storyLimits);
      for (const block of story.cases) {
        const fields = fieldsOf(block);
        const end = encoder.encode(fields, target, 0);
        assert.ok(end <= encoder.maxEncodedBytes(fields));
        assert.deepEqual(decoder.decode(target, 0, end).fields, fields);
        theirBytes += (block.wire ?? "").length / 2;
        ourBytes += end;
      }
    }
    context.diagnostic(`${ourBytes} bytes, ${theirBytes} from the stories' encoders`);
    assert.ok(ourBytes > 0);
  });
});

function fieldsOf(block: StoryBlock): string[] {
  return block.headers.flatMap((field) => Object.entries(field).flat());
}
