import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { BENCH_CASES } from "../cases.ts";
import { PUBLISHED_FILE, ROOT_FOLDER } from "../paths.ts";
import type { BenchDocument } from "../report/document.ts";
import { readDocument } from "../report/document-file.ts";
import { renderPicture } from "../report/picture.ts";
import { pageBlock, readmeBlock, withBlock } from "./pages.ts";
import { isReadmeCase, recipe } from "./recipe.ts";

const page = (file: string): string => readFileSync(join(ROOT_FOLDER, file), "utf8");
const figures = (ratioCpu: number) => ({ value: 1, rounds: [1], ratio: 1, ratioCpu });
const document: BenchDocument = {
  cases: [
    {
      name: "server/unary/10x10",
      unit: "calls/s",
      better: "higher",
      tercel: 1,
      rounds: [1],
      peers: { tonic: figures(0.9), hyper: figures(0.5), canned: figures(0.2), "grpc-go": figures(4) },
      failures: {},
    },
    {
      name: "server/stream/4KiB",
      unit: "MB/s",
      better: "higher",
      tercel: 1,
      rounds: [1],
      peers: { tonic: figures(2) },
      failures: {},
    },
  ],
  skippedCases: [],
  skippedPeers: [{ name: "grpc-cpp", reason: "cmake is not installed" }],
  notes: [],
  commit: "1a2b3c4",
  date: "2026-12-01",
  options: { rounds: 3, seconds: 1.5 },
  versions: { tercel: "0.1.0", "grpc-go": "1", tonic: "1", hyper: "1", canned: "1" },
  machine: { cpu: "A CPU", cores: 2, memoryBytes: 1, kernel: "6.1" },
};

describe("the published pages", () => {
  it("say where Tercel loses, the farthest first, and do not count the limit", () => {
    assert.match(
      pageBlock(document),
      /### Where Tercel loses\n[\s\S]*\| `server\/unary\/10x10` \| hyper 0\.50, tonic 0\.90 \|$/,
    );
    assert.ok(!pageBlock(document).includes("`server/stream/4KiB` | tonic 2"));
    assert.match(readmeBlock(document), /in 1 of them to at least one peer/);
  });

  it("name failures in the cases that they show", () => {
    const failures = { tonic: "the machine is busy" };
    const [shown, other] = document.cases.map((one) => ({ ...one, failures }));
    const failed = { ...document, cases: [shown ?? assert.fail(), other ?? assert.fail()] };
    const failuresIn = (block: string) => block.match(/^- `.*`: tonic failed: the machine is busy$/gm)?.length;
    assert.equal(failuresIn(readmeBlock(failed)), 1);
    assert.equal(failuresIn(pageBlock(failed)), 2);
  });

  it("name a peer that could not be measured", () => {
    for (const block of [pageBlock(document), readmeBlock(document)]) {
      assert.ok(block.includes("grpc-cpp was not measured: cmake is not installed"));
    }
  });

  it("show all cases on the page, and those of its list in the README", () => {
    assert.ok(pageBlock(document).includes("| `server/stream/4KiB` |"));
    assert.ok(!readmeBlock(document).includes("| `server/stream/4KiB` |"));
    assert.ok(BENCH_CASES.filter(isReadmeCase).length >= 20);
    assert.ok(BENCH_CASES.filter(isReadmeCase).every(({ name }) => recipe.cases.includes(name)));
  });

  it("replace the part between the comments and nothing else", () => {
    const before = "a\n<!-- x: npm run bench -- publish writes this -->\nold\n<!-- /x -->\nb\n";
    assert.equal(withBlock(before, "x", "new"), before.replace("old", "new"));
    assert.throws(() => withBlock("a\n", "x", "new"), /has no part between/);
  });

  it("have a place in README.md and docs/benchmarks.md", () => {
    withBlock(page("README.md"), "benchmarks", "");
    withBlock(page("docs/benchmarks.md"), "figures", "");
  });

  // Nothing is published before the first run of the recipe.
  if (existsSync(PUBLISHED_FILE)) {
    it("are what published.json makes of them", () => {
      const published = readDocument(PUBLISHED_FILE);
      assert.equal(withBlock(page("README.md"), "benchmarks", readmeBlock(published)), page("README.md"));
      assert.equal(withBlock(page("docs/benchmarks.md"), "figures", pageBlock(published)), page("docs/benchmarks.md"));
      assert.equal(renderPicture(published), page("docs/benchmarks.svg"));
    });
  }
});
