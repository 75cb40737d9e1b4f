import type { ServiceNames } from "../plan/service-names.ts";
import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** Returns the path of the sample call: `requests/create-user.yaml`. */
export function requestPath({ snake }: ServiceNames): string {
  return `requests/create-${snake.replaceAll("_", "-")}.yaml`;
}

/** Returns a call for `tercel call --from`. */
export function savedRequestFile({ names, with: { auth } }: ServicePlan): string {
  const { snake, pascal, second } = names;
  return joinLines(
    `# npx tercel call --from ${requestPath(names)}`,
    "version: 1",
    `method: ${snake}.v1.${pascal}Service/Create${pascal}`,
    auth === "jwt" && `headers:\n  authorization: Bearer \${TOKEN}`,
    "data:",
    `  name: ${second === "email" ? "Ada" : "first"}`,
    second === "email" ? "  email: ada@example.com" : "  description: the first one",
  );
}
