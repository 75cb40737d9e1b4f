import type { LibraryPlan } from "./library-plan.ts";
import type { ServicePlan } from "./service-plan.ts";
import type { WorkspacePlan } from "./workspace-plan.ts";

/** A project that tercel new creates. */
export type ProjectPlan = ServicePlan | LibraryPlan | WorkspacePlan;
