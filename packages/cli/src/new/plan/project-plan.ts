import type { LibraryPlan } from "./library-plan.ts";
import type { ServicePlan } from "./service-plan.ts";
import type { WorkspacePlan } from "./workspace-plan.ts";

/** Whatever tercel new makes. */
export type ProjectPlan = ServicePlan | LibraryPlan | WorkspacePlan;
