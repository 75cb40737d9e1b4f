import { sha256Of } from "../../project/sha256.ts";
import type { ProjectPlan } from "../plan/project-plan.ts";
import { concerns, type ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** Returns `tercel.yaml`: the choices of tercel new, and the state of the files that Tercel manages. */
export function projectRecord(plan: ProjectPlan, managed: ReadonlyMap<string, string>): string {
  return joinLines(
    "# The choices of tercel new. The hashes show whether a file has been changed since.",
    "version: 1",
    `template: ${plan.version}`,
    `name: ${plan.type === "workspace" ? plan.name : plan.names.service}`,
    `type: ${plan.type}`,
    ...typeLines(plan),
    "managed:",
    ...[...managed].map(([path, text]) => `  ${path}: ${sha256Of(text)}`),
  );
}

function typeLines(plan: ProjectPlan): string[] {
  if (plan.type === "library") return [];
  return plan.type === "workspace" ? [`manager: ${plan.manager}`] : serviceLines(plan);
}

function serviceLines({ with: chosen, hasGateway, ports }: ServicePlan): string[] {
  const joins = chosen.discovery === "embedded" && !ports.hostsRegistry;
  return [
    "with:",
    ...concerns.map((concern) => `  ${concern}: ${chosen[concern]}`),
    `gateway: ${hasGateway}`,
    `port: ${ports.grpc}`,
    ...(joins ? ["hosts_registry: false"] : []),
  ];
}
