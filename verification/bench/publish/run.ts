/** `npm run bench -- publish [--minutes N] [--render]`: measures by the recipe, and writes the tables and the picture of the docs. See README.md. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUILD_FOLDER, PUBLISHED_FILE, ROOT_FOLDER } from "../paths.ts";
import type { BenchDocument } from "../report/document.ts";
import { readDocument, writeDocument } from "../report/document-file.ts";
import { renderPicture } from "../report/picture.ts";
import { allMeasured, runBenchmarks } from "../run-benchmarks.ts";
import { readPublishOptions } from "./options.ts";
import { pageBlock, readmeBlock, withBlock } from "./pages.ts";
import { recipe } from "./recipe.ts";

/** What has been measured of a run that is made in parts. */
const partFile = join(BUILD_FOLDER, "publish.json");

/** Exit codes: 0 published, 1 a subject failed in a case, 3 cases are left for the next part. @throws UsageError */
export async function runPublish(args: readonly string[]): Promise<number> {
  const { minutes, isRenderOnly } = readPublishOptions(args);
  if (isRenderOnly) {
    writePages(readDocument(PUBLISHED_FILE));
    return 0;
  }
  const options = { ...recipe, json: false, markdown: false, help: false, ...(minutes !== undefined && { minutes }) };
  const { document, left, leftMinutes } = await runBenchmarks(options, (text) => console.error(text), {
    ...(existsSync(partFile) && { earlier: readDocument(partFile) }),
    onCase: (part) => writeDocument(partFile, part),
  });
  if (left.length > 0) {
    console.log(
      `${left.length} of ${recipe.cases.length} cases are left, about ${leftMinutes} min; the same command measures them: ${left.join(", ")}`,
    );
    return 3;
  }
  writeDocument(PUBLISHED_FILE, document);
  writePages(document);
  console.log("published: README.md, docs/benchmarks.md, docs/benchmarks.svg, verification/bench/published.json");
  if (!allMeasured(document)) {
    console.log("Subjects failed, as the tables say; the same command measures the cases in which they did again.");
    return 1;
  }
  rmSync(partFile, { force: true });
  return 0;
}

function writePages(document: BenchDocument): void {
  for (const [file, name, block] of [
    ["README.md", "benchmarks", readmeBlock(document)],
    ["docs/benchmarks.md", "figures", pageBlock(document)],
  ] as const) {
    const path = join(ROOT_FOLDER, file);
    writeFileSync(path, withBlock(readFileSync(path, "utf8"), name, block));
  }
  writeFileSync(join(ROOT_FOLDER, "docs/benchmarks.svg"), renderPicture(document));
}
