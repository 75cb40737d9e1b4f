import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { CommandFailure } from "../frame/failure.ts";
import { isOlder } from "../project/compare-versions.ts";
import { readRecord, recordFile } from "../project/project-record.ts";
import { ownVersion } from "../version.ts";
import type { Finding } from "./finding.ts";

/** Checks the version in `tercel.yaml` that wrote the project. A hand-written one, for `tercel dev`, has no version. */
export function checkRecord(folder: string, version: string = ownVersion()): Finding[] {
  const file = join(folder, recordFile);
  if (!existsSync(file) || parseDocument(readFileSync(file, "utf8")).get("template") === undefined) return [];
  try {
    const { plan } = readRecord(folder);
    return [
      isOlder(plan.version, version)
        ? {
            check: recordFile,
            outcome: "warning",
            text: `written by tercel ${plan.version}; this is tercel ${version}`,
            fix: "tercel upgrade",
          }
        : { check: recordFile, outcome: "ok", text: `type ${plan.type}, of tercel ${plan.version}` },
    ];
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return [{ check: recordFile, outcome: "failure", text: error.message }];
  }
}
