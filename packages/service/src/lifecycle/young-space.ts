import { setFlagsFromString } from "node:v8";

/**
 * V8 doubles the space of young objects while a program loads its modules, up to 2 × 16 MB, and keeps it. What a start leaves dies young, so a service
 * that waits for calls would hold that space for nothing.
 */
export function keepYoungSpaceSmall(): void {
  setGrowth(1);
}

/** Calls may need more: from here on it grows as in any program. */
export function letYoungSpaceGrow(): void {
  setGrowth(defaultGrowth);
}

const defaultGrowth = 2;

function setGrowth(factor: number): void {
  try {
    setFlagsFromString(`--semi-space-growth-factor=${factor}`);
  } catch {
    // A runtime with another engine.
  }
}
