// `npm run check:api` builds the packages, and fails with the difference if a committed API report is out of date. `-- --update` writes the reports.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { listFiles } from "../source-files.ts";
import { compareReports, createReports, isReport } from "./api-reports.ts";

const { values } = parseArgs({ options: { update: { type: "boolean", default: false } } });
const root = dirname(dirname(import.meta.dirname));
const reports = createReports(root);
const files = listFiles(root).filter(isReport);

if (values.update) {
  for (const file of files) if (!reports.has(file)) rmSync(join(root, file));
  for (const [file, text] of reports) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  console.log(`API reports: wrote ${reports.size}`);
} else {
  const committed = new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));
  const difference = compareReports(committed, reports);
  if (difference === "") {
    console.log(`API reports: all ${reports.size} are up to date`);
  } else {
    console.log(difference);
    console.log("The API differs from its reports. If you meant to change it, run `npm run check:api -- --update` and");
    console.log("commit the reports with the change.");
    process.exitCode = 1;
  }
}
