import { setFlagsFromString } from "node:v8";

/**
 * V8 doubles the space of young objects again and again while modules are loaded, up to 16 MB, and keeps it. What a start leaves dies young: a daemon that
 * waits would hold the space for nothing.
 */
export function keepYoungSpaceSmall(): void {
  setGrowth(1);
}

/** What calls and jobs leave may need more. */
export function letYoungSpaceGrow(): void {
  setGrowth(defaultGrowth);
}

const defaultGrowth = 2;

function setGrowth(factor: number): void {
  setFlagsFromString(`--semi-space-growth-factor=${factor}`);
}
