import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { readRecord, recordFile } from "../project/project-record.ts";
import type { WorkspacePlan } from "./plan/workspace-plan.ts";

/** Reads the workspace in a folder; undefined if it is not one. */
export function readWorkspace(folder: string): WorkspacePlan | undefined {
  const file = join(folder, recordFile);
  // A hand-written record, for tercel dev, may be incomplete.
  if (!existsSync(file) || parseDocument(readFileSync(file, "utf8")).get("type") !== "workspace") return undefined;
  const { plan } = readRecord(folder);
  return plan.type === "workspace" ? plan : undefined;
}
