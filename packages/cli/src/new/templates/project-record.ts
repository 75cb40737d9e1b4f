import { createHash } from "node:crypto";
import { joinLines } from "../join-lines.ts";
import { concerns, type ServicePlan } from "../service-plan.ts";

/** `tercel.yaml`: what the project was made with, and the state of the files that Tercel manages. */
export function projectRecord(
  { names, with: chosen, version }: ServicePlan,
  managed: ReadonlyMap<string, string>,
): string {
  return joinLines(
    "# What tercel new made this project with. The hashes show whether a file has been changed since.",
    "version: 1",
    `template: ${version}`,
    `name: ${names.service}`,
    "type: grpc",
    "with:",
    ...concerns.map((concern) => `  ${concern}: ${chosen[concern]}`),
    "managed:",
    ...[...managed].map(([path, text]) => `  ${path}: sha256:${createHash("sha256").update(text).digest("hex")}`),
  );
}
