import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { readRecord, recordFile } from "../project/project-record.ts";
import type { WorkspacePlan } from "./plan/workspace-plan.ts";

/** The workspace that a folder is; undefined where it is none. */
export function readWorkspace(folder: string): WorkspacePlan | undefined {
  const file = join(folder, recordFile);
  // A record that someone wrote by hand, for tercel dev, need not be complete.
  if (!existsSync(file) || parseDocument(readFileSync(file, "utf8")).get("type") !== "workspace") return undefined;
  const { plan } = readRecord(folder);
  return plan.type === "workspace" ? plan : undefined;
}
